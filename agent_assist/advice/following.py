"""A call against the standard flow of its playbook: a fold over what is said, and how far that has come."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec

from agent_assist.advice.cards import in_language
from agent_assist.advice.conditions import FILLS
from agent_assist.advice.flow import Done, Flow, Step, When
from agent_assist.advice.holding import Heard, Holding, Profiles, fired, holding
from agent_assist.call.course import Course, Stepped, Taken
from agent_assist.call.state import CallState
from agent_assist.types import CallFlow, FlowBranch, FlowStep


class Followed(NamedTuple):
    state: CallState
    failed: dict[str, str]
    """Flows and branches whose profile condition could not be run, each with the kind of error."""


class Following:
    """
    The flows of a playbook made ready; keeps nothing of any call.

    Args:
        source: Of the playbook.
    """

    def __init__(self, flows: Iterable[Flow], source: str) -> None:
        self._flows = {flow.id: flow for flow in flows}
        self._source = source
        profiles = [flow.profile for flow in self._flows.values()]
        profiles += [branch.when.profile for flow in self._flows.values() for branch in flow.branches]
        self._profiles = Profiles(profiles)

    def begin(self, state: CallState) -> Followed:
        """Choose the flow of a call, by what is known at its start, and take the branches that this alone decides."""
        failed: dict[str, str] = {}
        flow = next((flow for flow in self._flows.values() if self._fits(flow, state, failed)), None)
        if flow is None or state.course.flow:
            return Followed(state, failed)
        course = msgspec.structs.replace(state.course, flow=flow.id)
        return self._branch(_with(state, course), flow, None, failed)

    def hear(self, state: CallState, heard: Heard) -> Followed:
        """Take in an utterance; a call that was never seen to start begins with it."""
        failed: dict[str, str] = {}
        if not state.course.flow:
            state, failed = self.begin(state)
        flow = self._flows.get(state.course.flow)
        if flow is None:
            return Followed(state, failed)
        state, failed = self._branch(state, flow, heard, failed)
        course, said = state.course, heard.utterance
        done = {
            step.id: Stepped(utterance_id=said.id, at_ms=said.end_ms)
            for step in _steps(flow, course)
            if step.id not in course.done and _is_done(step.done, state, heard)
        }
        return Followed(
            _with(state, msgspec.structs.replace(course, done=course.done | done)) if done else state, failed
        )

    def _fits(self, flow: Flow, state: CallState, failed: dict[str, str]) -> bool:
        return flow.profile is None or self._profiles.hold(flow.profile, state, flow.id, failed)

    def _branch(self, state: CallState, flow: Flow, heard: Heard | None, failed: dict[str, str]) -> Followed:
        course = state.course
        taken: dict[str, Taken] = {}
        for branch in flow.branches:
            if branch.id in course.taken:
                continue
            why = self._why(branch.when, state, heard, branch.id, failed)
            if why is not None:
                place = ("", 0) if heard is None else (heard.utterance.id, heard.utterance.end_ms)
                taken[branch.id] = Taken(why=why.why, words=why.words, utterance_id=place[0], at_ms=place[1])
        if taken:
            state = _with(state, msgspec.structs.replace(course, taken=course.taken | taken))
        return Followed(state, failed)

    def _why(
        self, when: When, state: CallState, heard: Heard | None, name: str, failed: dict[str, str]
    ) -> Holding | None:
        found = holding(when, state, heard, fired(state))
        if found:
            return found[0]
        is_so = when.profile is not None and self._profiles.hold(when.profile, state, name, failed)
        return Holding("profile") if is_so else None

    def view(self, state: CallState, at_ms: int) -> CallFlow | None:
        """How far a call has come; None where it follows no flow, or one that is in the playbook no more."""
        flow, course = self._flows.get(state.course.flow), state.course
        if flow is None:
            return None
        language, over = state.language, state.end_ms is not None
        waived = {name for branch in flow.branches if branch.id in course.taken for name in branch.waives}
        plan = _plan(flow, course)
        steps = tuple(_shown(number, plan, course, waived, language) for number in range(len(plan)))
        asked = [step for step in steps if not step.optional and step.state != "waived"]
        done = sum(step.state == "done" for step in asked)
        return CallFlow(
            call_id=state.call_id,
            at_ms=at_ms,
            flow=flow.id,
            title=in_language(flow.title, language),
            language=language,
            steps=steps,
            current=next((step.id for step in asked if step.state == "open"), None),
            branches=tuple(_branches(flow, state)),
            adherence=done / len(asked) if over and asked else None,
            over=over,
            source=self._source,
        )


def _plan(flow: Flow, course: Course) -> list[tuple[Step, str]]:
    """The steps in the order in which they are to be done, each with the branch that brought it."""
    taken = [branch for branch in flow.branches if branch.id in course.taken]
    plan = [(step, branch.id) for branch in taken if branch.after is None for step in branch.steps]
    for step in flow.steps:
        plan.append((step, ""))
        plan += [(added, branch.id) for branch in taken if branch.after == step.id for added in branch.steps]
    return plan


def _steps(flow: Flow, course: Course) -> list[Step]:
    return [step for step, _ in _plan(flow, course)]


def _shown(
    number: int, plan: list[tuple[Step, str]], course: Course, waived: Collection[str], language: str
) -> FlowStep:
    """
    A step as it stands.

    What was done before a branch was taken says nothing of the order of the branch's steps; nor does what was done
    with the same utterance.
    """
    step, branch = plan[number]
    done = course.done.get(step.id)
    since = course.taken[branch].at_ms if branch else -1
    later = [course.done[other.id].at_ms for other, _ in plan[number + 1 :] if other.id in course.done]
    bound = done.at_ms if done is not None else None
    passed = not step.optional and any(at > since and (bound is None or at < bound) for at in later)
    waive = done is None and step.id in waived
    return FlowStep(
        id=step.id,
        title=in_language(step.title, language),
        state="done" if done is not None else "waived" if waive else "skipped" if passed else "open",
        optional=step.optional,
        branch=branch,
        utterance_id="" if done is None else done.utterance_id,
        at_ms=bound,
        out_of_order=passed and done is not None,
    )


def _branches(flow: Flow, state: CallState) -> Iterable[FlowBranch]:
    for branch in flow.branches:
        taken = state.course.taken.get(branch.id)
        if taken is not None:
            fills = dict.fromkeys(FILLS, "") | {"words": taken.words, "customer_name": state.customer_name or ""}
            yield FlowBranch(
                id=branch.id,
                title=in_language(branch.title, state.language),
                why=taken.why,
                reason=in_language(branch.reason, state.language).format_map(fills),
                utterance_id=taken.utterance_id,
                at_ms=taken.at_ms,
            )


def _is_done(done: Done, state: CallState, heard: Heard) -> bool:
    utterance = heard.utterance
    if utterance.channel is done.speaker and heard.words(done.phrases):
        return True
    intended = any(intent in utterance.intents for intent in done.intents)
    return intended or (bool(done.rules) and not fired(state).isdisjoint(done.rules))


def _with(state: CallState, course: Course) -> CallState:
    return msgspec.structs.replace(state, course=course)
