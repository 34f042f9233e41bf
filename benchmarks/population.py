"""
Customers that never were, in files as other systems export them: made by chance from a seed, by us.

How: a customer's liveliness is log-normal (sigma 1.2, mean 1), and orders, cases and contacts are Poisson of it, so
that most have a few and some have hundreds. A customer gives 10 events on average: the customer itself, a number (95 %;
one in a hundred shares it with another), an address (60 %), 4.2 orders, 0.65 cases, 2.6 contacts. Customers joined in
the last six years, and what they did is spread evenly over the time since; files of orders, cases and contacts are
sorted by time, as a system writes them, so that those of one customer lie far apart. Amounts are log-normal.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

END: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""Nothing happens after it."""
_SECONDS: Final = 6 * 365 * 86_400
_SIGMA: Final = 1.2
_RATES: Final = {"orders": 4.2, "cases": 0.65, "interactions": 2.6}
_PHONES, _MAILS, _SHARED = 0.95, 0.60, 0.01
_CHUNK: Final = 50_000
FAMILY: Final = (
    "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕魏蒋田杜丁沈姜"
    "范江傅钟卢汪戴崔任陆廖姚方金邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹钱施牛洪龚"
)
GIVEN: Final = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国志文辉力鹏飞梅琳雪婷慧晶倩宁瑞凯浩宇轩子涵"
    "梓欣怡佳思雨晨曦俊博嘉诗语嫣然若溪沐辰皓睿泽楷翔昊天一诺可馨"
)
_FIRST: Final = """
James Mary John Linda Robert Susan Michael Karen David Nancy Daniel Lisa Paul Emma Mark Laura
""".split()  # noqa: SIM905 - read more easily than a list
_LAST: Final = """
Smith Jones Brown Taylor Wilson Davies Evans Walker Wright Roberts Green Hall Wood Clarke Young
""".split()  # noqa: SIM905 - read more easily than a list
_REGIONS: Final = """
北京 上海 广东 四川 浙江 江苏 湖北 山东 福建 陕西 湖南 河南 辽宁 重庆 天津
""".split()  # noqa: SIM905 - read more easily than a list
_ISSUES: Final = ["late_delivery", "broken", "billing", "refund", "plan_change", "login_problem", "how_to", "warranty"]
_SAID: Final = (
    "快递三天没有更新,客户要求查询物流",
    "问发票什么时候能开出来",
    "产品打不开机,按手册重启后恢复",
    "Asked where the parcel is; promised a call back",
    "退款还没到账,已转财务核实",
    "Wants to change the plan at the end of the month",
    "对上次的处理不满意,要求主管回电",
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Files(NamedTuple):
    """What was written: a file of each kind, and its rows."""

    paths: dict[str, Path]
    rows: dict[str, int]
    events: int
    """That the import makes of them."""
    most: int
    """Orders, cases and contacts of one customer."""


def write(folder: Path, customers: int, seed: int = 7) -> Files:
    """The files of so many customers."""
    draws = np.random.default_rng(seed)
    joined = np.sort(draws.integers(0, _SECONDS, customers))
    lively = draws.lognormal(-(_SIGMA**2) / 2, _SIGMA, customers)
    paths = {"customers": folder / "customers.csv"}
    with paths["customers"].open("w", encoding="utf-8", newline="") as file:
        addresses = 0
        file.write("customer_id,name,phone,email,region,language,birthday,joined_at\n")
        for lines, given in _people(draws, joined):
            file.writelines(lines)
            addresses += given
    rows, total = {"customers": customers}, np.zeros(customers, np.int64)
    for kind, rate in _RATES.items():
        counts = draws.poisson(rate * lively)
        total += counts
        whose = np.repeat(np.arange(customers), counts)
        at = (joined[whose] + draws.random(len(whose)) * (_SECONDS - joined[whose])).astype(np.int64)
        order = np.argsort(at, kind="stable")
        paths[kind], rows[kind] = folder / f"{kind}.csv", len(whose)
        with paths[kind].open("w", encoding="utf-8", newline="") as file:
            file.write(_HEADS[kind])
            for start in range(0, len(order), _CHUNK):
                part = order[start : start + _CHUNK]
                file.writelines(_LINES[kind](draws, start, whose[part], _times(at[part])))
    return Files(paths, rows, sum(rows.values()) + addresses, int(total.max()))


def customer_id(number: int) -> str:
    return f"c{number:08}"


def names(draws: np.random.Generator, n: int) -> list[str]:
    """Nine in ten Chinese, of two or three characters."""
    family, given = draws.integers(0, len(FAMILY), n), draws.integers(0, len(GIVEN), (n, 2))
    kind = draws.random(n)
    first, last = draws.integers(0, len(_FIRST), n), draws.integers(0, len(_LAST), n)
    return [
        f"{_FIRST[f]} {_LAST[g]}" if k < 0.1 else FAMILY[c] + GIVEN[a] + (GIVEN[b] if k < 0.75 else "")
        for c, (a, b), k, f, g in zip(family, given, kind, first, last, strict=True)
    ]


def numbers(draws: np.random.Generator, n: int) -> list[str]:
    """Mobile numbers of China, as people write them."""
    heads = np.array(["130", "131", "135", "136", "138", "139", "150", "158", "159", "186", "187", "189"])
    tails = draws.integers(0, 10**8, n)
    return [f"{head}{tail:08}" for head, tail in zip(heads[draws.integers(0, len(heads), n)], tails, strict=True)]


def _people(draws: np.random.Generator, joined: Ints) -> Iterator[tuple[list[str], int]]:
    shared = ""
    for start in range(0, len(joined), _CHUNK):
        part = joined[start : start + _CHUNK]
        n = len(part)
        has_phone, has_mail, shares = draws.random(n) < _PHONES, draws.random(n) < _MAILS, draws.random(n) < _SHARED
        regions, born = draws.integers(0, len(_REGIONS), n), draws.integers(-5_000, 13_000, n)
        days = np.datetime_as_string(np.datetime64("1970-01-01") + born)
        lines, given = [], int(has_phone.sum() + has_mail.sum())
        columns = zip(names(draws, n), numbers(draws, n), regions, days, _times(part), strict=True)
        for i, (name, number, region, day, at) in enumerate(columns):
            phone = (shared if shares[i] and shared else number) if has_phone[i] else ""
            shared = number
            mail = f"u{start + i}@example.com" if has_mail[i] else ""
            language = "en" if name.isascii() else "zh-CN"
            lines.append(f"{customer_id(start + i)},{name},{phone},{mail},{_REGIONS[region]},{language},{day},{at}\n")
        yield lines, given


def _times(seconds: Ints) -> Sequence[str]:
    """In China's time, with its offset."""
    begin = np.datetime64(int(END.timestamp()) - _SECONDS + 8 * 3600, "s")
    return [f"{one}+08:00" for one in np.datetime_as_string(begin + seconds)]


def _orders(draws: np.random.Generator, start: int, whose: Ints, times: Sequence[str]) -> Iterator[str]:
    amounts = np.round(draws.lognormal(5.0, 1.0, len(whose)), 2)
    status = np.array(["delivered", "paid", "shipped", "cancelled", "returned"])[
        np.searchsorted([0.80, 0.86, 0.90, 0.95], draws.random(len(whose)))
    ]
    for i, (one, at, amount, state) in enumerate(zip(whose, times, amounts, status, strict=True), start):
        yield f"o{i:09},{customer_id(one)},{at},{amount:.2f},CNY,{state}\n"


def _cases(draws: np.random.Generator, start: int, whose: Ints, times: Sequence[str]) -> Iterator[str]:
    types = np.array(["request", "fault", "complaint"])[np.searchsorted([0.5, 0.8], draws.random(len(whose)))]
    status = np.array(["closed", "solved", "open"])[np.searchsorted([0.7, 0.9], draws.random(len(whose)))]
    issues = draws.integers(0, len(_ISSUES), len(whose))
    columns = zip(whose, times, types, issues, status, strict=True)
    for i, (one, at, type_, issue, state) in enumerate(columns, start):
        yield f"k{i:09},{customer_id(one)},{at},{type_},{_ISSUES[issue]},{state},phone\n"


def _interactions(draws: np.random.Generator, start: int, whose: Ints, times: Sequence[str]) -> Iterator[str]:
    channels = np.array(["phone", "chat", "email", "app"])[np.searchsorted([0.6, 0.85, 0.95], draws.random(len(whose)))]
    issues, said = draws.integers(0, len(_ISSUES), len(whose)), draws.integers(0, len(_SAID), len(whose))
    columns = zip(whose, times, channels, issues, said, strict=True)
    for i, (one, at, channel, issue, text) in enumerate(columns, start):
        yield f'i{i:09},{customer_id(one)},{at},{channel},in,{_ISSUES[issue]},"{_SAID[text]}"\n'


_HEADS: Final = {
    "orders": "order_id,customer_id,ordered_at,amount,currency,status\n",
    "cases": "case_id,customer_id,opened_at,type,issue,status,channel\n",
    "interactions": "interaction_id,customer_id,at,channel,direction,issue,text\n",
}
_LINES: Final[dict[str, Any]] = {"orders": _orders, "cases": _cases, "interactions": _interactions}
