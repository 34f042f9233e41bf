"""What the peers' messages count as, to their favour."""

from typing import Any

import pytest

from audio.types import Channel
from benchmarks.paced import Line, Text, lines
from benchmarks.peers.whisperlivekit import Shown, note, tell


def message(transcript: str, *words: tuple[str, float, float], final: bool = False) -> dict[str, Any]:
    found = [{"punctuated_word": text, "start": start, "end": end} for text, start, end in words]
    alternative = {"transcript": transcript, "words": found}
    return {"type": "Results", "is_final": final, "start": 2.0, "channel": {"alternatives": [alternative]}}


def heard(*messages: tuple[float, dict[str, Any]]) -> tuple[list[Text], list[Shown]]:
    finals: list[Text] = []
    shown: list[Shown] = []
    for now, one in messages:
        note(Channel.AGENT, one, now, finals, shown)
    return finals, shown


@pytest.fixture
def line() -> Line:
    """The agent's first turn is from 1.0 to 7.955 s."""
    [line] = lines(1, 12)
    line.began = 100.0
    return line


def test_words_are_final_as_soon_as_they_are_agreed_on() -> None:
    finals, shown = heard(
        (103.0, message("您好 bonus")),
        (104.0, message("您好bonus points", ("您好", 1.1, 1.5))),
        (105.0, message("您好", ("您好", 1.1, 1.5), final=True)),
        (105.1, message("bonus points", ("bonus", 1.6, 2.0))),
    )
    assert finals == [Text(Channel.AGENT, 1100, 1500, token, True) for token in "您好"]
    assert [one.tokens for one in shown] == [
        ["您", "好", "bonus"],
        ["您", "好", "bonus", "points"],
        ["您", "好"],
        ["您", "好", "bonus", "points"],
    ]
    assert [one.final for one in shown] == [0, 2, 2, 3]


def test_what_follows_an_agreed_word_without_a_space_is_a_word_of_its_own() -> None:
    _, shown = heard((103.0, message("for you.And move", ("for", 1.0, 1.2), ("you.", 1.2, 1.5))))
    assert shown[0].tokens == ["for", "you.", "And", "move"]


def test_a_turn_is_settled_when_its_words_stood_there_and_told_when_they_were_final(line: Line) -> None:
    finals, shown = heard(
        (108.0, message("您号")),
        (109.0, message("您好")),
        (111.0, message("您好", ("您好", 1.1, 7.5), final=True)),
        (115.0, message("好的")),
        (120.0, message("好的", ("好的", 14.0, 15.0), final=True)),
    )
    tell(line, Channel.AGENT, finals, shown)
    line.close(Channel.AGENT)
    assert line.late_ms(settled=True) == pytest.approx([1_045])
    assert line.late_ms(settled=False) == pytest.approx([3_045])
    assert line.missed() == 0


def test_what_goes_away_without_another_in_its_place_still_stands(line: Line) -> None:
    finals, shown = heard(
        (109.0, message("您好吗")),
        (110.0, message("您好")),
        (112.0, message("您好吗", ("您好吗", 1.1, 7.5), final=True)),
    )
    tell(line, Channel.AGENT, finals, shown)
    assert line.late_ms(settled=True) == pytest.approx([1_045])


def test_what_never_became_final_lies_over_no_turn(line: Line) -> None:
    tell(line, Channel.AGENT, *heard((109.0, message("您好吗"))))
    line.close(Channel.AGENT)
    assert line.missed() == 1


def test_the_rest_at_the_end_of_the_stream_is_final_without_words() -> None:
    finals, _ = heard((109.0, message("好", ("好", 1.0, 2.0), final=True)), (110.0, message("的", final=True)))
    assert finals[-1] == Text(Channel.AGENT, 2_000, 2_000, "的", True)
