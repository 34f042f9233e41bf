"""
Who calls: the signature that Twilio puts on each request.

Source: https://www.twilio.com/docs/usage/security#validating-requests
"""

import base64
import hmac
from urllib.parse import urlsplit


def signature_is_valid(
    *, secret: str, public_url: str, path: str, signature: str | None, settings: str | None = None
) -> bool:
    """
    Check ``X-Twilio-Signature`` of an upgrade request.

    The signature of a URL never changes: whoever saw it may send it again. It proves who made the stream, not when.

    Args:
        secret: The account's auth token, or the shared key of the newer scheme.
        public_url: As Twilio was given it; never built from the Host header. Its path may be left out.
        path: Of the request, used where ``public_url`` has none.
        settings: The header ``X-Twilio-Webhooks-Signature-Settings``: ``key=...,algorithm=HMAC_SHA256`` in the newer
            scheme, absent in the older one.
    """
    if not secret or not signature or not signature.isascii():
        return False
    algorithm = _algorithm(settings)
    valid = False
    # All variants are tried, so that the time taken does not tell which one was meant.
    for url in _variants(public_url, path):
        digest = hmac.new(secret.encode(), url.encode(), algorithm).digest()
        valid |= hmac.compare_digest(base64.b64encode(digest).decode(), signature)
    return valid


def _algorithm(settings: str | None) -> str:
    pairs = (part.strip().partition("=") for part in (settings or "").split(","))
    named = {name.strip(): value.strip() for name, _, value in pairs}
    return "sha256" if named.get("algorithm") == "HMAC_SHA256" else "sha1"


def _variants(public_url: str, path: str) -> list[str]:
    """The ways in which Twilio is known to write one URL: with and without the default port and the last slash."""
    parts = urlsplit(public_url)
    where = parts.path if parts.path not in {"", "/"} else path
    hosts = {parts.netloc}
    if parts.port is None:
        hosts.add(f"{parts.netloc}:443")
    elif parts.port == 443:
        hosts.add(parts.netloc.removesuffix(":443"))
    return [f"{parts.scheme}://{host}{where.rstrip('/')}{slash}" for host in sorted(hosts) for slash in ("", "/")]
