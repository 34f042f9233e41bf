"""Rules that look for sentences by their meaning; words stand for meaning here, so that no weights are needed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.advice.checking import check, costs
from agent_assist.advice.playbook import Playbook
from agent_assist.advice.sense import Sense, denies
from agent_assist.advice.spoken import words
from agent_assist.advice.trial import try_sentence
from agent_assist.call.assistant import Assistant
from agent_assist.call.record import empty
from agent_assist.quality.backtest import Runs
from agent_assist.types import CallEnded, CallStarted, Card, Degraded, Event, Final
from audio.types import Channel
from models.meaning import meanings
from models.types import Utterance

WAITED: dict[str, Any] = {
    "id": "waited",
    "kind": "card",
    "speaker": "customer",
    "priority": 1,
    "title": {"en": "t", "zh": "t"},
    "reason": {"en": "said: {words}", "zh": "说了:{words}"},
    "like": {"en": ["I waited a whole hour", "nobody answers my calls"], "zh": ["我等了一个小时了"]},
    "least_likeness": {"en": 0.6, "zh": 0.6},
}


def by_words(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Texts are as near as they share words, whatever the order."""
    one = {word: np.random.default_rng(crc32(word.encode())).normal(size=384) for text in texts for word in words(text)}
    rows = np.array([sum((one[word] for word in words(text)), np.full(384, 0.01)) for text in texts])
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def playbook(**changed: Any) -> Playbook:
    return msgspec.convert({"name": "p", "version": "1", "rules": [WAITED | changed]}, Playbook)


def said(text: str, n: int = 0, *, known: bool = True) -> Utterance:
    return Utterance(
        id=f"c:customer:{n * 4000}",
        channel=Channel.CUSTOMER,
        number=n,
        start_ms=n * 4000,
        end_ms=n * 4000 + 3000,
        text=text,
        language="en",
        confidence=0.9,
        words=(),
        sentiment=None,
        emotion=None,
        loudness_dbfs=None,
        meaning=meanings([text], by_words)[0] if known else None,
    )


def told(given_playbook: Playbook, *utterances: Utterance, sense: Sense | None = None) -> list[Card | Degraded]:
    sense = sense or Sense(given_playbook.sentences(), by_words)
    assistant, state = Assistant(given_playbook, sense=sense), None
    found: list[Card | Degraded] = []
    for utterance in utterances:
        state, new = assistant.step(state, Final(call_id="c", utterance=utterance))
        found += [one for one in new if isinstance(one, Card | Degraded)]
    return found


def fires(text: str, **changed: Any) -> bool:
    return any(isinstance(one, Card) for one in told(playbook(**changed), said(text)))


def test_the_clause_that_means_a_sentence_is_what_gave_rise_to_the_card() -> None:
    (card,) = told(playbook(), said("Hello there, a whole hour I waited. Are you the one who helps?"))
    assert isinstance(card, Card)
    assert card.trigger == ("a whole hour I waited",)
    assert card.reason == "said: a whole hour I waited"
    assert fires("我等了一个小时了")
    assert not fires("Where is the shop in the old town?")


@pytest.mark.parametrize("text", ["I never waited a whole hour", "I have not waited a whole hour", "我没等了一个小时"])
def test_what_is_denied_is_not_what_denies_nothing(text: str) -> None:
    assert not fires(text)


def test_what_is_affirmed_is_not_what_denies() -> None:
    assert fires("my calls nobody answers")
    assert not fires("somebody answers my calls")


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("能不能便宜点", False),
        ("不好意思打扰了", False),
        ("我不想退了", True),
        ("别人告诉我的", False),
        ("I can't wait", True),
        ("I cannot", True),
        ("another one", False),
    ],
)
def test_a_question_or_a_courtesy_denies_nothing(text: str, denied: bool) -> None:
    assert denies(text, "en" if text.isascii() else "zh") is denied


def test_what_is_nearer_to_a_counter_sentence_does_not_count() -> None:
    unlike = {"en": ["I waited a whole hour for his bus"]}
    assert fires("I waited a whole hour", unlike=unlike)
    assert fires("I waited a whole hour for a bus")
    assert not fires("I waited a whole hour for a bus", unlike=unlike)


def test_a_clause_in_which_words_stand_that_do_not_count_does_not_count() -> None:
    past = {"not_within": {"en": ["last year"]}}
    assert fires("last year I waited a whole hour")
    assert not fires("last year I waited a whole hour", **past)
    assert fires("last year was fine, I waited a whole hour", **past)
    assert not fires("I waited a whole hour", unless={"en": ["whole hour"]})


def test_where_words_or_sentences_suffice_denied_words_bar_their_clause() -> None:
    either = {"either": True, "phrases": {"en": ["on hold"]}}
    assert fires("you kept me on hold", **either)
    assert fires("I waited a whole hour", **either)
    assert not fires(
        "not on hold I waited a whole hour",
        like={"en": ["not on hold I waited a whole hour"]},
        least_likeness={},
        **either,
    )


def test_with_words_besides_both_are_asked_for() -> None:
    both = {"phrases": {"en": ["monday"]}}
    assert fires("on Monday I waited a whole hour", **both)
    assert not fires("I waited a whole hour", **both)
    assert not fires("On Monday the shop is open", **both)


def test_what_was_said_before_there_were_vectors_cannot_be_judged() -> None:
    (failed,) = told(playbook(), said("I waited a whole hour", known=False))
    assert isinstance(failed, Degraded)
    assert failed.reason == "the rule waited could not be run (MeaningMissing)"
    other = said("I waited a whole hour")
    assert other.meaning is not None
    other = msgspec.structs.replace(other, meaning=msgspec.structs.replace(other.meaning, space="another"))
    assert [type(one) for one in told(playbook(), other)] == [Degraded]


