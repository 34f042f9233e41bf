"""The monthly report on the data of customers, as Markdown and as a page, in Chinese and in English."""

from collections.abc import Sequence
from html import escape
from typing import Final, Literal

from markdown_it import MarkdownIt

from agent_assist.customer.health import TARGET, Health, Share

Language = Literal["zh", "en"]

_WORDS: Final[dict[str, dict[Language, str]]] = {
    "title": {"zh": "客户数据质量月报 {month}", "en": "Customer data in {month}"},
    "score": {"zh": "得分 {score},目标 {target}:{met}", "en": "Score {score}, target {target}: {met}"},
    "met": {"zh": "达标", "en": "met"},
    "missed": {"zh": "未达标", "en": "missed"},
    "how": {
        "zh": "得分 = 通过全部规则的字段 / 已检查的字段({passed} / {checked}),客户 {customers} 位,数据截至 {as_of}。",
        "en": "The score is the share of checked fields that pass every rule ({passed} of {checked}), of {customers} "
        "customers, as of {as_of}.",
    },
    "trend": {"zh": "趋势", "en": "Trend"},
    "month": {"zh": "月份", "en": "Month"},
    "share": {"zh": "得分", "en": "Score"},
    "checked": {"zh": "已检查", "en": "Checked"},
    "wrong": {"zh": "不合格", "en": "Wrong"},
    "fields": {"zh": "按字段", "en": "By field"},
    "field": {"zh": "字段", "en": "Field"},
    "kinds": {"zh": "按类别", "en": "By kind"},
    "kind": {"zh": "类别", "en": "Kind"},
    "rules": {"zh": "未通过的规则", "en": "Rules that do not hold"},
    "rule": {"zh": "规则", "en": "Rule"},
    "examples": {"zh": "示例", "en": "Examples"},
    "none": {"zh": "全部规则通过。", "en": "All rules hold."},
    "empty": {"zh": "没有可检查的字段。", "en": "There was no field to check."},
    "duplicates": {"zh": "疑似重复", "en": "May be one person"},
    "pairs": {
        "zh": "{candidates} 对客户可能是同一人,等待主管确认;另有 {too_common} 个过于常见的键未比较。",
        "en": "{candidates} pairs of customers may be one person and wait for a supervisor; {too_common} keys that too "
        "many share were not compared.",
    },
    "customer": {"zh": "客户", "en": "customer"},
    "phone": {"zh": "电话", "en": "phone"},
    "email": {"zh": "邮箱", "en": "e-mail"},
    "order": {"zh": "订单", "en": "order"},
    "case": {"zh": "工单", "en": "case"},
    "interaction": {"zh": "联系记录", "en": "contact"},
}
_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{border-bottom:1px solid #8884;padding:.25rem .5rem;text-align:left}"
    "td{overflow-wrap:anywhere}"
)


def markdown(months: Sequence[Health], language: Language) -> str:
    """
    The report of the first of these months, with the scores of the others as its trend.

    Args:
        months: At least one, the latest first.
    """
    now = months[0]
    score = now.total.score
    words = _words(language)
    met = words["met" if score is not None and score >= TARGET else "missed"]
    head = (
        words["empty"]
        if score is None
        else words["score"].format(score=_percent(now.total), target=f"{TARGET:.0%}", met=met)
    )
    how = words["how"].format(
        passed=now.total.passed,
        checked=now.total.checked,
        customers=now.customers,
        as_of=f"{now.as_of:%Y-%m-%d %H:%M %z}",
    )
    kinds = [
        (words[kind], _percent(share), share.checked, share.checked - share.passed) for kind, share in now.kinds.items()
    ]
    # The worst first.
    fields = sorted(now.fields.items(), key=lambda one: (one[1].score or 0, one[0]))
    by_field = [(name, _percent(share), share.checked, share.checked - share.passed) for name, share in fields]
    rules = [
        (one.name[language], f"{one.kind}.{one.field}", one.count, ", ".join(_code(x.record_id) for x in one.examples))
        for one in now.broken
    ]
    columns = (words["share"], words["checked"], words["wrong"])
    lines = [
        f"# {words['title'].format(month=now.month)}",
        f"**{head}**",
        how,
        f"## {words['trend']}",
        _table(
            (words["month"], *columns),
            [(x.month, _percent(x.total), x.total.checked, x.total.checked - x.total.passed) for x in months],
        ),
        f"## {words['kinds']}",
        _table((words["kind"], *columns), kinds),
        f"## {words['fields']}",
        _table((words["field"], *columns), by_field),
        f"## {words['rules']}",
        _table((words["rule"], words["field"], words["wrong"], words["examples"]), rules) if rules else words["none"],
        f"## {words['duplicates']}",
        words["pairs"].format(candidates=now.candidates, too_common=now.too_common),
    ]
    return "\n\n".join(lines) + "\n"


def page(months: Sequence[Health], language: Language) -> str:
    """The same as HTML that stands alone."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown(months, language))
    title = escape(_words(language)["title"].format(month=months[0].month))
    tag = "zh-CN" if language == "zh" else "en"
    return (
        f'<!doctype html>\n<html lang="{tag}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>\n{body}</body></html>\n"
    )


def _words(language: Language) -> dict[str, str]:
    return {name: texts[language] for name, texts in _WORDS.items()}


def _percent(share: Share) -> str:
    return "-" if share.score is None else f"{share.score:.2%}"


def _code(text: str) -> str:
    """An id as it is, whatever stands in it: one of a broken shape may hold anything."""
    return f"`{''.join(c if c.isprintable() and c not in '`|' else '?' for c in text[:64])}`"


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines: list[Sequence[object]] = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
