"""Twilio's signatures, with Twilio's own signer as the oracle."""

import pytest
from twilio.request_validator import RequestValidator

from audio.telephony.signature import signature_is_valid

SECRET = "12345678901234567890123456789012"
PATH = "/v1/twilio"


def sign(url: str, algorithm: str | None = None, secret: str = SECRET) -> str:
    return str(RequestValidator(secret).compute_signature(url, {}, algorithm=algorithm))


def valid(public_url: str, signature: str | None, settings: str | None = None, secret: str = SECRET) -> bool:
    return signature_is_valid(secret=secret, public_url=public_url, path=PATH, signature=signature, settings=settings)


@pytest.mark.parametrize("configured", ["wss://calls.example", "wss://calls.example/", "wss://calls.example/v1/twilio"])
@pytest.mark.parametrize(
    "signed",
    [
        "wss://calls.example/v1/twilio",
        "wss://calls.example/v1/twilio/",
        "wss://calls.example:443/v1/twilio",
        "wss://calls.example:443/v1/twilio/",
    ],
)
def test_the_ways_to_write_one_url_are_one(configured: str, signed: str) -> None:
    assert valid(configured, sign(signed))
    assert valid("wss://calls.example:443/v1/twilio", sign(signed))


def test_a_url_with_another_port_or_path_is_signed_as_it_is() -> None:
    assert valid("wss://calls.example:8443/media/twilio", sign("wss://calls.example:8443/media/twilio"))
    assert not valid("wss://calls.example:8443/media/twilio", sign("wss://calls.example/media/twilio"))


def test_the_newer_scheme_is_told_by_its_header() -> None:
    signature = sign("wss://calls.example/v1/twilio", "HMAC_SHA256")
    assert valid("wss://calls.example", signature, "key=SK1,algorithm=HMAC_SHA256")
    assert valid("wss://calls.example", signature, "algorithm=HMAC_SHA256, key=SK1")
    assert not valid("wss://calls.example", signature)
    assert not valid("wss://calls.example", signature, "key=SK1,algorithm=HMAC_SHA1")
    assert not valid("wss://calls.example", sign("wss://calls.example/v1/twilio"), "algorithm=HMAC_SHA256")


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "=",
        "AAAA",
        "ümlaut",
        sign("wss://calls.example/v1/twilio")[:-2],
        sign("wss://calls.example/v1/twilio") + "A",
        sign("wss://evil.example/v1/twilio"),
        sign("ws://calls.example/v1/twilio"),
        sign("wss://calls.example/v1/twilio?x=1"),
        sign("wss://calls.example/v1/twilio", secret="other"),
    ],
)
def test_any_other_signature_is_refused(signature: str | None) -> None:
    assert not valid("wss://calls.example", signature)


def test_an_empty_secret_lets_nobody_in() -> None:
    assert not valid("wss://calls.example", sign("wss://calls.example/v1/twilio", secret=""), secret="")
