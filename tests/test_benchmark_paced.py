"""The measure of the benchmarks: when a turn counts as told, and what is missed."""

import msgspec
import pytest

from audio.types import Channel
from benchmarks.capacity import Level, _held
from benchmarks.environment import spread
from benchmarks.paced import Line, Text, lines


def piece(start_ms: int, end_ms: int, text: str, *, final: bool = True) -> Text:
    return Text(Channel.AGENT, start_ms, end_ms, text, final)


@pytest.fixture
def line() -> Line:
    """The agent's first turn is from 1.0 to 7.955 s, the customer's from 8.455 s on."""
    [line] = lines(1, 12)
    line.began = 100.0
    assert [(turn.channel, turn.end_ms) for turn in line.turns] == [(Channel.AGENT, 7_955)]
    return line


def test_a_turn_is_told_with_its_last_final_and_settled_with_its_last_change(line: Line) -> None:
    line.say(105.0, {"a": piece(1000, 5000, "您好", final=False)})
    line.say(106.0, {"a": piece(1000, 5000, "您好")})
    line.say(108.5, {"b": piece(5000, 7900, "我是小林", final=False)})
    assert line.missed() == 0
    line.say(109.0, {"b": piece(5000, 7900, "我是小林。")})
    assert line.late_ms(settled=False) == pytest.approx([1_045])
    assert line.late_ms(settled=True) == pytest.approx([545])


def test_what_only_partials_say_is_missed_until_the_call_is_over(line: Line) -> None:
    line.say(108.5, {"a": piece(1000, 7900, "您好", final=False)})
    assert (line.missed(), line.late_ms(settled=False)) == (1, [])
    line.close(Channel.AGENT)
    assert (line.missed(), line.late_ms(settled=False)) == (0, pytest.approx([545]))


def test_what_is_taken_back_changes_the_text(line: Line) -> None:
    line.say(108.0, {"a": piece(1000, 7900, "您好"), "open": piece(7000, 7900, "小林", final=False)})
    line.say(109.0, {}, ["open"])
    assert line.late_ms(settled=True) == pytest.approx([1_045])


def test_errors_count_what_lies_over_a_turn_alone(line: Line) -> None:
    text = line.turns[0].text
    line.say(108.0, {"a": piece(1000, 7900, text), "b": piece(8500, 11_000, "不算")})
    assert line.errors().total == 0
    line.say(109.0, {"a": piece(1000, 7900, text[:5])})
    assert line.errors().total > 10


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_silence_is_put_between_the_turns_until_the_talk_share_is_reached(share: float) -> None:
    for line in lines(3, 300, share):
        spoken = sum(turn.end_ms - turn.start_ms for turn in line.turns)
        assert spoken / 300_000 == pytest.approx(share, rel=0.15)
        assert line.recording.duration_ms == 300_000
        assert all(0 <= turn.start_ms < turn.end_ms < 300_000 for turn in line.turns)


def test_lines_begin_at_different_turns_and_take_the_calls_in_turn() -> None:
    found = lines(4, 60)
    assert [line.language for line in found] == ["zh", "en", "zh", "en"]
    assert len({line.turns[0].text for line in found}) == 4


def test_a_bound_is_held_up_to_the_first_number_of_calls_that_passes_it() -> None:
    def level(calls: int, told: float, settled: float, missed: int = 0, judged_by: str = "told") -> Level:
        figures = {"calls": calls, "turns": 9, "missed": missed, "judged_by": judged_by, "errors": 0.1}
        spreads = {"told_ms": spread([told]), "settled_ms": spread([settled])}
        return msgspec.convert(figures | msgspec.to_builtins(spreads), Level)

    levels = [level(1, 500, 900), level(2, 900, 500), level(4, 1_200, 500), level(8, 800, 500)]
    assert [_held(levels, bound).calls for bound in (400, 1_000, 2_000)] == [0, 2, 8]
    assert _held([level(1, 9_000, 900, judged_by="settled")], 1_000).calls == 1
    assert _held([level(1, 500, 500, missed=1)], 1_000).calls == 0


def test_a_turn_whose_end_grows_into_the_next_is_told_when_that_is_final() -> None:
    [line] = lines(1, 12)
    line.began = 100.0
    turn = line.turns[0]
    first = Text(turn.channel, turn.start_ms, turn.end_ms - 2_000, "a", True)
    rest = Text(turn.channel, turn.end_ms - 1_900, turn.end_ms - 300, "b", False)
    line.say(108.0, {"rest": rest})
    line.say(109.0, {"first": first})
    assert line.missed() == len(line.turns)
    line.say(111.0, {"rest": rest._replace(end_ms=turn.end_ms + 9_000, text="b c", final=True)})
    assert line.missed() == len(line.turns) - 1
    assert line.late_ms(settled=False) == pytest.approx([11_000 - turn.end_ms])
