"""Conditions on what is known of customer and call, in CEL: https://cel.dev."""

import re
from collections.abc import Mapping
from typing import Any, Final

import cel

_NAMES: Final = frozenset({"customer", "call"})
_LONGEST: Final = 500
"""Characters of an expression; with one loop at most, over what a call was told at its start, its time is bounded."""
_LOOP: Final = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*(\w*)")
"""A loop and its variable."""
_FUNCTIONS: Final = frozenset(
    {"size", "contains", "startsWith", "endsWith", "matches"}
    | {"int", "uint", "double", "string", "bool", "timestamp", "duration"}
)


class ProfileCondition:
    """
    An expression over ``customer`` and ``call``, compiled once.

    Raises:
        ValueError: If it does not compile, asks for what is never known, or could take long.
    """

    __slots__ = ("_program", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        loops = _LOOP.findall(source)
        if len(source) > _LONGEST or len(loops) > 1:
            raise ValueError(f"expected at most {_LONGEST} characters and one loop in a profile condition, got more")
        try:
            self._program: Any = cel.compile(source)
        except ValueError as error:
            raise ValueError(f"expected a condition in CEL, got {source!r}: {' '.join(str(error).split())}") from error
        if unknown := set(self._program.variables()) - _NAMES - set(loops):
            raise ValueError(f"expected a condition on customer and call, got {', '.join(sorted(unknown))}")
        functions = {name for name in self._program.functions() if name.isidentifier() and not name.startswith("_")}
        if unknown := functions - _FUNCTIONS:
            raise ValueError(f"expected known functions, got {', '.join(sorted(unknown))}")

    def holds(self, known: Mapping[str, Any]) -> bool:
        """
        Whether it holds; what is not known makes it not hold.

        Args:
            known: What ``customer`` and ``call`` are.

        Raises:
            TypeError: If types do not fit, or the result is neither true nor false.
            RuntimeError: If something cannot be calculated.
        """
        try:
            result = self._program.execute(dict(known))
        except KeyError:
            return False
        if not isinstance(result, bool):
            raise TypeError(f"expected true or false, got {type(result).__name__}")
        return result
