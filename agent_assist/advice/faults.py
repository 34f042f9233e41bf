"""All that is wrong with values read from a file, not only what a decoder meets first."""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec
import yaml

Place = tuple[str | int, ...]
"""Keys and numbers that lead to a value."""

_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]|(\[\.\.\.\])")
_UNKNOWN: Final = re.compile(r"contains unknown field `([^`]+)`")
_MISSING: Final = re.compile(r"missing required field `([^`]+)`")
_MOST: Final = 1_000


class Fault(NamedTuple):
    """One thing that is wrong."""

    expected: str
    got: str
    place: Place


class Faults:
    """
    What is wrong with a value, found by leaving out what a decoder complains of until it complains no more.

    Args:
        value: Lists and mappings; not changed.
        decode: Raises ``msgspec.ValidationError`` for the first fault.
    """

    def __init__(self, value: Any, decode: Callable[[Any], object]) -> None:
        self.sound: Any = _copied(value, ())
        """What is left."""
        self.found: list[Fault] = []
        self._decode = decode
        self._numbers: dict[Place, list[int]] = {}
        self._left_out: list[Place] = []
        # One round a fault; a value whose faults do not end is left alone.
        for _ in range(_MOST):
            error = self._error()
            if error is None or not self._take(error):
                break

    def _error(self) -> str | None:
        try:
            self._decode(self.sound)
        except msgspec.ValidationError as error:
            return str(error)
        return None

    def _take(self, error: str) -> bool:
        """Note one fault and leave its value out; False where nothing is left to be looked at."""
        message, _, where = error.partition(" - at `")
        place, parent, key = self._resolve(error, where)
        if unknown := _UNKNOWN.search(message):
            if not isinstance(inside := parent[key] if parent is not None else self.sound, dict):
                return False
            place, parent, key = (*place, unknown[1]), inside, unknown[1]
        if not self._follows(message, place):
            expected, got = _told(message)
            self.found.append(Fault(expected, got, place))
        if parent is None:
            return False
        self._leave_out(place, parent, key)
        return True

    def _follows(self, message: str, place: Place) -> bool:
        """Whether it is only for what was left out before that the message came."""
        if _UNKNOWN.search(message):
            return False
        if missing := _MISSING.search(message):
            return (*place, missing[1]) in self._left_out
        return any(one[: len(place)] == place for one in self._left_out)

    def _leave_out(self, place: Place, parent: Any, key: Any) -> None:
        self._left_out.append(place)
        del parent[key]
        if isinstance(parent, list):
            del self._numbers[place[:-1]][key]

    def _resolve(self, error: str, where: str) -> tuple[Place, Any, Any]:
        """The place as the file has it, what holds the value, and its key therein; None for the whole."""
        place: Place = ()
        parent: Any = None
        key: Any = None
        here: Any = self.sound
        steps: list[str | int | None] = [
            match[1] or (int(match[2]) if match[2] else None) for match in _STEP.finditer(where)
        ]
        if where.startswith("key in "):
            steps.append(None)
        for step in steps:
            # Of a mapping's values the decoder does not say which one it is.
            now = self._culprit(error, here) if step is None else step
            if now is None:
                break
            place = (*place, self._number(place, here, now))
            parent, key, here = here, now, here[now]
        return place, parent, key

    def _number(self, place: Place, values: Any, key: Any) -> Any:
        """Of an item of a list, its number before others were left out; of a mapping, the key."""
        if not isinstance(values, list):
            return key
        return self._numbers.setdefault(place, list(range(len(values))))[key]

    def _culprit(self, error: str, values: dict[Any, Any]) -> Any | None:
        """The key without whose neighbours the error stays."""
        whole = dict(values)
        try:
            for key, value in whole.items():
                values.clear()
                values[key] = value
                if self._error() == error:
                    return key
            return None
        finally:
            values.clear()
            values.update(whole)


def _copied(value: Any, within: tuple[int, ...]) -> Any:
    """With what an alias of YAML puts in several places in each of them anew; what holds itself stays as it is."""
    if id(value) in within:
        return value
    if isinstance(value, dict):
        return {key: _copied(each, (*within, id(value))) for key, each in value.items()}
    return [_copied(each, (*within, id(value))) for each in value] if isinstance(value, list) else value


def _told(message: str) -> tuple[str, str]:
    """What was expected and what came."""
    expected, _, got = (message[:1].lower() + message[1:]).removeprefix("expected ").partition(", got ")
    return (expected, got) if got else ("a playbook as described", expected)


def line_of(raw: bytes, place: Place) -> int | None:
    """Where a value stands in a file of YAML, or what holds it where it does not; None for the whole."""
    node = yaml.compose(raw.decode("utf-8"), Loader=yaml.SafeLoader)
    line: int | None = None
    for step in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            pair = next((each for each in node.value if each[0].value == step), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        else:
            break
    return line


def shown(place: Place) -> str:
    """As ``$.rules[3].priority``."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
