"""Which window is told to be the shortest, and what the differences count."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec
import numpy as np

from audio.types import SAMPLE_RATE
from benchmarks.asr import Row
from benchmarks.windows import Window, compare, difference, hear, shortest, together
from models.textnorm import Errors
from models.types import Capacity, Hypothesis, Spoken


class Says:
    """Says one text whatever it hears."""

    capacity = Capacity(workers=1, finals=1, partials=1)

    def __init__(self, text: str, *guarded: str) -> None:
        self.hypothesis = Hypothesis(text=text, language="en", language_confidence=1, confidence=1, guarded=guarded)

    def shape(self, spoken: Spoken) -> int:
        return len(spoken.pcm)

    def transcribe(self, batch: Sequence[Spoken], *, hurried: bool = False) -> list[Hypothesis]:
        assert hurried
        return [self.hypothesis for _ in batch]


def row(words: str) -> Row:
    return Row(words, "en", np.zeros(SAMPLE_RATE, np.int16))


def test_the_difference_is_paired_so_that_what_both_get_wrong_does_not_widen_it() -> None:
    hard = [Errors(substitutions=n % 4, n=4) for n in range(40)]
    assert difference(hard, hard) == (0.0, (0.0, 0.0))
    one_more = [one + Errors(insertions=1) for one in hard]
    assert difference(one_more, hard) == (0.25, (0.25, 0.25))
    assert difference(hard, one_more) == (-0.25, (-0.25, -0.25))


def test_the_interval_holds_the_difference() -> None:
    base = [Errors(n=10)] * 20
    more, (low, high) = difference([Errors(deletions=n % 2, n=10) for n in range(20)], base)
    assert low < more == 0.05 < high


def test_every_window_hears_every_file_and_is_held_against_the_longest() -> None:
    recognisers = {5: Says("one", "loop"), 12: Says("one two", "nobody"), 30: Says("one two")}
    steps: list[int] = []
    heard = compare("set", hear([row("one two")] * 20, recognisers, 2, steps.append))
    assert (heard.n, heard.words, heard.seconds, sum(steps)) == (20, 40, 20.0, 60)
    five, twelve, thirty = heard.windows
    assert (five.window_s, five.errors, five.more, five.retried) == (5, 0.5, 0.5, 1.0)
    assert (twelve.errors, twelve.more, twelve.retried) == (0.0, 0.0, 0.0)
    assert (thirty.window_s, thirty.ms.n) == (30, 20)


def test_a_file_that_is_heard_again_begins_later_and_counts_again() -> None:
    class Lengths(Says):
        heard: ClassVar[list[int]] = []

        def transcribe(self, batch: Sequence[Spoken], *, hurried: bool = False) -> list[Hypothesis]:
            self.heard += [len(spoken.pcm) for spoken in batch]
            return super().transcribe(batch, hurried=hurried)

    heard = compare("set", hear([row("one two")], {30: Lengths("one")}, 1, lambda files: None, times=3))
    assert Lengths.heard == [SAMPLE_RATE, SAMPLE_RATE + 320, SAMPLE_RATE + 640]
    assert (heard.n, heard.words, heard.windows[0].errors) == (1, 6, 0.5)


def test_all_sets_together_count_by_their_words() -> None:
    recognisers = {12: Says("one"), 30: Says("one two three")}
    parts = [hear([row(words)], recognisers, 1, lambda files: None) for words in ("one", "one two three")]
    twelve, thirty = compare("all", together(parts)).windows
    assert (twelve.errors, thirty.errors, twelve.more) == (0.5, 0.5, 0.0)
    assert compare("all", together(parts)).n == 2


def test_the_shortest_window_within_the_margin_is_told() -> None:
    [one] = compare("any", hear([row("one")], {30: Says("one")}, 1, lambda files: None)).windows

    def windows(**more: float) -> list[Window]:
        return [msgspec.structs.replace(one, window_s=int(name[1:]), more=value) for name, value in more.items()]

    assert shortest(windows(w5=0.004, w12=0.003, w30=0), 0.003) == 12
    # One that wins by luck behind one that does not hold does not count.
    assert shortest(windows(w5=-0.01, w12=0.01, w30=0), 0.003) == 30
    assert shortest(windows(w5=-0.01, w12=0.002, w30=0), 0.003) == 5
    assert shortest(windows(w5=0.004, w12=0.0031, w30=0), 0.003) == 30
