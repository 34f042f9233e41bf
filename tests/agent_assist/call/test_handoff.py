"""The example of a bot that cannot reset a password, in both languages, and what else a bot may leave behind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_assist.call.handoff import BotTurn, Handoff, HandoffGiven, Operation, kept, shown

AT = datetime(2026, 11, 25, 14, 2, tzinfo=UTC)


def step(name: str, result: Any, second: int, error: str = "") -> Operation:
    return Operation(step=name, result=result, at=AT + timedelta(seconds=second), error=error)


def given(*operations: Operation, said: tuple[str, ...] = (), **more: Any) -> Handoff:
    turns = tuple(BotTurn(by="customer", text=text) for text in said)
    return kept(HandoffGiven(id="h", at=AT, call_id="c", turns=turns, operations=operations, **more), AT)


ZH = given(
    step("核验身份", "ok", 0),
    step("发送短信验证码", "ok", 4),
    step("重置密码", "failed", 9, "旧密码校验服务超时"),
    said=("你好", "我登录不了,想重置密码,手机号13800138000"),
)
EN = given(
    step("verify identity", "ok", 0),
    step("send the code by SMS", "ok", 4),
    step("reset the password", "failed", 9, "directory service timed out"),
    said=("Hello!", "I can't log in, please reset my password, my mail is li@example.com"),
)


def test_a_password_reset_that_fails_is_told_in_chinese() -> None:
    found = shown(ZH, "zh")
    assert found["bot_summary"] == (
        "客户想要:我登录不了,想重置密码,手机号[phone]。已完成:核验身份、发送短信验证码。"
        "失败步骤:重置密码(旧密码校验服务超时)"
    )
    assert found["bot_failed_step"] == "重置密码(旧密码校验服务超时)"
    assert found["bot_log"].splitlines() == [
        "14:02:00 ✓ 核验身份",
        "14:02:04 ✓ 发送短信验证码",
        "14:02:09 ✗ 重置密码: 旧密码校验服务超时",
    ]


def test_a_password_reset_that_fails_is_told_in_english() -> None:
    found = shown(EN, "en")
    assert found["bot_summary"] == (
        "Wanted: I can't log in, please reset my password, my mail is [email]. "
        "Done: verify identity, send the code by SMS. Failed: reset the password (directory service timed out)"
    )
    assert found["bot_failed_step"] == "reset the password (directory service timed out)"
    assert (ZH.language, EN.language) == ("zh", "en")


def test_what_came_right_at_the_second_try_did_not_fail() -> None:
    again = given(step("b", "ok", 5), step("a", "ok", 9), step("a", "failed", 1, "busy"))
    assert [one.step for one in again.operations] == ["a", "b", "a"]
    assert again.failed is None
    assert "bot_failed_step" not in shown(again, "en")
    later = given(step("a", "ok", 0), step("a", "failed", 1), step("b", "failed", 2), step("b", "ok", 3))
    assert later.failed == 1


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (("hi", "人工!", "  退款   到账了吗 "), "退款 到账了吗"),
        (("Hello.",), ""),
        ((), ""),
        (("x" * 500,), "x" * 119 + "…"),
    ],
)
def test_what_was_wanted_is_the_first_that_is_no_greeting(said: tuple[str, ...], wanted: str) -> None:
    assert given(step("a", "ok", 0), said=said).wanted == wanted


def test_the_bots_own_words_come_first_and_nothing_to_keep_is_in_any_field() -> None:
    secret = "card 4111 1111 1111 1111"
    one = given(step(f"pay with {secret}", "failed", 0, secret), said=(secret,), wanted=f"pay, {secret}")
    for text in (one.wanted, one.turns[0].text, one.operations[0].step, one.operations[0].error, *one.summary.values()):
        assert "4111" not in text
        assert "[card]" in text
    assert one.wanted == "pay, card [card]"


def test_lines_of_an_error_are_no_steps() -> None:
    found = shown(given(step("pay", "failed", 0, "Traceback:\n14:03:00 ✓ verify identity")), "en")
    assert found["bot_log"] == "14:02:00 ✗ pay: Traceback: 14:03:00 ✓ verify identity"


def test_without_words_the_language_is_that_of_the_steps() -> None:
    assert given(step("重置密码", "failed", 0)).language == "zh"
    assert given(step("reset", "failed", 0)).language == "en"


def test_of_a_long_log_the_last_steps_are_shown() -> None:
    found = shown(given(*(step(f"s{n}", "ok", n) for n in range(30))), "en")
    assert found["bot_summary"] == "Done: …, s24, s25, s26, s27, s28, s29"
    assert found["bot_log"].splitlines()[0].endswith("s18")
    assert len(found["bot_log"].splitlines()) == 12
