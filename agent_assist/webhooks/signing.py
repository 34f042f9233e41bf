"""
Signatures of webhooks.

Source: Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
from collections.abc import Iterable


def headers(message_id: str, at: int, body: bytes, keys: Iterable[bytes]) -> dict[str, str]:
    """
    The headers of one attempt.

    Args:
        at: Seconds since the epoch, of this attempt: a receiver refuses what is old.
        keys: Each signs; a receiver takes what one of its own has signed.
    """
    signed = f"{message_id}.{at}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
