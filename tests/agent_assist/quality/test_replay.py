"""Stored calls read again: the same cards, whatever order their messages were written in; a new rule tried on them."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_assist.advice.playbook import Playbook, load
from agent_assist.call.assistant import Assistant
from agent_assist.quality.replay import Replayed, advised, replay
from agent_assist.store.calls import CallStore
from agent_assist.types import CallEnded, CallStarted, Event, Final

Lines = Callable[[str], list[Any]]


@pytest.fixture
def stored(tmp_path: Path, spoken: Lines) -> Callable[[str], tuple[CallStore, Any]]:
    """A sample call as it is stored after it ran."""

    def keep(name: str) -> tuple[CallStore, Any]:
        store = CallStore(f"sqlite:///{tmp_path / name}.db")
        store.upgrade()
        events: list[Event] = [CallStarted(call_id="c", at=datetime(2026, 3, 1, tzinfo=UTC), protocol="recording")]
        events += [Final(call_id="c", utterance=utterance) for utterance in spoken(name)]
        events.append(CallEnded(call_id="c", duration_ms=120_000, reason="hangup"))
        cards, _ = advised(Assistant(load()), events)
        store.write(events, {}, range(len(events)))
        store.write(cards, {})
        record = store.call("c")
        assert record is not None
        assert len(record.cards) >= 5
        return store, record

    return keep


def again(store: CallStore, record: Any, playbook: Playbook) -> Replayed:
    return replay(record, store.in_order_of_arrival("c"), Assistant(playbook))


@pytest.mark.parametrize("name", ["zh_late_order", "en_cancel_plan"])
def test_a_stored_call_gives_the_cards_that_were_shown(stored: Any, name: str) -> None:
    store, record = stored(name)
    found = again(store, record, load())
    assert found.agrees
    assert {card.id for card in found.same} == {card.id for card in record.cards}


def test_another_version_of_the_same_rules_shows_the_same(stored: Any) -> None:
    store, record = stored("zh_late_order")
    assert again(store, record, msgspec.structs.replace(load(), version="next")).agrees


def test_what_a_changed_playbook_would_have_shown_is_told(stored: Any) -> None:
    store, record = stored("zh_late_order")
    playbook = load()
    by_id = {rule.id: rule for rule in playbook.rules}
    new = msgspec.structs.replace(by_id["cancel_intent"], id="tried", signal=None)
    changed = msgspec.structs.replace(by_id["competitor"], text={"zh": "另一句话", "en": "other words"})
    rules = (*(r for name, r in by_id.items() if name not in {"cancel_intent", "competitor"}), changed, new)
    found = again(store, record, msgspec.structs.replace(playbook, rules=rules))
    assert not found.agrees
    assert [card.rule for card in found.missing] == ["cancel_intent"]
    assert [card.rule for card in found.added] == ["tried"]
    ((then, now),) = found.changed
    assert now.text.startswith("另一句话")
    assert not then.text.startswith("另一句话")


def test_a_rule_that_cannot_be_run_is_told_and_is_no_agreement(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store, record = stored("zh_late_order")

    def fail(*_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr("agent_assist.advice.matching._in_time", fail)
    found = again(store, record, load())
    assert not found.agrees
    assert any("RuntimeError" in reason for reason in found.failed)
