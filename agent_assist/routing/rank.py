"""Who suits a matter best, and how urgent it is: points that add up, each with its reason."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from agent_assist.routing.policy import ChannelRow, Lane, Need, Policy, Term
from agent_assist.routing.types import Agent, Complexity, Matter, Priority, Ranked, Reason, Words
from models.intent import Intent
from models.types import RiskLevel

_LANGUAGES: Final[dict[str, Words]] = {"zh": {"zh": "中文", "en": "Chinese"}, "en": {"zh": "英文", "en": "English"}}
ORDINARY: Final = "ordinary"


def lane(matter: Matter, policy: Policy) -> Lane:
    """The first lane that fits, or that of all others."""
    for one in policy.of.lanes:
        tagged = any(tag in one.tags for tag in matter.tags)
        named = matter.tier in one.tiers or matter.segment in one.segments or matter.stage in one.stages
        if tagged or named or matter.risk in one.risks:
            return one
    return Lane(id=ORDINARY, names=policy.of.ordinary, head_start_s=0)


def rank(matter: Matter, agents: Iterable[Agent], policy: Policy) -> tuple[Ranked, ...]:
    """
    Agents who are free, the best first; of equals the one with less load, then by id.

    Whoever misses a need is there only where nobody meets all: then needs are given up from the last of the list on,
    and each agent says which ones they miss.

    Args:
        agents: Each once. Those who are not available are left out, and those of other lanes who serve these alone.
    """
    theirs = lane(matter, policy)
    free = [one for one in agents if one.state == "available" and (not one.dedicated or theirs.id in one.lanes)]
    missed = {one.id: unmet(matter, one, policy) for one in free}
    needs = list(policy.of.needs)
    while needs and not any(set(needs).isdisjoint(missed[one.id]) for one in free):
        needs.pop()
    found = [
        (_ranked(matter, one, theirs, missed[one.id], policy), one)
        for one in free
        if set(needs).isdisjoint(missed[one.id])
    ]
    found.sort(key=lambda pair: (-pair[0].score, pair[1].load, pair[1].id))
    return tuple(ranked for ranked, _ in found)


def unmet(matter: Matter, agent: Agent, policy: Policy) -> tuple[Need, ...]:
    """Needs of the matter that an agent does not meet, in the policy's order."""
    skill = agent.skill(matter.skill) if matter.skill else None
    certified = matter.skill in policy.of.certified_skills
    missing: dict[Need, bool] = {
        "language": bool(matter.language) and not agent.speaks(matter.language),
        "certified": certified and not (skill is not None and skill.certified),
        "skill": bool(matter.skill) and skill is None,
        "experienced": matter.complaint and agent.experience_years < policy.of.experienced_years,
    }
    return tuple(need for need in policy.of.needs if missing[need])


def _ranked(matter: Matter, agent: Agent, theirs: Lane, missed: tuple[Need, ...], policy: Policy) -> Ranked:
    reasons = tuple(_reasons(matter, agent, theirs, policy))
    score = round(sum(one.points for one in reasons), 2)
    return Ranked(agent_id=agent.id, score=score, reasons=reasons, unmet=missed)


def _reasons(matter: Matter, agent: Agent, theirs: Lane, policy: Policy) -> Iterator[Reason]:
    terms = policy.of.points
    if agent.id == matter.manager:
        yield _reason("named_manager", terms)
    if matter.good_agents and agent.id == matter.good_agents[0]:
        yield _reason("same_good_agent", terms)
    if theirs.id in agent.lanes:
        yield _reason("lane", terms, what=theirs.names)
    if matter.language and agent.speaks(matter.language):
        yield _reason("language", terms, what=_LANGUAGES.get(matter.language, {"zh": matter.language}))
    skill = agent.skill(matter.skill) if matter.skill else None
    if skill is not None:
        yield _reason("skill", terms, skill.level, what={"zh": skill.name})
        if skill.certified and skill.name in policy.of.certified_skills:
            yield _reason("certified", terms, what={"zh": skill.name})
    years = agent.experience_years
    if matter.complaint and years > 0:
        yield _reason("experience_for_complaint", terms, years)
    if matter.complexity is Complexity.HIGH and years > 0:
        yield _reason("experience_for_complex", terms, years)
    spare = sum(one.name != matter.skill and (one.certified or one.level >= 4) for one in agent.skills)
    if spare:
        yield _reason("spare_specialist", terms, spare)
    if agent.load > 0:
        yield _reason("load", terms, agent.load)
    if agent.idle_s >= 60:
        yield _reason("idle", terms, agent.idle_s // 60)


def _reason(name: str, terms: Mapping[str, Term], measure: float = 1.0, what: Words | None = None) -> Reason:
    term, named = terms[name], what or {}
    zh = term.zh.format(what=named.get("zh", ""), n=f"{measure:g}", share=f"{measure:.0%}")
    en = term.en.format(what=named.get("en", named.get("zh", "")), n=f"{measure:g}", share=f"{measure:.0%}")
    return Reason(id=name, points=round(term.points * min(measure, term.most), 2), text={"zh": zh, "en": en})


def priority(matter: Matter, policy: Policy) -> Priority:
    """By how many seconds a caller counts as having come earlier; the hour of the day changes nothing."""
    theirs = lane(matter, policy)
    terms = policy.of.priority
    holds = {
        "complaint": matter.complaint,
        "risk_critical": matter.risk is RiskLevel.CRITICAL,
        "risk_elevated": matter.risk is RiskLevel.ELEVATED,
        "repeated": Intent.REPEATED_CONTACT in matter.intents or Intent.ALREADY_TOLD in matter.intents,
        "emotional": matter.emotional,
    }
    reasons = [Reason(id="lane", points=theirs.head_start_s, text=theirs.names)] if theirs.head_start_s else []
    reasons += [
        Reason(id=name, points=terms[name].points, text=terms[name].words()) for name, held in holds.items() if held
    ]
    whole, most = sum(one.points for one in reasons), policy.of.most_head_start_s
    if whole > most:
        words: Words = {"zh": f"最多 {most:g} 秒", "en": f"no more than {most:g} s"}
        reasons.append(Reason(id="most", points=most - whole, text=words))
    return Priority(head_start_s=min(whole, most), reasons=tuple(reasons))


def channel(matter: Matter, policy: Policy) -> ChannelRow:
    """The channel that suits the matter: the first row whose conditions hold."""
    return next(row for row in policy.of.channels if _fits(row, matter))


def _fits(row: ChannelRow, matter: Matter) -> bool:
    return (
        (row.emotional is None or row.emotional == matter.emotional)
        and (not row.complexity or matter.complexity in row.complexity)
        and (not row.intents or any(intent in row.intents for intent in matter.intents))
    )


def complexity(intents: Sequence[Intent], *, emotional: bool, overdue: bool, policy: Policy) -> Complexity:
    """How hard a matter is, from points of all that is known of it."""
    table = policy.of.complexity
    points = sum(table.intents.get(intent, 0.0) for intent in set(intents))
    points += table.emotional * emotional + table.overdue_case * overdue
    if points >= table.high:
        return Complexity.HIGH
    return Complexity.MEDIUM if points >= table.medium else Complexity.LOW
