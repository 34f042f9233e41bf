"""How often each rule showed something in the last days, and what agents thought of it. Blocking, like the store."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import JSON, ColumnElement, cast, func, select, type_coerce

from agent_assist.store.calls import CallStore
from agent_assist.store.tables import calls, cards, feedback


class RuleUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule did."""

    fired: int = 0
    """Cards, ticks, alerts and tasks; webhooks are kept nowhere."""
    calls: int = 0
    """In which it did."""
    feedback: dict[str, int] = {}
    """How many of them were used, dismissed, found good or bad: by the action."""


def rule_use(store: CallStore, since: datetime) -> dict[tuple[str, str], RuleUse]:
    """
    By name of the playbook and id of the rule.

    Args:
        since: Of the calls that began later.
    """
    source = _source(store)
    begun = calls.c.started_at >= since.astimezone(UTC)
    joined = cards.join(calls, calls.c.call_id == cards.c.call_id)
    fired = (
        select(source, cards.c.rule, func.count(), func.count(cards.c.call_id.distinct()))
        .select_from(joined)
        .where(begun)
        .group_by(source, cards.c.rule)
    )
    given = (
        select(source, cards.c.rule, feedback.c.action, func.count())
        .select_from(joined.join(feedback, feedback.c.card_id == cards.c.card_id))
        .where(begun)
        .group_by(source, cards.c.rule, feedback.c.action)
    )
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    thought: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    with store.engine.connect() as connection:
        for playbook, rule, cards_shown, in_calls in connection.execute(fired):
            one = counts[_name(playbook), rule]
            one[0] += cards_shown
            # A call that saw two versions of a playbook counts for both.
            one[1] += in_calls
        for playbook, rule, action, count in connection.execute(given):
            actions = thought[_name(playbook), rule]
            actions[action] = actions.get(action, 0) + count
    return {key: RuleUse(fired=one[0], calls=one[1], feedback=thought.get(key, {})) for key, one in counts.items()}


def _source(store: CallStore) -> ColumnElement[Any]:
    """Playbook of a card, out of its body."""
    body: Any = type_coerce(cards.c.body, JSON) if store.engine.dialect.name == "sqlite" else cast(cards.c.body, JSON)
    found: ColumnElement[Any] = body["source"].as_string()
    return found


def _name(source: str | None) -> str:
    """Of the playbook, without version and digest."""
    return (source or "").rpartition(" ")[0]
