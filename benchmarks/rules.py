"""
What rules cost: ms of one core for an utterance, against their number, beside trying every rule's words in turn.

The rules are made, not copied: each asks for a few phrases of its own over a vocabulary of things, faults and wishes,
in both languages; one in four asks besides for what the others of a real playbook ask for (measures, emotions, intents,
what was not said, the profile, risk, windows, cooldowns). Utterances are those of the sample calls and of the sets of
intents, in calls of twenty. Beside them, in the same run: the same rules with no look at which of them may be met. What
both tell must be the same.
"""

import csv
import json as parse
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table

from agent_assist.advice.evidence import Evidence
from agent_assist.advice.matching import Ready
from agent_assist.advice.playbook import Playbook
from agent_assist.advice.rules import Listening
from agent_assist.call.assistant import Assistant
from agent_assist.call.state import CallState
from agent_assist.types import Card, Webhook
from agent_assist.types import Final as FinalEvent
from audio.types import Channel
from benchmarks.environment import Environment, Spread, environment, report, spread
from models.types import Emotion, EmotionLabel, Utterance
from stream.errors import StreamError

SIZES: Final = (50, 100, 500, 2_000)
_SEED: Final = 17
_DATA: Final = Path(__file__).resolve().parents[1] / "tests" / "data"
_CALLS: Final = ("zh_late_order", "en_cancel_plan")
_SENTENCES: Final = ("intents_zh.csv", "intents_en.csv")
_A_CALL: Final = 20
_TIMES: Final = 3
_TARGET_MS: Final = 1.0
_THINGS: Final = {
    "zh": [
        "订单", "快递", "包裹", "发票", "套餐", "宽带", "路由器", "账号", "密码", "会员", "积分", "优惠券",
        "退款", "保险", "合同", "流量", "话费", "机顶盒", "手机", "电池", "屏幕", "耳机", "运费", "地址",
        "客服", "门店", "预约", "维修", "保修", "安装",
    ],
    "en": [
        "order", "parcel", "invoice", "plan", "broadband", "router", "account", "password", "membership",
        "points", "voucher", "refund", "insurance", "contract", "data", "bill", "modem", "phone", "battery",
        "screen", "headset", "postage", "address", "agent", "store", "appointment", "repair", "warranty",
        "setup", "delivery",
    ],
}  # fmt: skip
_ASKS: Final = {
    "zh": [
        "{x}*(坏了|用不了|打不开)",
        "(没|没有)收到*{x}",
        "(查|查询|问)*{x}",
        "(换|更换|修改)*{x}",
        "{x}*(太贵|贵了|多少钱)",
        "(投诉|举报)*{x}",
        "{x}*(丢了|不见了|找不到)",
        "什么时候*{x}",
        "(取消|不要)*{x}",
        "{x}*(慢|太慢|很久)",
    ],
    "en": [
        "{x} * (broken|not working|does not work)",
        "(never|not) (got|received|get) * {x}",
        "(check|ask|know) * {x}",
        "(change|update|replace) * {x}",
        "{x} * (expensive|too much|cost)",
        "(complain|complaint) * {x}",
        "{x} * (lost|missing|gone)",
        "when * {x}",
        "(cancel|stop|end) * {x}",
        "{x} * (slow|late|long)",
    ],
}


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """One number of rules."""

    rules: int
    ready_ms: float
    """To make a playbook of them ready, once."""
    ms: Spread
    """Of one core for an utterance, with state, measures, risk and all."""
    without_rules_ms: float
    """The same with no rules at all, median."""
    each_in_turn_ms: Spread
    """With every rule's words tried."""
    fired: int
    """Cards, ticks, alerts and the like told, the same both ways."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the benchmark writes."""

    environment: Environment
    utterances: int
    calls: int
    target_ms: float
    sizes: tuple[Size, ...]


def rules(count: int, seed: int = _SEED) -> list[dict[str, Any]]:
    """Rules as a playbook's file has them."""
    chance = random.Random(seed)
    return [_rule(number, chance) for number in range(count)]


def _rule(number: int, chance: random.Random) -> dict[str, Any]:
    phrases = {
        language: sorted(
            {chance.choice(_ASKS[language]).replace("{x}", chance.choice(things)) for _ in range(chance.randint(2, 6))}
        )
        for language, things in _THINGS.items()
    }
    rule: dict[str, Any] = {
        "id": f"rule_{number}",
        "kind": chance.choice(("card", "card", "card", "tick", "alert")),
        "speaker": chance.choice(("customer", "customer", "agent")),
        "priority": chance.randint(1, 999),
        "title": {"zh": f"规则 {number}", "en": f"Rule {number}"},
        "text": {"zh": "照此办理", "en": "Do so"},
        "reason": {"zh": "说了:{words}", "en": "Said: {words}"},
        "phrases": phrases,
    }
    match chance.randrange(32):
        case 0:
            rule |= {"speaker": "customer", "emotions": ["angry", "anxious"], "least_confidence": 0.5}
        case 1:
            rule |= {"speaker": "customer", "intents": ["cancel", "refund"], "either": True}
        case 2:
            rule |= {"measures": [{"name": "talk_share", "speaker": "agent", "at_least": 0.7}]}
        case 3:
            rule |= {"not_said": {"within_ms": 60_000}}
        case 4:
            rule |= {"profile": 'call.queue == "sales"'}
        case 5:
            rule |= {"risk": {"level": "elevated"}, "speaker": "customer"}
        case 6:
            rule |= {"once": "always", "cooldown_ms": 30_000}
        case 7:
            rule |= {"window": {"after_ms": 10_000}, "unless": {"zh": ["不用了"], "en": ["never mind"]}}
    return rule


