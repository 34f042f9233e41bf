"""From a rule that fires to what is shown or sent."""

from typing import Final, NamedTuple

from agent_assist.advice.conditions import Texts
from agent_assist.advice.matching import Match
from agent_assist.advice.rule import Rule
from agent_assist.call.state import CallState
from agent_assist.types import Card, CardKind, Webhook
from models.types import EmotionLabel

_FEELINGS: Final = {
    EmotionLabel.NEUTRAL: ("平静", "calm"),
    EmotionLabel.SATISFIED: ("满意", "satisfied"),
    EmotionLabel.ANGRY: ("生气", "angry"),
    EmotionLabel.ANXIOUS: ("焦虑", "anxious"),
    EmotionLabel.DISAPPOINTED: ("失望", "disappointed"),
    EmotionLabel.UNKNOWN: ("不明", "unknown"),
}


class Occasion(NamedTuple):
    """On what a rule fires."""

    evidence: str
    """Id of the utterance, "start" or "end"."""
    utterance_id: str
    """Empty where it was none."""
    at_ms: int


class Given(NamedTuple):
    """A rule that is met, and why."""

    rule: Rule
    match: Match
    occasion: Occasion
    keys: tuple[str, ...]
    """What it fires for."""


class Decided(NamedTuple):
    """A rule that fires, and what that gives."""

    rule: Rule | None
    """None of what was held back before, and of what no rule gives."""
    keys: tuple[str, ...]
    gives: Card | Webhook
    topics: tuple[str, ...] = ()
    """Of an offer."""


def decide(given: Given, state: CallState, source: str) -> Decided:
    """
    What a rule gives that fires.

    Args:
        source: Of the playbook.
    """
    rule, match, occasion, keys = given
    language = state.language
    # Names for which the card was shown before are left out.
    new = [each for each in match.competitors if f"{rule.id}:{each.name}" not in state.fired]
    by_emotion = None if match.label is None else rule.by_emotion.get(match.label)
    texts = [in_language(by_emotion or rule.text, language)]
    texts += [in_language(each.advantages, language).replace("{name}", each.name) for each in new]
    fills = _fills(state, match, [each.name for each in new])
    title = in_language(rule.title, language).format_map(fills)
    text = " ".join(text.format_map(fills) for text in texts if text)
    identity = f"{state.call_id}:{rule.id}:{occasion.evidence}"
    if rule.webhook is not None:
        return Decided(
            rule,
            keys,
            Webhook(
                id=identity,
                call_id=state.call_id,
                rule=rule.id,
                receiver=rule.webhook,
                at_ms=occasion.at_ms,
                utterance_id=occasion.utterance_id,
                title=title,
                text=text,
                language=language,
                customer_id=state.customer_id,
                trigger=match.trigger,
                source=source,
            ),
        )
    reason = rule.reason if match.label is None else rule.emotion_reason or rule.reason
    return Decided(
        rule,
        keys,
        Card(
            id=identity,
            call_id=state.call_id,
            rule=rule.id,
            kind=CardKind(rule.kind),
            title=title,
            text=text,
            at_ms=occasion.at_ms,
            utterance_id=occasion.utterance_id,
            priority=rule.priority,
            language=language,
            reason=in_language(reason, language).format_map(fills),
            trigger=match.trigger,
            source=source,
            compliance=rule.compliance,
            offer=rule.offer,
            due_hours=rule.due_hours,
        ),
        rule.topics,
    )


def _fills(state: CallState, match: Match, names: list[str]) -> dict[str, str]:
    chinese = state.language == "zh"
    comma = "、" if chinese else ", "
    return {
        "name": comma.join(names) or ("其他商家" if chinese else "another provider"),
        "customer_name": state.customer_name or ("客户" if chinese else "the customer"),
        "emotion": _FEELINGS[match.label][0 if chinese else 1] if match.label is not None else "",
        "words": comma.join(match.trigger),
        "measure": match.measure,
    }


def in_language(texts: Texts, language: str) -> str:
    """The text in a language, else in the first that there is."""
    wanted = texts.get("zh" if language == "zh" else "en")
    return wanted or next(iter(texts.values()), "")
