"""When the talk track for a customer who is about to leave is shown, and with which lines."""

from typing import Final, Literal

from agent_assist.advice.cards import Decided, in_language
from agent_assist.advice.conditions import FILLS
from agent_assist.advice.retention import RULE, Line, Retention
from agent_assist.call.before import risk_before
from agent_assist.call.state import CallState
from agent_assist.types import Card, CardKind
from models.types import ChurnRisk, RiskLevel, Utterance


def talk_track(
    retention: Retention | None,
    state: CallState,
    after: Utterance | Literal["start", "known"],
    live: ChurnRisk | None,
    source: str,
) -> list[Decided]:
    """
    The card, where it is time for it.

    Args:
        after: The utterance after which it is looked for; or the start of the call, or what became known of the
            customer in it.
        live: The risk by what is known and was said on the call.
        source: Of the playbook.
    """
    if retention is None or RULE in state.fired:
        return []
    known = (live, risk_before(state.attributes))
    risk = next((each for each in known if retention.risk.holds(each)), None)
    if risk is None:
        return []
    language = state.language
    lines = _lines(retention, risk)
    comma, gap = ("、", "") if language == "zh" else (", ", " ")
    words = comma.join(in_language(line.name, language) for line in lines)
    fills: dict[str, str] = dict.fromkeys(FILLS, "")
    fills |= {"words": words or _level(risk, language), "customer_name": state.customer_name or _nobody(language)}
    said = [retention.text, *(line.say for line in lines)]
    utterance_id = after.id if isinstance(after, Utterance) else ""
    card = Card(
        id=f"{state.call_id}:{RULE}:{utterance_id or after}",
        call_id=state.call_id,
        rule=RULE,
        kind=CardKind.CARD,
        title=in_language(retention.title, language).format_map(fills),
        text=gap.join(in_language(texts, language).format_map(fills) for texts in said),
        at_ms=after.end_ms if isinstance(after, Utterance) else state.reached_ms,
        utterance_id=utterance_id,
        priority=retention.priority,
        language=language,
        reason=in_language(retention.reason, language).format_map(fills),
        source=source,
    )
    return [Decided(None, (RULE,), card)]


def _lines(retention: Retention, risk: ChurnRisk) -> list[Line]:
    """Those of the reasons that weigh most; what speaks against leaving has none."""
    speaks = [reason for reason in risk.reasons if reason.contribution >= 0]
    weighty = [reason.name for reason in sorted(speaks, key=lambda reason: -reason.contribution)]
    return [retention.lines[name] for name in weighty if name in retention.lines][: retention.most]


_LEVELS: Final = {RiskLevel.CRITICAL: "很高", RiskLevel.ELEVATED: "高", RiskLevel.WATCH: "略高"}


def _level(risk: ChurnRisk, language: str) -> str:
    return _LEVELS.get(risk.level, "") if language == "zh" else risk.level.value


def _nobody(language: str) -> str:
    return "客户" if language == "zh" else "the customer"
