"""Which rules need not be tried: those of which an utterance has no clue, and only those."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agent_assist.advice.evidence import Evidence
from agent_assist.advice.matching import Case, Ready, said
from agent_assist.advice.names import Lexicon
from agent_assist.advice.phrases import Index
from agent_assist.advice.playbook import Competitor
from agent_assist.advice.rule import Clues, Rule
from agent_assist.advice.rules import Listening
from agent_assist.call.state import CallState, hear
from audio.types import Channel
from models.intent import Intent
from models.types import Emotion, EmotionLabel, Utterance

_PHRASES = ("want to cancel", "cancel (it|this)", "my bill", "退款", "不用了", "{n} times", "re:refunds?", "[very] bad")
_TEXTS = (
    "I want to cancel this",
    "I don't want to cancel it",
    "my bill is bad",
    "acme is very bad",
    "我要退款",
    "three times",
)
_some = st.lists(st.sampled_from(_PHRASES), max_size=2).map(lambda found: {"en": found} if found else {})
_fields = st.fixed_dictionaries(
    {
        "phrases": _some,
        "all_of": st.lists(_some, max_size=2),
        "unless": _some,
        "competitors": st.booleans(),
        "intents": st.lists(st.sampled_from(["cancel", "refund"]), max_size=2),
        "emotions": st.lists(st.sampled_from(["angry", "anxious"]), max_size=2),
        "either": st.booleans(),
    }
)
_ACME = {"acme": Competitor(name="acme")}


def rule_of(fields: dict[str, Any], number: int) -> Rule | None:
    basic = {"id": f"r{number}", "kind": "card", "speaker": "customer", "priority": 1, "title": {"en": "t"}}
    try:
        return msgspec.convert(basic | {"reason": {"en": "r"}} | fields, Rule)
    except msgspec.ValidationError:
        return None


_said = st.tuples(
    st.lists(st.sampled_from(_TEXTS), min_size=1, max_size=2).map(". ".join),
    st.sets(st.sampled_from([Intent.CANCEL, Intent.REFUND, Intent.PRICE])),
    st.sampled_from([None, EmotionLabel.ANGRY, EmotionLabel.NEUTRAL]),
)


@given(st.lists(_fields, max_size=6), _said)
def test_a_rule_of_which_there_is_no_clue_is_not_met(
    given_fields: list[dict[str, Any]], what: tuple[str, set[Intent], EmotionLabel | None]
) -> None:
    rules = [rule for n, fields in enumerate(given_fields) if (rule := rule_of(fields, n)) is not None]
    ready = [Ready.of(rule, _ACME) for rule in rules]
    text, intents, label = what
    emotion = None if label is None else Emotion(label=label, valence=0, arousal=0, agitation=0, confidence=1)
    utterance = Utterance(
        id="c:customer:0",
        channel=Channel.CUSTOMER,
        number=0,
        start_ms=0,
        end_ms=2000,
        text=text,
        language="en",
        confidence=1,
        words=(),
        sentiment=None,
        emotion=emotion,
        loudness_dbfs=None,
        intents=tuple(sorted(intents)),
    )
    index = Index(phrase for rule in rules for phrase in (rule.clues or Clues()).phrases)
    lexicon = Lexicon({"acme": ()})
    state = hear(CallState(call_id="c"), utterance)
    with_index = Case(state, 2000, 0, utterance, Evidence.of(text, lexicon, index=index))
    without = Case(state, 2000, 0, utterance, Evidence.of(text, lexicon))
    assert with_index.evidence is not None
    heard = Listening(ready).heard(with_index.evidence, utterance)
    met = [one.rule.id for one in ready if said(one, without) is not None]
    assert [one.rule.id for one in heard if said(one, with_index) is not None] == met


def test_a_rule_on_an_intent_is_tried_where_the_intent_is_there() -> None:
    rule = rule_of({"intents": ["cancel"], "phrases": {"en": ["my bill"]}, "either": True}, 0)
    assert rule is not None
    assert rule.clues == Clues(("my bill",), intents=(Intent.CANCEL,))
    assert msgspec.structs.replace(rule, like={"en": ("I go",)}).clues is None
    assert msgspec.structs.replace(rule, either=False, like={"en": ("I go",)}).clues == Clues(("my bill",))
