"""Each condition of a rule: when it fires, and when not."""

from collections.abc import Callable
from typing import Any

import pytest

from agent_assist.types import Assist, Card, CardKind, Degraded, Webhook, Withdrawn, Withheld

Play = Callable[..., list[Assist | Degraded]]

CARD = "{id: r, kind: card, speaker: customer, priority: 5, title: {en: t}, reason: {en: '{words}{measure}'}"


def cards(told: list[Any]) -> list[Card]:
    return [each for each in told if isinstance(each, Card) and not each.provisional]


def fires(play: Play, rule: str, *lines: str, **given: str) -> bool:
    return bool(cards(play(f"[{rule}]", *lines, given=given)))


@pytest.mark.parametrize(
    ("conditions", "lines", "wanted"),
    [
        ("phrases: {en: [refund]}, languages: [en]", ["C: refund please"], True),
        ("phrases: {en: [refund]}, languages: [zh]", ["C: refund please"], False),
        ("phrases: {en: [refund]}", ["A: refund please"], False),
        ("phrases: {en: [refund]}, unless: {en: [no thanks]}", ["C: refund, no thanks"], False),
        ("intents: [cancel]", ["C(cancel): enough"], True),
        ("intents: [cancel]", ["C(refund): enough"], False),
        ("intents: [cancel], phrases: {en: [enough]}", ["C(cancel): enough"], True),
        ("intents: [cancel], phrases: {en: [enough]}", ["C(cancel): hm"], False),
        ("intents: [cancel], phrases: {en: [enough]}", ["C: enough"], False),
        ("intents: [cancel], phrases: {en: [enough]}, either: true", ["C: enough"], True),
        ("intents: [cancel], phrases: {en: [enough]}, either: true", ["C(cancel): hm"], True),
        ("intents: [cancel], emotions: [angry], either: true", ["C(angry): hm"], True),
        ("intents: [cancel], emotions: [angry]", ["C(angry): hm"], False),
        ("intents: [cancel], emotions: [angry]", ["C(angry, cancel): hm"], True),
        ("phrases: {en: [a]}, all_of: [{en: [b]}, {en: [c]}]", ["C: b", "C: a c"], True),
        ("phrases: {en: [a]}, all_of: [{en: [b]}, {en: [c]}]", ["C: b", "C: c"], False),
        ("phrases: {en: [hm]}, window: {before_ms: 5000}", ["C@4: hm"], True),
        ("phrases: {en: [hm]}, window: {before_ms: 5000}", ["C@5: hm"], False),
        ("measures: [{name: silence_ms, at_least: 8000}]", ["A@0: x", "C@11: y", "A@20: z"], True),
        ("measures: [{name: silence_ms, at_least: 8000}]", ["A@0: x", "C@10.9: y", "A@20: z"], False),
        ("measures: [{name: overtalk_ms, at_least: 2000}]", ["A@0: one two", "C@1: three four"], True),
        ("measures: [{name: overtalk_ms, at_least: 2000, last_s: 10}]", ["A@0: a b", "C@1: c d", "C@30: e"], True),
        (
            "window: {after_ms: 20000}, measures: [{name: overtalk_ms, at_least: 1, last_s: 10}]",
            ["A@0: a b", "C@1: c d", "C@30: e"],
            False,
        ),
        ("measures: [{name: interruptions, speaker: customer, at_least: 1}]", ["A@0: a b", "C@2: c d"], True),
        ("measures: [{name: interruptions, speaker: agent, at_least: 1}]", ["A@0: a b", "C@2: c d"], False),
        ("measures: [{name: interruptions, at_least: 1, last_s: 5}]", ["A@0: a b", "C@2: c d"], True),
        ("measures: [{name: words_per_minute, speaker: customer, at_most: 25}]", ["C: one"], True),
        ("measures: [{name: words_per_minute, speaker: customer, at_least: 21}]", ["C: one"], False),
        ("measures: [{name: characters_per_minute, speaker: customer, at_least: 1}]", ["C: one"], False),
        ("measures: [{name: talk_share, speaker: agent, at_least: 0.6}]", ["A@0: a", "A@4: a", "C@9: b"], True),
        ("measures: [{name: talk_share, speaker: agent, at_most: 0.5, last_s: 4}]", ["A@0: a", "C@9: b"], True),
        ("measures: [{name: non_talk_ms, at_least: 4000}]", ["A@0: a", "C@9: b"], True),
        ("risk: {level: watch}", ["C: I want to cancel my plan", "C: hm"], False),
        ("risk: {score: 0.05}", ["C: hm"], True),
        ("risk: {score: 0.9}", ["C: hm"], False),
    ],
)
def test_a_rule_fires_when_all_its_conditions_hold(play: Play, conditions: str, lines: list[str], wanted: bool) -> None:
    assert fires(play, f"{CARD}, {conditions}}}", *lines) is wanted


