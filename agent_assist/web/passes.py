"""Passes: who may see and do what, written into a token that the gateway can check alone."""

import hmac
import time
from enum import StrEnum
from typing import Any, Final

import jwt
import msgspec

AUDIENCE: Final = "warmline"
MOST_HOURS: Final = 24 * 31


class Role(StrEnum):
    """What somebody is here for."""

    AGENT = "agent"
    """Sees their own calls."""
    SENIOR = "senior"
    """An agent with more authority."""
    SUPERVISOR = "supervisor"
    """Sees all calls, speaks to agents."""
    EXPERT = "expert"
    """Sees all calls, answers agents."""
    QA = "qa"
    """Sees all calls, makes clips."""
    SWITCH = "switch"
    """A telephone system or a bot: asks whom to give a call to, hands over, and sees nothing of calls."""
    ADMIN = "admin"
    """Holds the token of the gateway, or as much."""


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody is, as far as the doors care."""

    role: Role
    name: str = ""
    """As others are shown it; of an agent their id, as the telephone side gives it with their calls."""
    expires_at: int | None = None
    """Seconds since the epoch; None of the gateway's own token, which does not expire."""

    def __post_init__(self) -> None:
        if self.of_agent and not self.name:
            raise ValueError(f"expected the id of the {self.role}, got none")

    @property
    def of_agent(self) -> bool:
        return self.role in {Role.AGENT, Role.SENIOR}

    def may_see(self, agent_id: str | None) -> bool:
        """Whether the calls of an agent are theirs to see."""
        return self.role is not Role.SWITCH and (not self.of_agent or agent_id == self.name)


ADMIN: Final = Pass(role=Role.ADMIN)


def issue(token: str, who: Pass) -> str:
    """
    Write a pass.

    Args:
        token: Of the gateway; who changes it calls back all passes.

    Source: RFC 7519, with HMAC-SHA256.
    """
    assert who.expires_at is not None, "a pass expires"
    claims = {"aud": AUDIENCE, "role": who.role.value, "name": who.name, "exp": who.expires_at}
    return jwt.encode(claims, _key(token), algorithm="HS256")


def read(token: str, given: str) -> Pass | None:
    """Whose a token is; None where it is not ours, was changed, or has expired."""
    if hmac.compare_digest(given.encode(), token.encode()):
        return ADMIN
    try:
        claims: dict[str, Any] = jwt.decode(
            given, _key(token), algorithms=["HS256"], audience=AUDIENCE, options={"require": ["exp", "aud"]}
        )
        return msgspec.convert(
            {"role": claims.get("role"), "name": claims.get("name"), "expires_at": claims["exp"]}, Pass
        )
    except (jwt.InvalidTokenError, msgspec.ValidationError):
        return None


def lasting(role: Role, name: str, hours: float) -> Pass:
    """
    A pass from now on.

    Raises:
        ValueError: If it names no agent where it has to, or lasts longer than a month.
    """
    if not 0 < hours <= MOST_HOURS:
        raise ValueError(f"expected hours above 0 and up to {MOST_HOURS}, got {hours:g}")
    return Pass(role=role, name=name, expires_at=int(time.time() + hours * 3600))


def _key(token: str) -> bytes:
    return hmac.digest(token.encode(), b"warmline pass", "sha256")
