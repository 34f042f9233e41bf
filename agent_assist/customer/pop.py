"""Who calls, in a few words at ring: attributes of the call, as the telephone side might give them, too."""

from typing import Final, Literal

from agent_assist.customer.preferences import Preference
from agent_assist.customer.profile import Profile
from models.types import RiskLevel

_REASONS: Final = 3
"""Of the risk that are named."""
_TAGS: Final = 4


def pop(seen: Profile, language: Literal["zh", "en"]) -> dict[str, str]:
    """
    What an agent should know before the first word; what is not known is not there.

    Args:
        language: Of the words.
    """
    found = {
        "customer_tier": seen.tier,
        "customer_segment": seen.segment if seen.rfm is not None else "",
        "customer_stage": seen.stage.value,
        "customer_tags": ("、" if language == "zh" else ", ").join(
            tag.name.get(language) or tag.id for tag in seen.tags[:_TAGS]
        ),
        "customer_tag_ids": ",".join(tag.id for tag in seen.tags),
        "customer_region": seen.region,
        "customer_manner": seen.manner.get(language, ""),
        "customer_prefers_channel": _value(seen.preferences.channel),
        "customer_prefers_time": _value(seen.preferences.part_of_day),
        "customer_prefers_language": _value(seen.preferences.language),
        "talking_point": seen.talking_point.get(language, ""),
        "greeting": seen.days[0].greeting.get(language, "") if seen.days and seen.days[0].in_days == 0 else "",
    }
    if seen.reasons:
        likely = seen.reasons[0]
        found["likely_reason"] = likely.text[language]
        found["likely_reason_evidence"] = f"{likely.probability:.0%}"
    risk = seen.risk
    if risk is not None and risk.level is not RiskLevel.UNKNOWN and risk.score is not None:
        found["churn_risk"] = f"{risk.score:.3f}"
        names = [one.name for one in risk.reasons if one.contribution > 0 and one.name != "base_rate"]
        found["churn_reasons"] = ",".join(names[:_REASONS])
    return {name: value for name, value in found.items() if value}


def _value(preferred: Preference | None) -> str:
    return "" if preferred is None else preferred.value