def test_risk_counts_with_what_this_utterance_says(play: Play) -> None:
    signal = "{id: s, kind: card, speaker: customer, priority: 5, title: {en: t}, reason: {en: r}, signal: cancel, "
    rules = f"[{CARD}, risk: {{level: elevated}}}}, {signal} phrases: {{en: [cancel]}}}}]"
    assert {card.rule for card in cards(play(rules, "C: please cancel"))} == {"r", "s"}


@pytest.mark.parametrize(
    ("profile", "given", "wanted"),
    [
        ('customer.tier == "gold"', {"customer_tier": "gold"}, True),
        ('customer.tier == "gold"', {"customer_tier": "tin"}, False),
        ('customer.tier == "gold"', {}, False),
        ('customer.tier != "gold"', {}, False),
        ("double(call.attributes.balance) > 100.0", {"balance": "250"}, True),
        ('call.queue == "sales" && customer.id == "k"', {"queue": "sales", "customer_id": "k"}, True),
        ('call.attributes.exists(name, name == "vip")', {"vip": "1"}, True),
        ("has(call.agent)", {}, False),
    ],
)
def test_a_profile_condition_sees_what_was_told_at_the_start(
    play: Play, profile: str, given: dict[str, str], wanted: bool
) -> None:
    told = play(f"[{CARD}, profile: '{profile}'}}]", "C: hm", given=given)
    assert bool(cards(told)) is wanted
    assert not [each for each in told if isinstance(each, Degraded)]


@pytest.mark.parametrize("profile", ["int(customer.tier) > 1", "customer.tier", "customer.tier + 1 > 2"])
def test_a_profile_condition_that_cannot_be_calculated_is_told_and_is_no_silence(play: Play, profile: str) -> None:
    other = CARD.replace("id: r", "id: other")
    told = play(
        f"[{CARD}, profile: '{profile}'}}, {other}, phrases: {{en: [hm]}}}}]", "C: hm", given={"customer_tier": "gold"}
    )
    (failed,) = [each for each in told if isinstance(each, Degraded)]
    assert failed.reason.startswith("the rule r could not be run")
    assert [card.rule for card in cards(told)] == ["other"]


def test_several_hits_are_asked_for_and_counted_anew(play: Play) -> None:
    rule = f"[{CARD}, phrases: {{en: [ouch]}}, hits: {{at_least: 2, within_ms: 20000}}, once: always}}]"
    assert [
        card.at_ms for card in cards(play(rule, "C@0: ouch", "C@30: ouch", "C@40: ouch", "C@50: ouch", "C@60: ouch"))
    ] == [
        43_000,
        63_000,
    ]


EITHER = """
- id: leave
  kind: card
  speaker: customer
  priority: 500
  title: {en: Leaves}
  reason: {en: "{words}"}
  phrases: {en: ["(want|like) to cancel", close my account]}
  not_within: {en: ["cancel the meeting"]}
  intents: [cancel]
  either: true
"""


@pytest.mark.parametrize(
    ("line", "fires"),
    [
        ("C(cancel): take me off the list", True),
        ("C: take me off the list", False),
        ("C: I want to cancel", True),
        ("C(cancel): I want to cancel", True),
        ("C(cancel): I do not want to cancel", False),
        ("C(cancel): please do not close my account", False),
        ("C(cancel): can you cancel the meeting", False),
    ],
)
def test_where_words_are_denied_an_intent_does_not_count(play: Play, line: str, *, fires: bool) -> None:
    assert bool([each for each in play(EITHER, line) if isinstance(each, Card)]) is fires


def test_a_rule_rests_after_it_has_fired(play: Play) -> None:
    rule = f"[{CARD}, phrases: {{en: [ouch]}}, once: always, cooldown_ms: 20000}}]"
    assert [card.at_ms for card in cards(play(rule, "C@0: ouch", "C@10: ouch", "C@20: ouch", "C@30: ouch"))] == [
        3_000,
        23_000,
    ]