def test_a_rule_that_its_words_decide_needs_no_vectors() -> None:
    given_playbook = playbook(either=True, phrases={"en": ["on hold"]})
    found = told(given_playbook, said("you kept me on hold", known=False))
    assert [type(one) for one in found] == [Card]
    both = playbook(phrases={"en": ["monday"]})
    assert told(both, said("I waited a whole hour", known=False)) == []


def test_without_an_embedding_a_rule_cannot_be_run_and_never_counts_as_silent() -> None:
    assistant = Assistant(playbook())
    _, new = assistant.step(None, Final(call_id="c", utterance=said("anything at all")))
    assert [one.reason for one in new if isinstance(one, Degraded)] == [
        "the rule waited could not be run (MeaningMissing)"
    ]


@given(
    st.lists(
        st.sampled_from(["I waited", "a whole hour", "nobody", "answers my calls", "the shop", ",", "."]), max_size=9
    )
)
def test_what_went_over_the_wire_gives_the_same_and_so_does_another_order_of_the_sentences(parts: list[str]) -> None:
    utterance = said(" ".join(parts))
    event: Event = Final(call_id="c", utterance=utterance)
    again = msgspec.json.decode(msgspec.json.encode(event), type=Event)
    assert again == event
    assert isinstance(again, Final)
    more = {
        "en": ("the shop is open", *reversed(WAITED["like"]["en"]), "good bye then"),
        "zh": ("你好吗", *WAITED["like"]["zh"]),
    }
    other = Sense(more, by_words)
    assert told(playbook(), again.utterance, sense=other) == told(playbook(), utterance)


@pytest.mark.parametrize("known", [True, False])
def test_what_may_have_been_said_was_not_missed(known: bool) -> None:
    given_playbook = playbook(not_said={})
    assistant, state = Assistant(given_playbook, sense=Sense(given_playbook.sentences(), by_words)), None
    found: list[object] = []
    for event in (
        Final(call_id="c", utterance=said("the shop is open", known=known)),
        Final(call_id="c", utterance=said("good bye then", 1, known=known)),
        CallEnded(call_id="c", duration_ms=9_000, reason="hangup"),
    ):
        state, new = assistant.step(state, event)
        found += [type(one) for one in new if isinstance(one, Card | Degraded)]
    assert found == ([Card] if known else [Degraded])


def test_examples_are_tried_and_the_cost_is_told() -> None:
    examples = {"fires": [{"en": "a whole hour I waited"}], "silent": [{"en": "I have not waited a whole hour"}]}
    given_playbook = playbook(examples=examples)
    sense = Sense(given_playbook.sentences(), by_words)
    assert check(given_playbook, sense) == []
    assert {one.kind for one in check(given_playbook)} == {"example"}
    assert "could not be run" in check(given_playbook)[0].message
    (cost,) = costs(given_playbook, [("en", "I waited a whole hour")], sense, rounds=1)
    assert cost.rule == "waited"


def test_a_sentence_that_is_tried_says_what_is_missing() -> None:
    given_playbook = playbook(phrases={"en": ["monday"]})
    sense = Sense(given_playbook.sentences(), by_words)
    trial = try_sentence(given_playbook, Channel.CUSTOMER, "en", "On Monday the shop is open", sense)
    assert [one.unmet for one in trial.nearly] == [("like",)]
    trial = try_sentence(given_playbook, Channel.CUSTOMER, "en", "On Monday I waited a whole hour", sense)
    assert [one.rule for one in trial.fired] == ["waited"]
    trial = try_sentence(given_playbook, Channel.CUSTOMER, "en", "On Monday the shop is open")
    assert [one.unmet for one in trial.nearly] == [("failed",)]


def test_a_back_test_counts_where_a_rule_could_not_be_run() -> None:
    given_playbook = playbook()
    assistant = Assistant(given_playbook, sense=Sense(given_playbook.sentences(), by_words))
    runs = Runs(lambda _: assistant, given_playbook.source)
    record = msgspec.structs.replace(empty("c"), started_at=datetime(2026, 1, 1, tzinfo=UTC), status="ended")
    utterances = [said("I waited a whole hour", known=False), said("I waited a whole hour", 1)]
    runs.add(record, [Final(call_id="c", utterance=utterance) for utterance in utterances])
    found = runs.result()
    assert found.failed == {"the rule waited could not be run (MeaningMissing)": 1}
    assert [(one.rule, one.fired) for one in found.rules] == [("waited", 1)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"like": {"en": ["I waited, and nobody came"]}}, "a sentence of one clause"),
        ({"like": {"en": ["..."]}}, "a sentence of one clause"),
        ({"least_likeness": {"en": 1.5}}, "least_likeness above 0, up to 1"),
        ({"like": {"en": ["I waited"]}}, "in languages that like has"),
        ({"like": {}, "least_likeness": {}, "unlike": {"en": ["I can wait"]}}, "in languages that like has"),
    ],
)
def test_sentences_that_cannot_be_found_are_refused(changed: dict[str, Any], expected: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=expected):
        playbook(**changed)


def test_a_call_that_begins_has_nothing_to_compare() -> None:
    given_playbook = playbook()
    assistant = Assistant(given_playbook, sense=Sense(given_playbook.sentences(), by_words))
    started = CallStarted(call_id="c", at=datetime(2026, 1, 1, tzinfo=UTC), protocol="test")
    assert [one for one in assistant.step(None, started)[1] if isinstance(one, Degraded)] == []
