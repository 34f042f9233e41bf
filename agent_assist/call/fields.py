"""What an agent asks a customer for, and whether the customer has said it, in Chinese and English."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

from agent_assist.advice.phrases import Phrase, Text, compile_phrase, negated
from agent_assist.advice.spoken import spoken
from models.intent import Intent
from models.types import Utterance


class Field(StrEnum):
    """Basic information about a customer."""

    NAME = "name"
    PHONE = "phone"
    ORDER = "order_number"
    ACCOUNT = "account_number"
    ADDRESS = "address"
    EMAIL = "email"
    BIRTHDAY = "date_of_birth"
    IDENTITY = "identity_number"
    CARD = "card_number"


REQUIRED: Final = frozenset({Field.IDENTITY, Field.CARD})
"""Law or the rules of card schemes may ask that they be verified on every call: the default of the setting."""

_NOUNS: Final[Mapping[Field, tuple[str, str]]] = {
    Field.NAME: ("姓名|名字|全名|大名", "name|names|surname"),
    Field.PHONE: (
        "手机号码|手机号|电话号码|电话号|联系电话|联系方式|预留电话|预留号码",
        "phone number|mobile number|cell number|contact number|telephone number|call back number|callback number"
        "|best number|phone|mobile",
    ),
    Field.ORDER: (
        "订单号码|订单号|订单编号|单号",
        "order number|order id|order no|reference number|booking number|booking reference|tracking number",
    ),
    Field.ACCOUNT: (
        "会员号|会员卡号|客户号|账户号|账号",
        "account number|customer number|membership number|account id",
    ),
    Field.ADDRESS: ("地址|住址", "address|postcode|post code|postal code|zip code"),
    Field.EMAIL: ("邮箱地址|邮箱|电子邮件|邮件地址", "email address|e mail address|email|e mail"),
    Field.BIRTHDAY: ("出生日期|出生年月|生日", "date of birth|birth date|birthday"),
    Field.IDENTITY: (
        "身份证号码|身份证号|身份证|证件号码|证件号",
        "id number|identity number|passport number|social security number|national insurance number",
    ),
    Field.CARD: (
        "银行卡号|信用卡号|银行卡后四位|卡的后四位|安全码",
        "card number|last four digits|last 4 digits|security code|cvv",
    ),
}
_SHOWN: Final[Mapping[Field, tuple[str, str]]] = {
    Field.NAME: ("姓名", "name"),
    Field.PHONE: ("手机号", "phone"),
    Field.ORDER: ("订单号", "order no."),
    Field.ACCOUNT: ("账号", "account no."),
    Field.ADDRESS: ("地址", "address"),
    Field.EMAIL: ("邮箱", "e-mail"),
    Field.BIRTHDAY: ("出生日期", "date of birth"),
    Field.IDENTITY: ("证件号", "ID"),
    Field.CARD: ("卡号", "card no."),
}
_ASKED: Final = (
    "(提供|报|报一下|告诉|告知|说一下|说下|讲一下|留一下|留个|核对|核实|确认|验证|输入)*({zh})",
    "(请问|问一下|问下)*({zh})",
    "({zh})*(是多少|是什么|是哪|多少|报一下|报下|说一下|说下|提供一下|给一下|告诉我|给我)",
    "(may|can|could) i [please|just|also] (have|get|take|ask|confirm|verify|check) * ({en})",
    "what is (your|the) * ({en})",
    "(could|can|would|will) you [please|just|also] (give|tell|confirm|spell|provide|verify|repeat|read) * ({en})",
    "please (give|tell|confirm|spell|provide|verify|repeat|read) * ({en})",
    "(give|tell) me * ({en})",
    "(need|like) [to have|to get|to take|to confirm|to verify] your * ({en})",
    "your * ({en}) please",
    "do you have (your|the|an|a) * ({en})",
)
_ASKED_OTHERWISE: Final[Mapping[Field, tuple[str, ...]]] = {
    Field.NAME: ("怎么称呼", "您贵姓", "who am i (speaking|talking) (to|with)"),
    Field.ADDRESS: ("(寄|送|发)到(哪里|哪儿|什么地方)", "where (do|should|shall) * (send|deliver|ship) *"),
    Field.BIRTHDAY: ("when were you born",),
}
_NOT_ASKED: Final = (
    "(帮|给|为)您*(核对|核实|确认|查|登记|记录|修改|更新|发送|发到|寄到)*({zh})",
    "(已经|我这边|这边|我)*(看到|查到|记下|记录)*({zh})",
    "i (will|am going to) [just] (send|text|email|confirm|update|change|note|use|put) * ({en})",
    r"re:(?:^|[.,!?;:] *|\b(?:and|so|okay|ok|yes|well|right|now|good|great|thanks|because) )"
    r"i (?:have|see|can see|got) (?:your|the) (?:\w+ ){0,3}(?:{en})\b",
)
_TOLD: Final = (
    "(已经|都|刚才|刚刚|之前|上次|不是|早就|前面|昨天|前天)*(说|讲|给|报|提供|告诉)(过|了|你|您)",
    "(说|讲|给|报|提供)过(了|的|好几|很多|{n})",
    "already (told|gave|given|said|provided|explained|answered|went)",
    "(told|gave|given) (you|them|him|her|your colleague|the other *|the last *) * "
    "(already|before|earlier|last time|just now|yesterday)",
    "just (told|gave|said)",
)
_DIGIT: Final = re.compile(
    r"\d|[零〇一二三四五六七八九幺]|\b(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b",
    re.IGNORECASE,
)
_LEAST_DIGITS: Final[Mapping[Field, int]] = {
    Field.PHONE: 7,
    Field.ORDER: 4,
    Field.ACCOUNT: 4,
    Field.IDENTITY: 8,
    Field.CARD: 4,
    Field.BIRTHDAY: 3,
}
_READ_BACK: Final = 4
"""Digits from which an agent who names a field says what it is, and asks at most whether that is right."""
_VALUE: Final[Mapping[Field, re.Pattern[str]]] = {
    Field.EMAIL: re.compile(r"\S@\S|\bat\b.*\bdot\b|艾特", re.IGNORECASE),
    Field.ADDRESS: re.compile(
        r"[路街道巷弄栋幢室号村镇区市省]|\b(?:street|road|avenue|drive|lane|square|court|close|way|st|rd|ave)\b",
        re.IGNORECASE,
    ),
    Field.NAME: re.compile(r"我叫|我姓|我是|姓\S|\b(?:my name is|this is|it is|it's|i am|i'm)\b", re.IGNORECASE),
}
_INTRODUCED: Final = re.compile(r"我叫|我的?(?:名字|姓名)(?:是|叫)|我姓|\bmy name(?: is|'s)\b", re.IGNORECASE)


def fields_asked(text: str) -> tuple[Field, ...]:
    """What an agent who says this asks the customer for, in the order of ``Field``."""
    said = Text.of(spoken(text))
    named = [field for field in Field if _any(said, _naming(field), denied=True)]
    found = [field for field in named if _any(said, _asking(field)) and not _any(said, _not_asking(field), denied=True)]
    if Field.EMAIL in found and Field.ADDRESS in found and not _address_besides(text):
        found.remove(Field.ADDRESS)
    # One who reads out a number collects none.
    return () if len(_DIGIT.findall(text)) >= _READ_BACK else tuple(found)


def fields_given(text: str, asked: Iterable[Field] = ()) -> frozenset[Field]:
    """
    What a customer who says this has given.

    Args:
        asked: What they answer to; of the rest they have to say what it is.
    """
    said, digits = Text.of(spoken(text)), len(_DIGIT.findall(text))
    found = {field for field in asked if _has(field, text, digits)}
    for field in Field:
        named = _INTRODUCED.search(text) is not None if field is Field.NAME else _any(said, _nouns(field))
        if named and _has(field, text, digits):
            found.add(field)
    return frozenset(found)


def says_told_before(utterance: Utterance) -> bool:
    """Whether the customer says that they have said it before: by the words, or by the model of intents."""
    return Intent.ALREADY_TOLD in utterance.intents or _any(Text.of(spoken(utterance.text)), _TOLD_PHRASES)


def prepare() -> None:
    """Compile all phrases, which takes a second or more: before calls come, not in the first of them."""
    for field in Field:
        for phrases in (_asking, _not_asking, _nouns, _naming):
            phrases(field)


def known_of(attributes: Mapping[str, str], customer_name: str | None = None) -> frozenset[Field]:
    """What is known of a customer before the call: attributes with the name of a field, or a usual one, and a value."""
    known = {_NAMES[name] for raw, value in attributes.items() if (name := raw.lower()) in _NAMES and value.strip()}
    return frozenset(known | ({Field.NAME} if customer_name else set()))


def shown(fields: Iterable[Field], language: str) -> str:
    """Fields as an agent is told of them."""
    chinese = language == "zh"
    return ("、" if chinese else ", ").join(_SHOWN[field][0 if chinese else 1] for field in fields)


_NAMES: Final[Mapping[str, Field]] = {field.value: field for field in Field} | {
    "customer_name": Field.NAME,
    "phone_number": Field.PHONE,
    "mobile": Field.PHONE,
    "order": Field.ORDER,
    "order_no": Field.ORDER,
    "order_id": Field.ORDER,
    "account": Field.ACCOUNT,
    "account_id": Field.ACCOUNT,
    "e_mail": Field.EMAIL,
    "birthday": Field.BIRTHDAY,
    "id_number": Field.IDENTITY,
}


def _has(field: Field, text: str, digits: int) -> bool:
    if field in _VALUE:
        return _VALUE[field].search(text) is not None or (
            field is Field.NAME and 2 <= len(text.strip("。.!?？ ")) <= 20
        )
    return digits >= _LEAST_DIGITS[field]


def _any(said: Text, phrases: Iterable[Phrase], *, denied: bool = False) -> bool:
    return any(denied or not negated(said, found) for phrase in phrases for found in phrase.find(said))


def _filled(patterns: Iterable[str], field: Field) -> tuple[Phrase, ...]:
    zh, en = _NOUNS[field]
    return tuple(compile_phrase(pattern.replace("{zh}", zh).replace("{en}", en)) for pattern in patterns)


@lru_cache
def _asking(field: Field) -> tuple[Phrase, ...]:
    return (*_filled(_ASKED, field), *(compile_phrase(phrase) for phrase in _ASKED_OTHERWISE.get(field, ())))


@lru_cache
def _not_asking(field: Field) -> tuple[Phrase, ...]:
    return _filled(_NOT_ASKED, field)


@lru_cache
def _nouns(field: Field) -> tuple[Phrase, ...]:
    return _filled(("({zh})", "({en})"), field)


@lru_cache
def _naming(field: Field) -> tuple[Phrase, ...]:
    """Without one of these nobody asks for it: most of what is said needs no closer look."""
    return (*_nouns(field), *(compile_phrase(phrase) for phrase in _ASKED_OTHERWISE.get(field, ())))


def _address_besides(text: str) -> bool:
    without = re.sub(r"e-?mail address|邮箱地址|邮件地址", "", text, flags=re.IGNORECASE)
    return re.search(r"address|地址", without, re.IGNORECASE) is not None


_TOLD_PHRASES: Final = tuple(compile_phrase(phrase) for phrase in _TOLD)
