"""Sentiment of what is said on the telephone."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sentiment import score

_BUSINESS = [
    "请问有什么可以帮您",
    "麻烦您报一下身份证后四位",
    "我想查一下这个月的话费",
    "请您稍等一下,我看看系统",
    "我的地址是幸福路十二号",
    "祝您生活愉快,再见",
    "给您带来的不便我们深表歉意",
    "How may I help you today?",
    "Could you please tell me your account number?",
    "Sure, let me check that for you, please hold the line.",
    "I would like to change my address.",
    "Have a wonderful day.",
    "If it is not on the list I will write it down.",
    "I understand how frustrating this must be.",
]
_NEGATIVE = [
    "我要投诉你们",
    "等了三个星期都没有人联系我",
    "你们这是在骗人",
    "这也太贵了吧",
    "网络又断了,修了几次还是用不了",
    "我对你们的服务很不满意",
    "再不修我就换别家",
    "不退钱我就要投诉",
    "If you don't fix this today I will leave.",
    "This is completely unacceptable.",
    "I am sick of waiting, no one ever answered my emails.",
    "The new router is broken again.",
    "I'm not happy with this at all.",
    "It's the fourth time I have to explain this.",
    "I am not satisfied with the repair.",
]
_POSITIVE = [
    "太好了,非常感谢你",
    "师傅态度特别好,很专业",
    "你们处理得真快,我很满意",
    "That is great, thank you so much.",
    "You've been very helpful, I really appreciate it.",
    "Everything is working again, perfect!",
]


def _language(text: str) -> str:
    return "en" if text.isascii() else "zh"


@pytest.mark.parametrize("text", _BUSINESS)
def test_business_is_neutral(text: str) -> None:
    found = score(text, _language(text))
    assert found.value == pytest.approx(0.0, abs=0.2)
    assert found.angry == 0.0
    assert found.confidence > 0.2


@pytest.mark.parametrize("text", _NEGATIVE)
def test_complaints_are_negative(text: str) -> None:
    found = score(text, _language(text))
    assert found.value is not None
    assert found.value < -0.3
    assert found.satisfied == 0.0


@pytest.mark.parametrize("text", _POSITIVE)
def test_praise_is_positive(text: str) -> None:
    found = score(text, _language(text))
    assert found.value is not None
    assert found.value > 0.3
    assert found.satisfied > 0.3
    assert found.angry == 0.0


@pytest.mark.parametrize(
    ("plain", "negated"),
    [
        ("我很生气", "我没有生气"),
        ("我要投诉", "我不投诉"),
        ("I am worried about it", "I am not worried about it"),
        ("I am angry", "I am not angry"),
    ],
)
def test_a_negation_takes_blame_away_and_its_cue(plain: str, negated: str) -> None:
    blame, none = score(plain, _language(plain)), score(negated, _language(negated))
    assert blame.value is not None
    assert none.value is not None
    assert blame.value < -0.3
    assert none.value > 0
    assert none.angry == none.anxious == none.satisfied == 0.0


def test_a_negation_turns_praise() -> None:
    for text in ("一点都不靠谱", "服务态度不好", "this is not great", "it was never perfect"):
        value = score(text, _language(text)).value
        assert value is not None
        assert value < 0


def test_what_follows_but_weighs_more() -> None:
    better = score("东西很好,但是太贵了", "zh").value
    worse = score("太贵了,但是东西很好", "zh").value
    assert better is not None
    assert worse is not None
    assert better < worse


def test_cues_tell_the_emotions_apart() -> None:
    assert score("我真的很担心,来不及了", "zh").anxious > 0.4
    assert score("我对你们太失望了", "zh").disappointed > 0.5
    assert score("气死我了", "zh").angry > 0.7
    assert score("I am really worried", "en").anxious > 0.4
    assert score("I am so disappointed", "en").disappointed > 0.5
    assert score("this makes me furious", "en").angry > 0.7


@pytest.mark.parametrize("text", ["", "  ", "…", "123 456"])
def test_without_words_there_is_no_sentiment(text: str) -> None:
    assert score(text, "unknown").value is None
    assert score(text, "zh").confidence == 0.0


def test_a_grunt_is_less_certain_than_a_sentence() -> None:
    assert score("嗯", "zh").confidence < 0.1 < score("我的订单号是一二三四五六七八", "zh").confidence


@given(st.text(max_size=200), st.sampled_from(["zh", "en", "unknown"]))
def test_any_text_gives_measures_in_their_ranges(text: str, language: str) -> None:
    found = score(text, language)
    assert found == score(text, language)
    assert found.value is None or -1 <= found.value <= 1
    for part in (found.confidence, found.angry, found.anxious, found.disappointed, found.satisfied):
        assert 0 <= part <= 1


def test_importing_loads_no_lexicon_and_warns_of_nothing() -> None:
    program = (
        "import sys, models.sentiment as s;"
        "assert not {'vaderSentiment', 'snownlp', 'jieba'} & set(sys.modules), 'loaded too early';"
        "s.score('你好', 'zh'); assert 'vaderSentiment' not in sys.modules;"
        "s.score('fine words', 'en')"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
