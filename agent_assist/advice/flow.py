"""Standard flows of a call, as a playbook writes them: steps in order, and branches that bend them."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from agent_assist.advice.conditions import Phrases, Risk, Texts, check_phrases, check_texts
from agent_assist.advice.profile import ProfileCondition
from audio.types import Channel
from models.intent import Intent
from models.types import EmotionLabel

_ID: Final = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,63}")


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may hold of a call; one of those that are named is enough."""

    phrases: Phrases = {}
    """Of the customer."""
    intents: tuple[Intent, ...] = ()
    emotions: tuple[EmotionLabel, ...] = ()
    least_confidence: float = 0.5
    """Of the emotion."""
    risk: Risk | None = None
    """On this call, or before it, see ``agent_assist.call.before``."""
    profile: str | None = None
    """In CEL, as of a rule."""
    rules: tuple[str, ...] = ()
    """One of these has fired."""

    def __post_init__(self) -> None:
        named = self.phrases or self.intents or self.emotions or self.risk or self.rules
        if not named and self.profile is None:
            raise ValueError("expected phrases, intents, emotions, risk, profile or rules, got none of them")
        check_phrases(self.phrases)
        if self.profile is not None:
            ProfileCondition(self.profile)


class Done(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By what a step is recognised as done; one of those that are named is enough."""

    speaker: Channel = Channel.AGENT
    """Of the phrases."""
    phrases: Phrases = {}
    intents: tuple[Intent, ...] = ()
    """Of the customer."""
    rules: tuple[str, ...] = ()
    """One of these has fired, a tick for one."""

    def __post_init__(self) -> None:
        if not (self.phrases or self.intents or self.rules):
            raise ValueError("expected phrases, intents or rules, got none of them")
        check_phrases(self.phrases)


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to be done in a call."""

    id: str
    title: Texts
    done: Done
    optional: bool = False
    """May be left out, and done at any time."""

    def __post_init__(self) -> None:
        _check(self.id, self.title)


class Branch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Steps that are added where a call asks for them, and steps that it makes needless."""

    id: str
    title: Texts
    when: When
    reason: Texts
    """``{words}`` is what was heard."""
    after: str | None = None
    """Step of the flow after which its steps stand; at the beginning without it."""
    steps: tuple[Step, ...] = ()
    waives: tuple[str, ...] = ()
    """Steps of the flow that need not be done."""

    def __post_init__(self) -> None:
        _check(self.id, self.title)
        check_texts(self.reason)
        if not (self.steps or self.waives):
            raise ValueError(f"expected steps or waives of the branch {self.id}, got neither")


class Flow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One flow; a call follows the first of its playbook that fits."""

    id: str
    title: Texts
    profile: str | None = None
    """Fits only where this holds at the start of the call, in CEL; fits always without it."""
    steps: tuple[Step, ...]
    branches: tuple[Branch, ...] = ()

    def __post_init__(self) -> None:
        _check(self.id, self.title)
        if self.profile is not None:
            ProfileCondition(self.profile)
        if not self.steps:
            raise ValueError(f"expected at least one step of the flow {self.id}, got none")
        own = {step.id for step in self.steps}
        every = [step.id for step in self.every_step()]
        ids = [*every, *(branch.id for branch in self.branches)]
        for name in ids:
            if ids.count(name) > 1:
                raise ValueError(f"expected each step's and branch's id once in the flow {self.id}, got {name} twice")
        for branch in self.branches:
            for name in (*branch.waives, *([] if branch.after is None else [branch.after])):
                if name not in own:
                    raise ValueError(f"expected a step of the flow {self.id} in the branch {branch.id}, got {name}")

    def every_step(self) -> Iterator[Step]:
        """Its own, then those of the branches."""
        yield from self.steps
        for branch in self.branches:
            yield from branch.steps

    def rules(self) -> set[str]:
        """Ids of the rules that it names."""
        named = {name for step in self.every_step() for name in step.done.rules}
        return named | {name for branch in self.branches for name in branch.when.rules}


def _check(name: str, title: Texts) -> None:
    if _ID.fullmatch(name) is None:
        raise ValueError(f"expected an id of small letters, digits, '_', '-' and '.', got {name!r}")
    if not title:
        raise ValueError(f"expected a title of {name}, got none")
    check_texts(title)
