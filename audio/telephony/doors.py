"""Which protocols are spoken, and on which path."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from websockets.http11 import Request

from audio.telephony.signature import signature_is_valid
from audio.telephony.sink import MediaPolicy
from audio.telephony.twilio import TwilioStream
from audio.telephony.types import Adapter


@dataclass(frozen=True, slots=True)
class Door:
    """One path."""

    adapter: Callable[[], Adapter]
    """A new one for each connection."""
    admits: Callable[[Request], bool]
    """Whether the upgrade request proves who calls, where the protocol has a way to."""


def doors(policy: MediaPolicy) -> Mapping[str, Door]:
    """All doors by path."""
    return {"/v1/twilio": Door(TwilioStream, partial(_signed_by_twilio, policy))}


def path_of(request: Request) -> str:
    """Without a query, which Twilio does not send, and without a last slash."""
    return request.path.partition("?")[0].rstrip("/")


def _signed_by_twilio(policy: MediaPolicy, request: Request) -> bool:
    if policy.twilio_auth_token is None:
        return True
    signatures = request.headers.get_all("X-Twilio-Signature")
    settings = request.headers.get_all("X-Twilio-Webhooks-Signature-Settings")
    return (
        len(signatures) == 1
        and len(settings) <= 1
        and signature_is_valid(
            secret=policy.twilio_auth_token,
            public_url=policy.public_url or "",
            path=path_of(request),
            signature=signatures[0],
            settings=next(iter(settings), None),
        )
    )
