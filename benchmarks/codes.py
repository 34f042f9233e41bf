"""A catalogue of error codes, named in many ways: written, spaced, full-width, spoken in both languages, misheard."""

from random import Random
from typing import Final, NamedTuple

from agent_assist.knowledge.types import EdgeKind, Link, Node, NodeKind

COUNT: Final = 60
_SEED: Final = 17
_PREFIXES: Final = ("E", "F", "ERR", "H", "P")
_ZH: Final = "零一二三四五六七八九"
_RADIO: Final = "洞幺二三四五六拐八九"
_EN: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_HEARD: Final = {"E": "一", "F": "艾弗", "H": "爱吃", "P": "批", "ERR": "儿"}
"""What a Mandarin recogniser may make of a letter; nobody could read a code out of all of these."""


class Case(NamedTuple):
    """One question."""

    way: str
    question: str
    key: str
    """Of the code that is meant; empty where the base does not have it."""


def catalogue() -> list[Node]:
    """Codes and what solves each; many are one digit from another."""
    nodes: list[Node] = []
    for code in _codes():
        nodes.append(Node(kind=NodeKind.CODE, key=code, title=code, language="en"))
        link = Link(kind=EdgeKind.SOLVES, to_kind=NodeKind.CODE, to_key=code)
        title, body = f"处理{code}", f"出现{code}时，请断电一分钟后重新开机。"
        nodes.append(
            Node(kind=NodeKind.SOLUTION, key=f"solve {code}", title=title, language="zh", body=body, links=(link,))
        )
    return nodes


def cases() -> list[Case]:
    """Every code in every way, and neighbours of codes that the base does not have."""
    known = _codes()
    found = [Case(way, question, code) for code in known for way, question in _ways(code)]
    for code in known[: COUNT // 2]:
        strange = code[:-1] + next(digit for digit in "0123456789" if code[:-1] + digit not in known)
        found.append(Case("unknown, written", f"报错代码{strange}怎么解决", ""))
        found.append(Case("unknown, spoken", f"error code {_spoken_en(strange)}", ""))
    return found


def _codes() -> list[str]:
    random = Random(_SEED)
    found: dict[str, None] = {}
    while len(found) < COUNT:
        stem = f"{random.choice(_PREFIXES)}-{random.randint(10, 99)}"
        for digit in random.sample("0123456789", 3):
            found.setdefault(stem + digit)
    return list(found)[:COUNT]


def _ways(code: str) -> list[tuple[str, str]]:
    prefix, digits = code.split("-")
    wide = "".join(chr(ord(each) + 0xFEE0) for each in code)
    return [
        ("written", f"显示{code}是什么问题"),
        ("without dash", f"what does {prefix}{digits} mean"),
        ("lower case", f"it says {code.lower()} on the screen"),
        ("spaced", f"报错 {prefix} {' '.join(digits)} 怎么办"),
        ("full-width", f"屏幕显示{wide}"),
        ("spoken zh", f"显示 {_letters(prefix)} {''.join(_ZH[int(each)] for each in digits)}"),
        ("spoken zh, radio", f"报错代码 {_letters(prefix)} {''.join(_RADIO[int(each)] for each in digits)}"),
        ("spoken en", f"the machine shows error {_spoken_en(code)}"),
        ("misheard letter", f"报错 {_HEARD[prefix]} {''.join(_ZH[int(each)] for each in digits)}"),
    ]


def _letters(prefix: str) -> str:
    return prefix if len(prefix) > 1 else prefix.upper()


def _spoken_en(code: str) -> str:
    prefix, digits = code.split("-")
    return f"{' '.join(prefix.lower())} {' '.join(_EN[int(each)] for each in digits)}"
