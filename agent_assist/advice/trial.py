"""One sentence put to every rule of a playbook: which fire and why, and which nearly do."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from agent_assist.advice.conditions import Example
from agent_assist.advice.evidence import Evidence
from agent_assist.advice.examples import attempt, events_of
from agent_assist.advice.matching import Case, Ready, unmet
from agent_assist.advice.names import Lexicon
from agent_assist.advice.playbook import Calm, Offers, Playbook
from agent_assist.advice.rule import Rule
from agent_assist.advice.sense import Sense
from agent_assist.call.assistant import Assistant
from agent_assist.call.state import CallState, hear
from agent_assist.types import Card
from agent_assist.types import Final as FinalEvent
from audio.types import Channel


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that a sentence makes fire."""

    rule: str
    card: Card | None
    """What it shows; None of a webhook, and of an offer that is held back."""


class Nearly(msgspec.Struct, frozen=True, kw_only=True):
    """A rule whose words or other signs are there, and that is silent all the same."""

    rule: str
    unmet: tuple[str, ...]
    """What stands in the way, as ``matching.unmet`` names it; also "later": it looks when the call goes on or is over,
    "hits": it asks for several utterances, and "failed": it could not be run."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a playbook makes of a sentence."""

    playbook: str
    fired: tuple[Fired, ...]
    """The highest priority first."""
    nearly: tuple[Nearly, ...]


def try_sentence(
    playbook: Playbook, speaker: Channel, language: Literal["zh", "en"], text: str, sense: Sense | None = None
) -> Trial:
    """
    Put a sentence to every rule alone, as the first that is said in a call, its voice and intents unknown.

    Args:
        text: What is said; line breaks count as spaces.
        sense: What the playbook's sentences mean.
    """
    line = f"{'A' if speaker is Channel.AGENT else 'C'}: {' '.join(text.split())}"
    example = Example(zh=(line,)) if language == "zh" else Example(en=(line,))
    fired: list[Fired] = []
    nearly: list[Nearly] = []
    ready = _prepared(playbook)
    lexicon = Lexicon({competitor.name: competitor.aliases for competitor in playbook.competitors})
    for rule in sorted(playbook.rules, key=lambda one: (-one.priority, one.id)):
        tried = attempt(playbook, rule, example, sense)
        if tried.fired:
            fired.append(Fired(rule=rule.id, card=_card(playbook, rule, example, sense)))
        elif tried.failed:
            nearly.append(Nearly(rule=rule.id, unmet=("failed",)))
        elif rule.speaker in {None, speaker} and rule.listens:
            missing = list(_missing(ready[rule.id], _case(rule, example, lexicon, sense)))
            if missing:
                nearly.append(Nearly(rule=rule.id, unmet=tuple(missing)))
    return Trial(playbook=playbook.source, fired=tuple(fired), nearly=tuple(nearly))


def _prepared(playbook: Playbook) -> dict[str, Ready]:
    competitors = {competitor.name: competitor for competitor in playbook.competitors}
    return {rule.id: Ready.of(rule, competitors) for rule in playbook.rules}


def _missing(ready: Ready, case: Case) -> Iterator[str]:
    """What stands in the way of a rule that hears what it listens for; nothing of one that does not."""
    missing, rule = unmet(ready, case), ready.rule
    asked = {
        name
        for name, there in (
            ("words", rule.phrases or rule.competitors or rule.all_of),
            ("like", rule.like),
            ("intents", rule.intents),
            ("emotions", rule.emotions),
        )
        if there
    }
    if asked <= set(missing):
        return
    yield from missing
    if rule.hits is not None:
        yield "hits"
    if rule.not_said is not None:
        yield "later"


def _case(rule: Rule, example: Example, lexicon: Lexicon, sense: Sense | None) -> Case:
    said = next(event.utterance for event in events_of(rule, example, sense) if isinstance(event, FinalEvent))
    state = hear(CallState(call_id="trial"), said)
    return Case(state, said.end_ms, 0, said, Evidence.of(said.text, lexicon), sense=sense)


def _card(playbook: Playbook, rule: Rule, example: Example, sense: Sense | None) -> Card | None:
    alone = msgspec.structs.replace(playbook, rules=(rule,), calm=Calm(), offers=Offers(closed_at=1.0, open_below=1.0))
    assistant, state = Assistant(alone, sense=sense), None
    shown: list[Card] = []
    for event in events_of(rule, example, sense):
        state, told = assistant.step(state, event)
        shown += [each for each in told if isinstance(each, Card) and not each.provisional]
    return shown[0] if shown else None
