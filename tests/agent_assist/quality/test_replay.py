"""Stored calls read again: the same cards, whatever order their messages were written in; a new rule tried on them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_assist.advice.playbook import Playbook, load
from agent_assist.call.assistant import Assistant
from agent_assist.knowledge.base import KnowledgeBase
from agent_assist.knowledge.index import KnowledgeIndex
from agent_assist.knowledge.types import Node, NodeKind
from agent_assist.quality.replay import Looked, Replayed, advised, look_again, replay
from agent_assist.store.calls import CallStore
from agent_assist.types import CallEnded, CallRecord, CallStarted, Event, Final
from audio.types import Channel

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
        shown = advised(Assistant(load()), events)
        store.write(events, {}, range(len(events)))
        store.write([*shown.cards, *shown.hints], {})
        record = store.call("c")
        assert record is not None
        assert len(record.cards) >= 5
        return store, record

    return keep


def again(store: CallStore, record: Any, playbook: Playbook) -> Replayed:
    return replay(record, store.events("c"), Assistant(playbook))


@pytest.mark.parametrize("name", ["zh_late_order", "en_cancel_plan"])
@pytest.mark.slow
def test_a_stored_call_gives_the_cards_that_were_shown(stored: Any, name: str) -> None:
    store, record = stored(name)
    found = again(store, record, load())
    assert found.agrees
    assert {card.id for card in found.same} == {card.id for card in record.cards}


def test_another_version_of_the_same_rules_shows_the_same(stored: Any) -> None:
    store, record = stored("zh_late_order")
    assert again(store, record, msgspec.structs.replace(load(), version="next")).agrees


@pytest.mark.slow
def test_a_hint_that_was_not_shown_then_or_is_not_shown_again_is_no_agreement(stored: Any, spoken: Lines) -> None:
    store, record = stored("en_cancel_plan")
    asked = msgspec.structs.replace(spoken("en_cancel_plan")[0], text="Could you please tell me your phone number?")
    known = msgspec.structs.replace(record, attributes={"phone": "138"})
    start, _, *rest = store.events("c")
    assert isinstance(start, CallStarted)
    start = msgspec.structs.replace(start, attributes={"phone": "138"})
    said = [start, Final(call_id="c", utterance=asked), *rest]
    found = replay(known, said, Assistant(load()))
    assert (found.agrees, found.added_hints[0].fields) == (False, ("phone",))
    shown = msgspec.structs.replace(known, hints=found.added_hints)
    assert not replay(shown, said, Assistant(load())).added_hints
    lost = replay(shown, store.events("c"), Assistant(load()))
    assert (lost.agrees, lost.missing_hints[0]) == (False, found.added_hints[0])


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


@pytest.fixture
def knowledge(tmp_path: Path) -> Iterator[tuple[KnowledgeBase, KnowledgeIndex]]:
    url = f"sqlite:///{tmp_path / 'knowledge.db'}"
    store = CallStore(url)
    store.upgrade()
    store.close()
    base = KnowledgeBase(url)
    base.draft([Node(kind=NodeKind.ARTICLE, key="late", title="订单什么时候到", language="zh", body="订单三天内到。")])
    base.publish()
    yield base, KnowledgeIndex(base)
    base.close()


def test_articles_are_compared_as_long_as_the_knowledge_is_the_same(
    stored: Any, spoken: Lines, knowledge: tuple[KnowledgeBase, KnowledgeIndex]
) -> None:
    store, record = stored("zh_late_order")
    base, index = knowledge
    asked = msgspec.structs.replace(spoken("zh_late_order")[0], channel=Channel.CUSTOMER, text="订单什么时候到?")
    said = [Final(call_id="c", utterance=asked)]

    def look(record: CallRecord) -> Looked:
        return look_again(record, said, index)

    before = look(record)
    assert (before.knowledge, before.agree, [one.key for one in before.added]) == ("unknown", True, ["late"])
    store.write([*before.added], {})
    shown = store.call("c")
    assert shown is not None
    then = look(shown)
    assert (then.knowledge, then.agree, then.same) == ("same", True, shown.articles)
    said = []
    lost = look(shown)
    assert (lost.knowledge, lost.agree, lost.missing) == ("same", False, shown.articles)
    assert not replay(shown, said, Assistant(load()), index).agrees
    base.withdraw(["article:late"])
    after = look(shown)
    assert (after.knowledge, after.agree, after.missing) == ("changed", True, shown.articles)


@pytest.mark.slow
def test_a_rule_that_cannot_be_run_is_told_and_is_no_agreement(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store, record = stored("zh_late_order")

    def fail(*_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr("agent_assist.advice.matching._in_time", fail)
    found = again(store, record, load())
    assert not found.agrees
    assert any("RuntimeError" in reason for reason in found.failed)
