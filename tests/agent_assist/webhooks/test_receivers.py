"""Receivers and secrets: refused before anything runs, and signatures as others check them."""

import base64
import hmac
from pathlib import Path

import pytest

from agent_assist.errors import ReceiverError
from agent_assist.webhooks.receivers import load, wanted
from agent_assist.webhooks.signing import headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = base64.b64decode(SECRET.removeprefix("whsec_"))
FILE = """
receivers:
  - {name: crm, url: "https://crm.example/hooks", secrets: [{env: CRM}, {file: old.secret}], timeout_s: 3}
  - {name: board, url: "http://10.0.0.5/alerts", secrets: [{env: CRM}], events: [alert.raised, call.summarised]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "old.secret").write_text("whsec_" + base64.b64encode(b"o" * 24).decode() + "\n")
    (tmp_path / "receivers.yaml").write_text(FILE)
    return tmp_path / "receivers.yaml"


def test_receivers_are_read_with_their_secrets_from_where_they_stand(path: Path) -> None:
    crm, board = load(path, {"CRM": SECRET})
    assert (crm.name, crm.url, crm.keys, crm.timeout_s) == ("crm", "https://crm.example/hooks", (KEY, b"o" * 24), 3.0)
    assert (crm.events, board.events) == (("rule.fired",), ("alert.raised", "call.summarised"))
    assert repr(crm) == "Receiver(crm)"
    told = wanted((crm, board))
    assert (set(told.names), told.by_event["alert.raised"], told.by_event["rule.fired"]) == (
        {"crm", "board"}, ["board"], ["crm"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "environment", "expected"),
    [
        (("", ""), {}, "24 bytes"),
        (("", ""), {"CRM": "whsec_c2hvcnQ="}, "24 bytes"),
        (("", ""), {"CRM": SECRET.removeprefix("whsec_")}, "whsec_"),
        (("{env: CRM}, ", "{env: CRM, file: x}, "), {"CRM": SECRET}, "in env or in file"),
        (("old.secret", "gone.secret"), {"CRM": SECRET}, "gone.secret"),
        (("https://crm", "ftp://crm"), {"CRM": SECRET}, "url"),
        (("name: board", "name: crm"), {"CRM": SECRET}, "different names"),
        (("alert.raised", "alert.razed"), {"CRM": SECRET}, "alert.razed"),
        (("timeout_s: 3", "timeout: 3"), {"CRM": SECRET}, "timeout"),
        (("receivers:", "receivers: ["), {"CRM": SECRET}, "receivers"),
    ],
)
def test_what_cannot_be_used_is_told_without_a_secret(
    path: Path, change: tuple[str, str], environment: dict[str, str], expected: str
) -> None:
    path.write_text(FILE.replace(*change, 1))
    with pytest.raises(ReceiverError) as caught:
        load(path, environment)
    assert expected in str(caught.value)
    assert "c2hvcnQ" not in str(caught.value)
    assert "MfKQ" not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReceiverError, match="No such file"):
        load(tmp_path / "none.yaml", {})


def test_the_signature_is_that_of_the_specifications_example() -> None:
    given = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [KEY])
    assert given == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_replaced_either_opens_the_message() -> None:
    both = headers("msg_1", 5, b"{}", [KEY, b"old" * 8])["webhook-signature"].split(" ")
    plain = [base64.b64encode(hmac.digest(key, b"msg_1.5.{}", "sha256")).decode() for key in (KEY, b"old" * 8)]
    assert both == [f"v1,{one}" for one in plain]
