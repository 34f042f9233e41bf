"""What a call is about and whose it is, before anybody answers: from the profile, the menu and the first words."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from agent_assist.customer.facts import Facts
from agent_assist.customer.profile import Profile
from agent_assist.customer.tags import COMPLAINT
from agent_assist.routing.policy import Policy
from agent_assist.routing.rank import complexity
from agent_assist.routing.types import HintRequest, Matter
from models.intent import INTENTS, Intent, language_of
from models.reading import NOTHING_READ, Read
from models.types import RiskLevel

MANAGER: Final = "manager"
"""Attribute of a customer: id of the agent who is named for them."""
_UPSET: Final = 0.5
_LEAST: Final = 0.4
"""Probability from which on a likely reason of the profile stands for what nobody has said yet."""
_LIKELY: Final = {"delivery": Intent.DELIVERY, "refund": Intent.REFUND, "again": Intent.REPEATED_CONTACT}


def matter(
    request: HintRequest, seen: Profile | None, known: Facts | None, policy: Policy, read: Read = NOTHING_READ
) -> Matter:
    """
    All that is known.

    Args:
        request: What the telephone side tells.
        seen: Of the customer; None where they are not known, as ``known``.
        read: What ``request.text`` means.
    """
    intents = _intents(request, seen, read)
    complaint = Intent.COMPLAINT in intents or (seen is not None and any(c.type == COMPLAINT for c in seen.cases))
    felt = read.words
    emotional = felt.angry + felt.anxious + felt.disappointed >= _UPSET
    overdue = seen is not None and any(case.overdue for case in seen.cases)
    asked = {step.means for step in request.menu}
    skills = [row.skill for row in policy.of.skills if row.skill in asked]
    skills += [row.skill for row in policy.of.skills if row.intent in intents]
    return Matter(
        call_id=request.call_id,
        tier="" if seen is None else seen.tier,
        segment="" if seen is None or seen.rfm is None else seen.segment,
        tags=() if seen is None else tuple(tag.id for tag in seen.tags),
        stage="" if seen is None else seen.stage.value,
        risk=RiskLevel.UNKNOWN if seen is None or seen.risk is None else seen.risk.level,
        intents=intents,
        skill=skills[0] if skills else "",
        complaint=complaint,
        language=_language(request, seen),
        complexity=complexity(intents, emotional=emotional, overdue=overdue, policy=policy),
        emotional=emotional,
        manager="" if seen is None else seen.attributes.get(MANAGER, ""),
        good_agents=() if known is None or seen is None else good_agents(known, seen.at),
    )


def good_agents(known: Facts, at: datetime) -> tuple[str, ...]:
    """
    Agents with whom the latest contact ended well, the latest first.

    Well is: the matter was solved; or, where nobody said, the customer sounded more pleased than not in the end.
    """
    ended: dict[str, bool] = {}
    for one in sorted(known.interactions, key=lambda one: (one.at, one.event_id), reverse=True):
        if one.agent_id and one.at <= at:
            well = one.solved is True or (one.solved is None and one.valence is not None and one.valence > 0)
            ended.setdefault(one.agent_id, well)
    return tuple(agent for agent, well in ended.items() if well)


def _intents(request: HintRequest, seen: Profile | None, read: Read) -> tuple[Intent, ...]:
    """What the menu and the words say; where both say nothing, what is likely from what is open."""
    said = {intent for intent in INTENTS if any(step.means == intent for step in request.menu)} | set(read.intents)
    if not said and seen is not None:
        said = set(_likely(seen))
    return tuple(intent for intent in INTENTS if intent in said)


def _likely(seen: Profile) -> Iterator[Intent]:
    for one in seen.reasons:
        if one.probability >= _LEAST and one.reason in _LIKELY:
            yield _LIKELY[one.reason]


def _language(request: HintRequest, seen: Profile | None) -> str:
    """What the menu asked for, what is spoken, what the customer is known to prefer; the first that tells."""
    if request.language:
        return request.language.split("-")[0].lower()
    if any(one.isalpha() for one in request.text):
        return language_of(request.text, "")
    return "" if seen is None else seen.language.split("-")[0].lower()
