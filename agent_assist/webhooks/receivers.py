"""Who is told of what: receivers in a YAML file, their secrets elsewhere."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
import yaml

from agent_assist.errors import ReceiverError
from agent_assist.store.following import Wanted

_PREFIX: Final = "whsec_"
_LEAST_BYTES: Final = 24

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
EventName = Literal["rule.fired", "alert.raised", "alert.changed", "task.created", "call.summarised"]


class Secret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a secret stands: a variable of the environment, or a file."""

    env: str | None = None
    file: Path | None = None


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A receiver as the file has it."""

    name: Name
    """As rules name it."""
    url: Annotated[str, msgspec.Meta(pattern=r"^https?://")]
    secrets: Annotated[tuple[Secret, ...], msgspec.Meta(min_length=1, max_length=4)]
    """Each signs: while a secret is replaced, the old one stands beside the new one."""
    events: tuple[EventName, ...] = ("rule.fired",)
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10.0


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    receivers: tuple[Written, ...]


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver, ready to be told."""

    name: str
    url: str
    keys: tuple[bytes, ...]
    events: tuple[EventName, ...]
    timeout_s: float
    """For the whole of an attempt."""

    def __repr__(self) -> str:
        return f"Receiver({self.name})"


def load(path: Path, environment: Mapping[str, str]) -> tuple[Receiver, ...]:
    """
    Read the receivers.

    Args:
        environment: In which secrets are looked up.

    Raises:
        ReceiverError: If the file or a secret cannot be used; it never tells a secret.
    """
    return tuple(
        Receiver(
            name=one.name,
            url=one.url,
            keys=tuple(_key(path, one.name, secret, environment) for secret in one.secrets),
            events=one.events,
            timeout_s=one.timeout_s,
        )
        for one in read(path)
    )


def read(path: Path) -> tuple[Written, ...]:
    """
    The file, without the secrets: for who writes what is to be sent, and does not send it.

    Raises:
        ReceiverError: If it cannot be used.
    """
    try:
        written = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), File, dec_hook=_path).receivers
    except (OSError, yaml.YAMLError, msgspec.ValidationError, ValueError, RecursionError) as error:
        raise ReceiverError(str(path), "receivers with name, url and secrets", str(error)) from error
    names = [one.name for one in written]
    if len(set(names)) != len(names):
        raise ReceiverError(str(path), "receivers of different names", ", ".join(names))
    return written


def wanted(receivers: Sequence[Receiver | Written]) -> Wanted:
    """What the store is to keep for them."""
    events = {event for one in receivers for event in one.events} | {"rule.fired"}
    return Wanted(
        frozenset(one.name for one in receivers),
        {event: [one.name for one in receivers if event in one.events] for event in sorted(events)},
    )


def _path(kind: type, value: object) -> Path:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"expected a path, got {type(value).__name__}")


def _key(path: Path, name: str, secret: Secret, environment: Mapping[str, str]) -> bytes:
    match secret:
        case Secret(env=str(variable), file=None):
            place, text = f"the variable {variable}", environment.get(variable, "")
        case Secret(env=None, file=Path() as file):
            place = str(file)
            try:
                text = (path.parent / file).read_text(encoding="utf-8")
            except OSError as error:
                raise ReceiverError(str(path), f"a secret of {name} in {place}", type(error).__name__) from error
        case _:
            raise ReceiverError(str(path), f"each secret of {name} in env or in file", "both or neither")
    try:
        key = base64.b64decode(text.strip().removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not text.strip().startswith(_PREFIX) or len(key) < _LEAST_BYTES:
        raise ReceiverError(
            str(path),
            f"{_PREFIX} and at least {_LEAST_BYTES} bytes in base64 as a secret of {name}",
            f"none in {place}",
        )
    return key
