"""How phrases are written, what they need, and which of many may stand in a text."""

from collections.abc import Callable
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.advice.conditions import check_phrases
from agent_assist.advice.phrases import Index, Text, compile_phrase
from agent_assist.advice.playbook import load
from agent_assist.advice.spoken import spoken as tokens_of
from agent_assist.call.assistant import Assistant
from agent_assist.types import Card, Final
from models.types import Utterance

RULES = load().rules
SOURCES = sorted(
    {
        phrase
        for rule in RULES
        for phrases in (rule.phrases, rule.unless, rule.not_within, rule.unless_agent, *rule.all_of)
        for group in phrases.values()
        for phrase in group
    }
)
WORDS = sorted({word for source in SOURCES for word in source.replace("|", " ").replace("(", " ").split()})
"""What the default playbook listens for, in pieces."""


def said(text: str) -> Text:
    return Text.of(tokens_of(text))


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
@pytest.mark.slow
def test_no_phrase_that_stands_in_a_text_is_left_out_by_the_quick_look(text: str) -> None:
    index = Index(SOURCES)
    found = {source for source in SOURCES if _found_slowly(source, text)}
    assert found <= index.standing(said(text))
    assert found == {source for source in SOURCES if compile_phrase(source).find(said(text))}


def _found_slowly(source: str, text: str) -> bool:
    phrase, utterance = compile_phrase(source), said(text)
    if phrase.free is None and not (utterance.has_han if phrase.han else utterance.has_words):
        return False
    if phrase.free is not None and phrase.free.search(text):
        return True
    exact = phrase.exact is not None and phrase.exact.search(utterance.exact.text) is not None
    return exact or (phrase.sound is not None and phrase.sound.search(utterance.sound.text) is not None)


def test_the_quick_look_leaves_most_out() -> None:
    index = Index(SOURCES)
    for text in ("好的,麻烦您提供一下订单号和手机号", "My name is Peter and I live in Main Street."):
        assert len(index.standing(said(text))) < len(SOURCES) / 10


@pytest.mark.parametrize(
    ("phrase", "heard"),
    [
        ("cancel my contract", "council my contract"),
        ("terminate my (contract|service)", "terminate my surface"),
    ],
)
def test_longer_english_phrases_are_heard_by_their_sound(phrase: str, heard: str) -> None:
    assert compile_phrase(phrase).find(said(heard))


@pytest.mark.parametrize(
    ("phrase", "heard"),
    [
        ("cancel it", "council it"),
        ("hello * there", "hello three"),
        ("see my plan", "say my plan"),
        ("(cancel my contract|stop)", "shop"),
    ],
)
def test_short_ones_are_heard_as_they_are_written_alone(phrase: str, heard: str) -> None:
    assert compile_phrase(phrase).find(said(heard)) == []


def test_a_pattern_may_say_what_only_re2_knows() -> None:
    check_phrases({"zh": (r"re:\p{Han}{2}退",)})
    assert compile_phrase(r"re:\p{Han}{2}退").find(said("我要退款"))


@pytest.mark.parametrize(
    ("phrase", "told"),
    [
        ("(a|b", r"\( without its other half"),
        ("a]", r"\] without its other half"),
        ("(a]", r"without its other half"),
        ("{nobody} a", "unknown placeholder"),
        ("{n a", "a brace"),
        ("a * b * c * d * e * f", "more than 4 gaps"),
        ("* [|]", "no words"),
        ("[a]", "no words that have to be said"),
        ("(a|[b])", "no words that have to be said"),
        (r"re:(?<=a)b", "RE2"),
        (r"re:(a", "RE2"),
    ],
)
def test_what_is_not_written_as_a_phrase_is_told(phrase: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        compile_phrase(phrase)


@pytest.mark.parametrize("phrase", ["re:(a+)+b", "re:(a|aa)+b", "re:(.*)*(.*)*x", "a * (a|b) * a * [c] a * b"])
def test_no_pattern_takes_for_ever(phrase: str) -> None:
    text = said("a " * 300 + "a" * 3_000)
    before = process_time()
    compile_phrase(phrase).find(text)
    # Backtracking would take until the end of the world.
    assert process_time() - before < 20


@given(st.text(alphabet="a b(|)[]*{n}x退款", max_size=14))
def test_whatever_is_written_is_a_phrase_or_told(source: str) -> None:
    try:
        phrase = compile_phrase(source)
    except ValueError:
        return
    phrase.find(said("a b x 退款"))


def test_phrases_of_a_rule_may_stand_where_they_are_misheard() -> None:
    rule = next(rule for rule in RULES if rule.id == "cancel_intent")
    index = Index(one for group in rule.phrases.values() for one in group)
    for text in ("我要退款", "我要推款"):
        assert index.standing(said(text))
    assert not index.standing(said("我要发票"))


def test_rules_that_are_not_tried_for_want_of_words_would_not_have_been_met(
    spoken: Callable[[str], list[Utterance]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def advised() -> list[Any]:
        assistant, told = Assistant(load()), list[Any]()
        for name in ("zh_late_order", "en_cancel_plan"):
            state = None
            for utterance in said_in[name]:
                state, more = assistant.step(state, Final(call_id=name, utterance=utterance))
                told += more
        return told

    said_in = {name: spoken(name) for name in ("zh_late_order", "en_cancel_plan")}
    found = advised()
    assert sum(isinstance(one, Card) for one in found) > 10
    monkeypatch.setattr("agent_assist.advice.phrases.Index.standing", lambda self, _: self.sources)
    assert advised() == found
