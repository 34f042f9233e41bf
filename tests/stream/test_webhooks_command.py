"""``warmline webhooks``: what was given up is shown, and sent again on demand."""

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from agent_assist.store.calls import CallStore
from agent_assist.store.following import Wanted
from agent_assist.types import Webhook
from stream.cli import app
from stream.commands.webhooks import SentWebhooks


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """With a message to one that is set, and two to one that is not."""
    store = CallStore(f"sqlite:///{tmp_path / 'warmline.db'}", Wanted({"crm"}, {"rule.fired": ["crm"]}))
    store.upgrade()
    for number, receiver in enumerate(("crm", "old", "old")):
        told = Webhook(
            id=f"c:rule:{number}",
            call_id="c",
            rule="rule",
            receiver=receiver,
            at_ms=0,
            utterance_id="u",
            title="t",
            text="x",
            language="en",
            customer_id=None,
        )
        store.write([told], {})
    store.close()
    return tmp_path


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["webhooks", *arguments, "--home", str(home)])


def states(home: Path, *arguments: str) -> list[tuple[int, str, str]]:
    found = msgspec.json.decode(run(home, "list", "--json", *arguments).stdout, type=SentWebhooks)
    return [(one.seq, one.receiver, one.state) for one in found.webhooks]


def test_what_was_told_is_listed_the_newest_first(home: Path) -> None:
    assert states(home) == [(3, "old", "dead"), (2, "old", "dead"), (1, "crm", "waiting")]
    assert states(home, "--state", "waiting") == states(home, "--receiver", "crm") == [(1, "crm", "waiting")]
    shown = run(home, "list", "--state", "dead")
    assert shown.exit_code == 0
    assert "rule.fired" in shown.stdout


def test_one_dead_letter_or_all_are_sent_again(home: Path) -> None:
    assert run(home, "retry", "2").stdout == "1 to be sent again\n"
    assert states(home, "--state", "dead") == [(3, "old", "dead")]
    assert run(home, "retry", "--receiver", "crm").stdout == "0 to be sent again\n"
    assert run(home, "retry").stdout == "1 to be sent again\n"
    assert states(home, "--state", "dead") == []
