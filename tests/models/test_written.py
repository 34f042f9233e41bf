"""Numbers are written as people write them, and nothing else changes."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.textnorm import normalise
from models.written import plain, written

MANDARIN = {
    "我的电话是一三八零八五五三三幺六，订单号二零二六零零四五。": "我的电话是13808553316，订单号20260045。",
    "一共二十五块钱，打八折，涨了百分之三点五。": "一共25块钱，打八折，涨了3.5%。",
    "二零零三年三月三十日下午三点半。": "2003年3月30日下午3点半。",
    "三点零五分，两点二十，十二点五十分，十一点一刻。": "3点05分，2点20，12点50分，11点一刻。",
    "三万五千元，一百万，三亿人，一千二百块，一块钱。": "35000元，100万，3亿人，1200块，1块钱。",
    "等了十分钟，二十四小时，第十二次，九零后，九八年。": "等了10分钟，24小时，第12次，90后，98年。",
    "三点五倍，一百多个，五十六号。": "3.5倍，100多个，56号。",
    "三百一个月，两百一晚，三百一天，两万一年，三百二一个月": "300一个月，200一晚，300一天，2万一年，320一个月",
    "一百二十一个，一百零一个，二十一天，一万一": "121个，101个，21天，11000",
    "地址是一百二十八号，一千二百一十五号，三月一十五号": "地址是128号，1215号，3月15号",
    "早上八点零五，凌晨十二点零一，上午十点，十二点见": "早上8点05，凌晨12点01，上午10点，12点见",
    "涨了三点零五倍，零点零五": "涨了3.05倍，0.05",
    "一亿三千万，一亿三千五百元": "1亿3000万，100003500元",
}
MANDARIN_AS_IT_IS = (
    "一下一个万一十分生气，一般第一，三七二十一。",
    "十几个，几十个，七八个，三四百块，好几百，百分之十几，二三年，一二月。",
    "有一点一样，统一百货，周二十点见，星期五十点，千万别，成千上万。",
    "3万，25块，13808553316，2003年。",
    "退款一两个工作日到账，请稍等一两分钟，三两天，两三天，一两年，两三点钟，两两一组，二两酒。",
    "十二点零几分，十分之一，百分之五到十，十堰，五十铃，三点零五，一直在等。",
)
ENGLISH = {
    "I paid twenty five dollars, three point five percent, one hundred percent.": "I paid $25, 3.5%, 100%.",
    "Call five five five, zero one four two.": "Call 555-0142.",
    "It is four one five five five five zero one four two.": "It is 415-555-0142.",
    "At three thirty pm on March third.": "At 3:30 pm on March 3rd.",
    "It is one twelve pm.": "It is 1:12 pm.",
    "The twenty first of May, nineteen ninety nine, by nine fifteen.": "The 21st of May, 1999, by 9:15.",
    "one hundred and thirty five dollars, ten thousand five hundred euros": "$135, €10,500",
    "twenty-five people; fifteen hundred people, two million people": "25 people; 1500 people, 2 million people",
    "at seven o'clock, double five one": "at 7 o'clock, 551",
    "Call one eight hundred five five five one two one two.": "Call 1-800-555-1212.",
    "It was three oh five pm, in nineteen ninety nine.": "It was 3:05 pm, in 1999.",
    "The twenty second of May at ten fifteen.": "The 22nd of May at 10:15.",
}
ENGLISH_AS_IT_IS = (
    "I have two of them, one more, the second one, and one dollar.",
    "A hundred people, thousands of them; you may first check.",
    "$25, 3.5%, 555-0142, 3:30 pm, 1999.",
    "nineteen ninety nine dollars, seventeen fifty dollars; I was charged nineteen ninety nine.",
    "I paid twenty one fifty, twenty thirty minutes, at one fifty a month, by one thirty percent.",
    "after ten fifteen minutes on hold, a thirty second call",
)


@pytest.mark.parametrize(("said", "wanted"), [*MANDARIN.items(), *((text, text) for text in MANDARIN_AS_IT_IS)])
def test_mandarin_numbers_are_digits_where_people_write_digits(said: str, wanted: str) -> None:
    assert written(said, "zh") == wanted


@pytest.mark.parametrize(("said", "wanted"), [*ENGLISH.items(), *((text, text) for text in ENGLISH_AS_IT_IS)])
def test_english_numbers_are_digits_where_people_write_digits(said: str, wanted: str) -> None:
    assert written(said, "en") == wanted


SPOKEN = {
    "zh": st.lists(st.sampled_from([*"零一二三五六九十百千万亿两点分年月日号元几第个，。", "百分之", "块钱", "今天"])),
    "en": st.lists(
        st.sampled_from(
            re.findall(
                r"\S+",
                "zero one two five nine ten twelve twenty fifty hundred thousand million point percent dollars and a "
                "at pm first third oh double the people May of 5 25 , .",
            )
        )
    ),
}


@pytest.mark.parametrize("language", SPOKEN)
@given(data=st.data())
def test_what_is_written_says_the_same_and_stays(language: str, data: st.DataObject) -> None:
    said = ("" if language == "zh" else " ").join(data.draw(SPOKEN[language])).replace(" ,", ",").replace(" .", ".")
    found = written(said, language)
    assert normalise(found) == normalise(said)
    assert written(found, language) == found


@pytest.mark.parametrize("language", ["zh", "en"])
@given(
    text=st.text(
        alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="零〇一二三四五六七八九十百千万亿两幺")
    )
)
def test_a_text_without_numbers_stays(language: str, text: str) -> None:
    words = " ".join(
        word for word in text.split() if normalise(word) == "" or not any(c.isdigit() for c in normalise(word))
    )
    assert written(words, language) == words


@pytest.mark.parametrize(
    ("heard", "language", "wanted"),
    [
        ("我們這個說電話,為麼？", "zh", "我们这个说电话，为么？"),
        ("打開 IT 店 ４５號", "zh", "打开IT店45号。"),
        ("用 Apple Pay 付", "zh", "用Apple Pay付。"),
        ("  two   words ", "en", "two words"),
        ("100% off 吗", "zh", "100% off吗。"),
        ("在淘宝.com买的.", "zh", "在淘宝.com买的。"),
    ],
)
def test_script_spaces_and_signs_are_settled(heard: str, language: str, wanted: str) -> None:
    assert plain(heard, language) == wanted


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name", ["asr_aishell_zh", "asr_misc_zh_en", "tel_asterisk_en8k", "tel_harper_en8k", "asr_so762_en"]
)
def test_transcripts_score_the_same_raw_and_written(corpus: Path, name: str) -> None:
    with (corpus / name / "manifest.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["transcript"]]
    changed = 0
    for row in rows:
        raw, found = row["transcript"], written(row["transcript"], row["language"])
        changed += raw != found
        assert normalise(found) == normalise(raw)
    assert changed > 0
