"""Rewriting by a language model: against a real server, honest and hostile; nothing that was not said gets through."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from agent_assist.advice.facts import unsupported
from agent_assist.advice.rewrite import Rewriter
from agent_assist.types import CallSynopsis, SynopsisPart, SynopsisSentence

ENGLISH = (
    "The customer called about this: I would like to cancel my plan at the end of this month.",
    "The agent said what was done or offered: I can move you to our loyalty plan, which is twenty percent cheaper.",
    "The agent promised: I will check your line tomorrow (by 2026-11-26 23:59).",
    "The customer answered: Okay, great, then I will stay.",
)
CHINESE = (
    "客户来电：我上周买的空气净化器，到现在还没有收到。",
    "客服处理：我查到您的包裹在中转仓延误了，同时补偿您一张五十元的优惠券。",
    "客服承诺：明天中午之前一定送到（2026-11-26 12:00前）。",
    "客户回应：谢谢你，这次态度还不错。",
)
GOOD = (
    "The customer wanted to cancel the plan at the end of this month. The agent offered to move the customer to the "
    "loyalty plan, which is 20% cheaper, and will check the line tomorrow. The customer will stay."
)
GOOD_ZH = (
    "客户上周买的空气净化器还没有收到。包裹在中转仓延误了，客服补偿一张50元的优惠券，承诺"
    "明天中午之前一定送到。客户谢谢，说这次态度还不错。"
)


def synopsis(sentences: tuple[str, ...] = ENGLISH, language: str = "en") -> CallSynopsis:
    return CallSynopsis(
        call_id="c",
        at_ms=60_000,
        language=language,
        sentences=tuple(
            SynopsisSentence(part=SynopsisPart.ISSUE, text=text, utterance_ids=("u",)) for text in sentences
        ),
        text=" ".join(sentences),
        over=True,
    )


class Endpoint:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[dict[str, Any]] = []
        self.answers: list[Callable[[BaseHTTPRequestHandler], None]] = []


def says(text: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return raw(json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode())


def raw(body: bytes, status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(door: BaseHTTPRequestHandler) -> None:
        door.send_response(status)
        door.send_header("Content-Length", str(len(body)))
        door.end_headers()
        door.wfile.write(body)

    return answer


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.asked.append(
                {"path": self.path, "key": self.headers["Authorization"], **json.loads(body)},
            )
            with suppress(BrokenPipeError, ConnectionResetError):
                found.answers.pop(0)(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    found = Endpoint(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def rewritten(
    endpoint: Endpoint, *answers: Callable[[BaseHTTPRequestHandler], None], of: CallSynopsis | None = None
) -> CallSynopsis:
    endpoint.answers = [*answers]
    return Rewriter(endpoint.url, "small", key="k", timeout_s=2.0).rewrite(of or synopsis())


def test_a_text_that_adds_nothing_is_taken_and_the_sentences_stay(endpoint: Endpoint) -> None:
    found = rewritten(endpoint, says(GOOD))
    assert (found.text, found.rewritten, found.rejected) == (GOOD, True, "")
    assert found.sentences == synopsis().sentences
    [asked] = endpoint.asked
    assert (asked["path"], asked["key"], asked["model"]) == ("/v1/chat/completions", "Bearer k", "small")
    assert all(text in asked["messages"][1]["content"] for text in ENGLISH)


def test_a_chinese_one_likewise(endpoint: Endpoint) -> None:
    found = rewritten(endpoint, says(GOOD_ZH), of=synopsis(CHINESE, "zh"))
    assert (found.rejected, found.rewritten) == ("", True)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (GOOD + " The agent will also refund 30 dollars.", "a number"),
        (GOOD.replace("20%", "50%"), "a number"),
        (GOOD.replace("20%", "20 dollars"), "a number"),
        (GOOD.replace("tomorrow", "on Friday"), "a time"),
        (GOOD + " Bob Miller took over the case.", "a name"),
        (GOOD + " The agent will waive the cancellation fee.", "a promise"),
        (GOOD.replace("will check the line", "will not check the line"), "a promise"),
        (GOOD + " They agreed that the weather had been lovely, with sunshine over beaches.", "a promise"),
        (GOOD + " The weather had been lovely, with sunshine over beaches.", "a sentence"),
        (GOOD + " See https://evil.example.", "an address"),
        (GOOD * 20, "too long"),
        ("", "answered nothing"),
        ("\x00" + GOOD, "no text"),
    ],
)
def test_a_text_that_adds_something_is_not_taken(endpoint: Endpoint, answer: str, why: str) -> None:
    found = rewritten(endpoint, says(answer))
    assert why in found.rejected
    assert (found.text, found.rewritten) == (synopsis().text, False)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (GOOD_ZH.replace("50元", "500元"), "a number"),
        (GOOD_ZH.replace("50元", "五百元"), "a number"),
        (GOOD_ZH.replace("明天中午", "后天中午"), "a time"),
        (GOOD_ZH + "由王经理负责。", "a name"),
        (GOOD_ZH + "客服承诺免除全部运费。", "a promise"),
        (GOOD_ZH + "双方还讨论了足球比赛与旅游计划。", "a sentence"),
    ],
)
def test_nor_is_a_chinese_one(endpoint: Endpoint, answer: str, why: str) -> None:
    found = rewritten(endpoint, says(answer), of=synopsis(CHINESE, "zh"))
    assert why in found.rejected
    assert found.rewritten is False


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (raw(b"{"), "something else"),
        (raw(b"\xff\xfe"), "something else"),
        (raw(b'{"choices": []}'), "nothing"),
        (raw(b'{"choices": [{"message": {"content": 5}}]}'), "something else"),
        (raw(b'{"error": "no"}', 401), "401"),
        (raw(b"", 302), "302"),
        (raw(b"[" * 60_000), "something else"),
        (raw(b"x" * 200_000), "too much"),
    ],
)
def test_an_answer_that_is_none_leaves_the_text_and_says_why(
    endpoint: Endpoint, answer: Callable[[BaseHTTPRequestHandler], None], why: str
) -> None:
    found = rewritten(endpoint, answer)
    assert why in found.rejected
    assert (found.text, found.rewritten) == (synopsis().text, False)
    assert len(endpoint.asked) == 1


def test_a_server_that_fails_is_asked_once_more(endpoint: Endpoint) -> None:
    assert rewritten(endpoint, raw(b"", 503), says(GOOD)).rewritten
    assert "503" in rewritten(endpoint, raw(b"", 503), raw(b"", 503)).rejected
    assert len(endpoint.asked) == 4


def test_an_answer_that_drips_or_does_not_come_is_given_up(endpoint: Endpoint) -> None:
    over = threading.Event()

    def never(_: BaseHTTPRequestHandler) -> None:
        over.wait(20)

    def drips(door: BaseHTTPRequestHandler) -> None:
        door.send_response(200)
        door.end_headers()
        for _ in range(400):
            door.wfile.write(b" ")
            door.wfile.flush()
            if over.wait(0.05):
                return

    for answer in (never, drips):
        endpoint.answers = [answer]
        found = Rewriter(endpoint.url, "small", timeout_s=0.3).rewrite(synopsis())
        assert found.rejected == "the endpoint took too long"
    over.set()


def test_where_nobody_listens_the_text_stays() -> None:
    found = Rewriter("http://127.0.0.1:9/v1", "small", timeout_s=1.0).rewrite(synopsis())
    assert "could not be asked" in found.rejected
    assert found.text == synopsis().text


def test_what_the_sources_say_themselves_is_supported() -> None:
    for sources, language in ((ENGLISH, "en"), (CHINESE, "zh")):
        for text in sources:
            assert unsupported(text, sources, language) == ""
