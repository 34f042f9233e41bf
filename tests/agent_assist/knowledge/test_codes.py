"""Error codes in sentences."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_assist.knowledge.codes import codes, normal


@pytest.mark.parametrize(
    ("text", "form", "said"),
    [
        ("空调显示E-1234怎么办", "E1234", "E-1234"),
        ("报错ERR_05", "ERR05", "ERR_05"),
        ("what is 0x80070005?", "0X80070005", "0x80070005"),
        ("报错 E 一二三 怎么解决", "E123", "E 一二三"),
        ("打印机 E 幺二洞", "E120", "E 幺二洞"),
        ("错误代码五零三", "503", "五零三"),
        ("my screen says e one two three", "E123", "e one two three"),
        ("it says error five oh three", "503", "five oh three"),
        ("E twelve thirty four", "E1234", "E twelve thirty four"),
        ("error E dash double five one", "E551", "E dash double five one"),
        ("零x八零零七", "0X8007", "零x八零零七"),
        ("显示Ｅ－１２３４", "E1234", "Ｅ－１２３４"),
        ("error 404 on the page", "404", "404"),
    ],
)
def test_a_code_is_heard_written_or_spoken(text: str, form: str, said: str) -> None:
    found = codes(text)
    assert [(code.forms[0], text[code.start : code.end], code.certain) for code in found] == [(form, said, True)]


@pytest.mark.parametrize(
    "text",
    [
        "我的手机号是一三八零零一三八零零零",
        "I have 3 phones and paid 503 dollars",
        "I want two of them",
        "一会儿我再打过来",
        "",
    ],
)
def test_a_number_alone_is_no_code(text: str) -> None:
    assert codes(text) == []


def test_an_iphone_is_a_code_only_where_the_base_knows_it() -> None:
    assert [code.certain for code in codes("my iPhone15 is broken")] == [False]


@example("0" * 28)
@given(st.text(max_size=300))
def test_any_text_gives_places_within_it(text: str) -> None:
    for code in codes(text):
        assert 0 <= code.start < code.end <= len(text)
        assert all(form == normal(form) for form in code.forms)


@given(st.from_regex(r"[B-HJ-NP-Z]{1,3}-[0-9]{2,5}", fullmatch=True))
def test_any_written_code_is_found_in_a_sentence_of_either_language(code: str) -> None:
    for text in (f"设备报错{code}怎么解决", f"the display shows {code}, what now"):
        assert normal(code) in [found.forms[0] for found in codes(text)]
