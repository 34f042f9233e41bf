"""A receiver of webhooks on a real port, which does as it is told."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Inbox:
    """What came in, and what to answer next; at the end of the list, 204."""

    url: str = ""
    answers: list[int | tuple[int, dict[str, str]] | Callable[[], None]] = field(default_factory=list)
    letters: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> list[str]:
        return [given["webhook-id"] for given, _ in self.letters]


class Handler(BaseHTTPRequestHandler):
    inbox: Inbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        inbox = self.inbox
        with inbox.lock:
            inbox.letters.append(({name.lower(): value for name, value in self.headers.items()}, body))
            answer = inbox.answers.pop(0) if inbox.answers else 204
        if callable(answer):
            answer()
            self.close_connection = True
            return
        status, more = answer if isinstance(answer, tuple) else (answer, {})
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


def opened() -> Iterator[Inbox]:
    inbox = Inbox()
    handler = type("Bound", (Handler,), {"inbox": inbox})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    inbox.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield inbox
    inbox.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    yield from opened()


@pytest.fixture
def other_inbox() -> Iterator[Inbox]:
    yield from opened()


@pytest.fixture
def silence() -> Callable[[Inbox], Callable[[], None]]:
    """An answer that never comes while the receiver is open."""
    return lambda inbox: lambda: (inbox.closing.wait(20), time.sleep(0))[1]