def playbook(count: int) -> Playbook:
    """A playbook of so many, without a cap on cards: each that fires is told."""
    return msgspec.convert({"name": "bench", "version": "1", "rules": rules(count)}, Playbook)


def utterances() -> Iterator[list[Utterance]]:
    """Calls: the two samples, and sentences of the sets of intents, twenty a call."""
    for name in _CALLS:
        turns = parse.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))["turns"]
        yield [
            _said(n, turn["speaker"], turn["text"], name[:2], round(turn["start"] * 1000), round(turn["end"] * 1000))
            for n, turn in enumerate(turns)
        ]
    for name in _SENTENCES:
        with (_DATA / name).open(encoding="utf-8", newline="") as file:
            texts = [row["text"] for row in csv.DictReader(file)]
        for start in range(0, len(texts) - _A_CALL + 1, _A_CALL):
            yield [
                _said(n, "customer" if n % 4 else "agent", text, name[8:10], 4_000 * n, 4_000 * n + 3_000)
                for n, text in enumerate(texts[start : start + _A_CALL])
            ]


def _said(number: int, speaker: str, text: str, language: str, start_ms: int, end_ms: int) -> Utterance:
    label, agitation = ((EmotionLabel.NEUTRAL, 0.1), (EmotionLabel.ANGRY, 0.7))[number % 3 == 1]
    emotion = Emotion(label=label, valence=-agitation, arousal=agitation, agitation=agitation, confidence=0.7)
    return Utterance(
        id=f"{speaker}:{start_ms}",
        channel=Channel(speaker),
        number=number,
        start_ms=start_ms,
        end_ms=end_ms,
        text=text,
        language=language,
        confidence=1.0,
        words=(),
        sentiment=None,
        emotion=emotion if speaker == Channel.CUSTOMER else None,
        loudness_dbfs=None,
    )


def each_in_turn(assistant: Assistant) -> Assistant:
    """The same without the look at which rules may be met: every rule is tried, and all its words."""
    rules = assistant._rules
    rules._index.standing = lambda _: set(rules._index.sources)  # type: ignore[method-assign]
    for listening in (*rules._live.values(), *rules._risky.values(), *rules._after_of.values()):
        listening.heard = partial(_all, listening)  # type: ignore[method-assign]
    return assistant


def _all(listening: Listening, evidence: Evidence, utterance: Utterance) -> list[Ready]:  # noqa: ARG001 - of the method
    return listening._rules


def timed(assistant: Assistant, calls: Sequence[Sequence[Utterance]]) -> tuple[list[float], list[str]]:
    """Milliseconds of each utterance, and the ids of all that was told of rules."""
    times: list[float] = []
    told: list[str] = []
    for number, call in enumerate(calls):
        state: CallState | None = None
        for utterance in call:
            event = FinalEvent(call_id=str(number), utterance=utterance)
            start = time.process_time_ns()
            state, new = assistant.step(state, event)
            times.append((time.process_time_ns() - start) / 1e6)
            told += [one.id for one in new if isinstance(one, Card | Webhook)]
    return times, told


def measure(count: int, calls: Sequence[Sequence[Utterance]], bare_ms: float) -> Size:
    """All figures of one number of rules; of three runs the second and third count."""
    start = time.process_time()
    assistant = Assistant(playbook(count))
    ready_ms = 1000 * (time.process_time() - start)
    plain = each_in_turn(Assistant(playbook(count)))
    fast, slow = [], []
    for _ in range(_TIMES):
        fast.append(timed(assistant, calls))
        slow.append(timed(plain, calls))
    if fast[0][1] != slow[0][1]:
        raise StreamError(f"expected the same from {count} rules with and without a look ahead, got different cards")
    return Size(
        rules=count,
        ready_ms=round(ready_ms),
        ms=spread([ms for run, _ in fast[1:] for ms in run], 3),
        without_rules_ms=bare_ms,
        each_in_turn_ms=spread([ms for run, _ in slow[1:] for ms in run], 3),
        fired=len(fast[0][1]),
    )


def run(*, sizes: Sequence[int], out: Path | None, json: bool) -> None:
    """Measure and print."""
    calls = list(utterances())
    one = msgspec.convert({"name": "bench", "version": "1", "rules": rules(1)}, Playbook)
    bare = Assistant(msgspec.structs.replace(one, rules=()))
    timed(bare, calls)
    bare_ms = round(statistics.median(timed(bare, calls)[0]), 3)
    options = "".join(f" --rules {size}" for size in sizes)
    result = Result(
        environment=environment(f"warmline bench rules{options}", ("google-re2",)),
        utterances=sum(map(len, calls)),
        calls=len(calls),
        target_ms=_TARGET_MS,
        sizes=tuple(measure(size, calls, bare_ms) for size in sizes),
    )
    report(result, out=out, json=json, show=_show)


def _show(result: Result, console: Console) -> None:
    table = Table(title=f"Rules, {result.utterances} utterances", box=None, padding=(0, 1, 0, 0))
    for heading in ("rules", "ready ms", "p50 ms", "p95", "p99", "max", "no rules", "in turn p50", "p95", "fired"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in result.sizes:
        ms, turn = one.ms, one.each_in_turn_ms
        figures = (ms.p50, ms.p95, ms.p99, ms.max, one.without_rules_ms, turn.p50, turn.p95)
        table.add_row(str(one.rules), f"{one.ready_ms:.0f}", *(f"{figure:.2f}" for figure in figures), str(one.fired))
    console.print(table)
    console.print(f"ms of one core for an utterance; the goal is {result.target_ms:.0f} ms with 500 rules")