def test_a_task_has_its_time_and_a_webhook_its_receiver(play: Play) -> None:
    task = CARD.replace("kind: card", "kind: task, due_hours: 24") + ", phrases: {en: [call me]}}"
    hook = "{id: h, kind: webhook, webhook: crm, speaker: customer, priority: 1, text: {en: 'said {words}'}, "
    hook += "phrases: {en: [call]}}"
    told = play(f"[{task}, {hook}]", "C: call me back", given={"customer_id": "k"})
    (card,) = cards(told)
    assert (card.kind, card.due_hours, card.trigger) == (CardKind.TASK, 24, ("call me",))
    (webhook,) = [each for each in told if isinstance(each, Webhook)]
    assert (webhook.receiver, webhook.text, webhook.customer_id, webhook.id) == (
        "crm",
        "said call",
        "k",
        "example:h:example:customer:1000",
    )


def test_what_an_intent_gave_rise_to_is_told_in_the_customers_words(play: Play) -> None:
    (card,) = cards(play(f"[{CARD}, intents: [cancel]}}]", "C(cancel): that was it with us"))
    assert (card.trigger, card.reason) == (("that was it with us",), "that was it with us")


def test_a_measure_is_told(play: Play) -> None:
    rule = f"[{CARD}, measures: [{{name: silence_ms, at_least: 8000}}]}}]"
    (card,) = cards(play(rule, "A@0: x", "C@13: y", "A@20: z"))
    assert card.reason == "10"


AFTER = CARD.replace("speaker: customer, ", "") + ", after: true"


@pytest.mark.parametrize(
    ("conditions", "lines", "wanted"),
    [
        ("measures: [{name: non_talk_ms, at_least: 10000}]", ["A@0: x", "END@20"], True),
        ("measures: [{name: non_talk_ms, at_least: 10000}]", ["A@0: x", "END@5"], False),
        ("phrases: {en: [refund]}", ["C: refund", "A: ouch"], True),
        ("phrases: {en: [refund]}", ["C: hm", "A: ouch"], False),
        ("phrases: {en: [refund]}, hits: {at_least: 2}", ["C: refund", "A: ouch"], False),
        ("phrases: {en: [refund]}, hits: {at_least: 2}", ["C: refund", "A: refund"], True),
        ("risk: {score: 0.05}", ["C: hm"], True),
    ],
)
def test_a_rule_on_the_whole_call_fires_once_at_its_end(
    play: Play, conditions: str, lines: list[str], wanted: bool
) -> None:
    told = play(f"[{AFTER}, {conditions}}}]", *lines)
    assert bool(cards(told)) is wanted
    if wanted:
        assert cards(told)[0].at_ms == told[-1].at_ms  # type: ignore[union-attr]


NOT_SAID = CARD.replace("speaker: customer", "speaker: agent") + ", phrases: {en: [hello]}, not_said: "
AFTER_WORD = "{within_ms: 10000, after: {speaker: customer, phrases: {en: [why]}}}"


@pytest.mark.parametrize(
    ("asked", "lines", "at_ms"),
    [
        ("{within_ms: 30000}", ["A: hello", "C@60: hm"], None),
        ("{within_ms: 30000}", ["A: well", "C@60: hm"], 30_000),
        ("{within_ms: 30000}", ["A: well", "END@29"], None),
        ("{within_ms: 30000}", ["A: well", "END@31"], 30_000),
        ("{within_ms: 30000}", ["C@28: hm", "A@29: hello", "C@60: hm"], None),
        ("{within_ms: 30000}", ["C@28: hm", "C@32: hm", "A@29.9: hello"], None),
        ("{within_ms: 30000}", ["C@28: hm", "A@31: hello"], 30_000),
        ("{}", ["A: well", "A@90: hello"], None),
        ("{}", ["A: well", "END@20"], 20_000),
        (AFTER_WORD, ["C@0: why", "A@5: hello", "A@40: well"], None),
        (AFTER_WORD, ["C@0: why", "A@5: well", "A@40: well"], 13_000),
        (AFTER_WORD, ["A@0: hello", "C@5: why", "C@80: why"], 18_000),
        (AFTER_WORD, ["A@0: hello", "A@50: well"], None),
        (AFTER_WORD, ["C@0: why", "END@12"], None),
        (AFTER_WORD, ["C@0: why", "END@14"], 13_000),
        ("{after: {speaker: customer, intents: [cancel]}}", ["C(cancel): so", "END@14"], 14_000),
        ("{after: {speaker: customer, intents: [cancel]}}", ["C(cancel): so", "A@5: hello", "END@14"], None),
    ],
)
def test_what_was_not_said_in_its_time_fires_by_the_calls_own_time(
    play: Play, asked: str, lines: list[str], at_ms: int | None
) -> None:
    found = [card.at_ms for card in cards(play(f"[{NOT_SAID}{asked}}}]", *lines))]
    assert found == ([] if at_ms is None else [at_ms])


