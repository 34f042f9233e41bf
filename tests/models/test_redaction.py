import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.redaction import redact


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("my card is 4111 1111 1111 1111, please", "my card is [card], please"),
        ("卡号6222021234567890128,谢谢", "卡号[card],谢谢"),
        ("身份证 11010519491231002X", "身份证 [identity]"),
        ("打我手机 13800138000", "打我手机 [phone]"),
        ("call +44 20 7946 0958 or +86 138-0013-8000", "call [phone] or [phone]"),
        ("write to li.lei+x@mail.example.cn.", "write to [email]."),
        ("my password is Hunter2! and it fails", "my password is [secret] and it fails"),
        ("我的密码是abc123,登不上", "我的密码是[secret],登不上"),
        ("验证码 482913 无效", "验证码 [secret] 无效"),
        ("password reset fails with error 500", "password reset fails with error 500"),
        ("重置密码失败", "重置密码失败"),
        ("order 20261125001 from 2026-11-25", "order 20261125001 from 2026-11-25"),
        ("sent at 14:02:09 13800138000", "sent at 14:02:09 [phone]"),
        ("13800138000 13900139000", "[phone] [phone]"),
        ("4111 1111 1111 1111 12/27 123", "[card] 12/27 123"),
        ("card no.4111111111111111", "card no.[card]"),
        ("1 2 3 13800138000-4111-1111-1111-1111 5", "1 2 3 [phone]-[card] 5"),
        ("password is: Hunter2", "password is: [secret]"),
        ("pwd=abc123&user_password=x9z!", "pwd=[secret]"),
        ('{"password": "abc 1", "token":"eyJh.b"}', '{"password": "[secret]", "token":"[secret]"}'),
        ("Authorization: Bearer eyJhbGciOi.abc.def-_", "Authorization: Bearer [secret]"),
        ("my password is wrong, the pin is not accepted", "my password is wrong, the pin is not accepted"),
        ("密码是错误的", "密码是错误的"),
        ('the password is "open', 'the password is "[secret]'),
        ("password=[abc1", "password=[secret]"),
        ("", ""),
    ],
)
def test_what_must_not_be_kept_is_named_and_the_rest_stays(text: str, left: str) -> None:
    assert redact(text) == left


@given(st.text(alphabet="0123456789 -+X@.abc密码是:验=[]", max_size=60))
def test_twice_is_as_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)