def test_a_silence_that_the_other_was_speaking_in_is_withdrawn(play: Play) -> None:
    rule = f"[{CARD}, measures: [{{name: silence_ms, at_least: 8000}}]}}]"
    first, *rest = [
        e for e in play(rule, "A@0: x", "C@12: hm", "A@10: a long story") if isinstance(e, Card | Withdrawn)
    ]
    assert isinstance(first, Card)
    assert first.provisional
    assert [each.card_id for each in rest if isinstance(each, Withdrawn)] == [first.id]
    assert len(rest) == 1


def test_a_silence_before_the_end_counts(play: Play) -> None:
    rule = f"[{CARD.replace('speaker: customer, ', '')}, measures: [{{name: silence_ms, at_least: 8000}}]}}]"
    (card,) = cards(play(rule, "A@0: x", "END@20"))
    assert (card.id, card.utterance_id) == ("example:r:end", "")


def test_what_was_not_shown_is_told_with_the_reason(play: Play) -> None:
    rule = f"[{CARD}, phrases: {{en: [dear]}}, offer: true, topics: [credit]}}]"
    offers = {"offers": {"not_about": ["credit"]}}
    assert [each.why for each in play(rule, "C: dear", more=offers) if isinstance(each, Withheld)] == ["topic"]
    cap = {"offers": {"per_call": 0}}
    assert [each.why for each in play(rule, "C: dear", more=cap) if isinstance(each, Withheld)] == ["cap"]
    consent = {"offers": {"consent": "marketing"}}
    assert [each.why for each in play(rule, "C: dear", more=consent) if isinstance(each, Withheld)] == ["consent"]
    assert cards(play(rule, "C: dear", more=consent, given={"marketing": "yes"}))
    assert not cards(play(rule, "C: dear", given={"no_offers_about": "cars, credit"}))


def test_what_is_urgent_is_shown_however_many_there_are_and_takes_its_place(play: Play) -> None:
    rules = ", ".join(
        f"{{id: {name}, kind: card, priority: {priority}, title: {{en: t}}, reason: {{en: r}}, once: always,"
        f" cooldown_ms: 1, phrases: {{en: [{name}]}}}}"
        for name, priority in (("urgent", 700), ("usual", 699))
    )
    lines = ("C@0: urgent", "C@4: urgent", "C@8: usual", "C@12: urgent", "C@80: usual")
    told = play(f"[{rules}]", *lines, more={"calm": {"cards_per_minute": 2, "always_from": 700}})
    assert [(one.rule, one.at_ms // 1000) for one in told if isinstance(one, Card)] == [
        ("urgent", 3), ("urgent", 7), ("urgent", 15), ("usual", 83),
    ]  # fmt: skip
    assert [(one.rule, one.why) for one in told if isinstance(one, Withheld)] == [("usual", "calm")]


def test_an_offer_waits_until_the_customer_is_calm_and_not_longer_than_it_may(play: Play) -> None:
    rule = f"[{CARD}, phrases: {{en: [dear]}}, offer: true}}]"
    (card,) = cards(play(rule, "C(angry): too dear", "C@20(anxious): hm", "C@40(neutral): well"))
    assert (card.at_ms, card.utterance_id) == (43_000, "example:customer:1000")
    told = play(rule, "C(angry): too dear", "C@90(neutral): well")
    assert not cards(told)
    assert [each.why for each in told if isinstance(each, Withheld)] == ["mood"]


def test_of_too_many_cards_the_least_important_are_left_out_and_may_come_later(play: Play) -> None:
    rules = ", ".join(
        f"{{id: r{n}, kind: card, speaker: customer, priority: {n}, title: {{en: t}}, reason: {{en: r}}, "
        f"compliance: {str(n == 0).lower()}, phrases: {{en: [ouch]}}}}"
        for n in range(4)
    )
    told = play(f"[{rules}]", "C@0: ouch", "C@70: ouch", more={"calm": {"cards_per_minute": 2}})
    assert [(card.rule, card.at_ms) for card in cards(told)] == [
        ("r0", 3_000), ("r2", 3_000), ("r3", 3_000), ("r1", 73_000),
    ]  # fmt: skip
    assert [(each.rule, each.why) for each in told if isinstance(each, Withheld)] == [("r1", "calm")]
