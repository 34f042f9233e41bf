"""
Scores of a call's sentiment by speaker, in the ways in which others give them: profiles that can be compared.

A profile scores some turns of one speaker; the whole call and each of its quarters are scored alike. All reckoning is
in fractions, so that the same turns give the same digits everywhere.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Final

import msgspec

from agent_assist.call.pace import counted
from agent_assist.errors import TurnsError
from agent_assist.types import CallRecord
from audio.types import Channel

NEUTRAL: Final = 0.25
"""Sentiment of a text, up to which on either side it is neutral: ours."""

Ms = Annotated[int, msgspec.Meta(ge=0)]


class Label(StrEnum):
    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class ScoredTurn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one speaker said in one go, with what it was taken for."""

    speaker: Channel
    begin_ms: Ms
    end_ms: Ms
    label: Label
    words: Annotated[int, msgspec.Meta(ge=0)]
    """Characters of a Chinese one."""


class Turns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The turns of a call, in any order."""

    turns: Annotated[tuple[ScoredTurn, ...], msgspec.Meta(min_length=1)]
    talk_ms: dict[Channel, Annotated[int, msgspec.Meta(gt=0)]] = {}
    """Where it is known better than by the sum of the turns, which hold pauses."""


class Profile(StrEnum):
    CONTACT_LENS = "contact_lens"
    PLAIN_MEAN = "plain_mean"
    END_WEIGHTED = "end_weighted"


class SpeakerScore(msgspec.Struct, frozen=True, kw_only=True):
    quarters: tuple[float | None, float | None, float | None, float | None]
    """Of the time up to the speaker's last word, to two decimals; None where nothing counts."""
    overall: float | None
    """To one decimal, halves away from zero; None where nothing counts."""
    talk_ms: int
    words_per_minute: int | None
    """Over ``talk_ms``."""
    trend: float | None
    """None where the profile has none, or there are fewer than two turns."""


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """What ``score --json`` prints."""

    profile: Profile
    lowest: float
    highest: float
    """Of its scale."""
    speakers: dict[Channel, SpeakerScore]
    """Those who said anything."""


Mean = Callable[[Sequence[ScoredTurn]], Fraction | None]
"""Turns of one speaker by their begin, to their score."""

_SIGN: Final = {Label.POSITIVE: 1, Label.NEUTRAL: 0, Label.NEGATIVE: -1}
_FIVE: Final = 5
_HUNDRED: Final = 100


def mean(turns: Sequence[ScoredTurn]) -> Fraction | None:
    """
    Sum of +5, 0, -5 over the number of turns.

    Source: the turns of Amazon Connect Contact Lens (sentiment scores of its user guide).
    """
    return Fraction(sum(_FIVE * _SIGN[turn.label] for turn in turns), len(turns)) if turns else None


def mean_without_neutral(turns: Sequence[ScoredTurn]) -> Fraction | None:
    """Sum of +5 and -5 over the number of turns that are not neutral; for comparison."""
    return mean([turn for turn in turns if turn.label is not Label.NEUTRAL])


def end_weighted(turns: Sequence[ScoredTurn]) -> Fraction | None:
    """
    Sum of i * s over the sum of i, for s of +100 or -100, over those of n turns that are not neutral; i is the place
    among all of them, from 1, so that the end counts most.

    Source: the customer sentiment score of Genesys Cloud (sentiment analysis, its resource center).
    """
    weighed = [(i, _SIGN[turn.label]) for i, turn in enumerate(turns, start=1) if turn.label is not Label.NEUTRAL]
    if not weighed:
        return None
    return Fraction(sum(_HUNDRED * i * sign for i, sign in weighed), sum(i for i, _ in weighed))


def trend_of(turns: Sequence[ScoredTurn]) -> Fraction | None:
    """
    (end - start) / 2, each the mean of +100 and -100 over its turns that are not neutral, 0 where all are.

    The start is the first half of the turns and the end the last; the middle of an odd number is in neither.

    Source: the sentiment trend of Genesys Cloud, likewise; that start and end are halves is ours.
    """
    half = len(turns) // 2
    if half == 0:
        return None
    start, end = mean_without_neutral(turns[:half]) or 0, mean_without_neutral(turns[-half:]) or 0
    return Fraction(_HUNDRED, _FIVE) * (end - start) / 2


_MEANS: Final[Mapping[Profile, Mean]] = {
    Profile.CONTACT_LENS: mean,
    Profile.PLAIN_MEAN: mean_without_neutral,
    Profile.END_WEIGHTED: end_weighted,
}


def quarters(turns: Sequence[ScoredTurn], score: Mean) -> list[Fraction | None]:
    """
    The score of each of four equal parts of the time from 0 to the last end; a turn belongs where it begins.

    Args:
        turns: Of one speaker.
    """
    end_ms = max(turn.end_ms for turn in turns)
    parts: list[list[ScoredTurn]] = [[], [], [], []]
    for turn in turns:
        parts[min(3, 4 * turn.begin_ms // end_ms) if end_ms else 0].append(turn)
    return [score(part) for part in parts]


def speaker_score(turns: Iterable[ScoredTurn], profile: Profile, talk_ms: int | None = None) -> SpeakerScore:
    """
    The score of one speaker.

    Contact Lens: a quarter without turns is 0, and the whole is the mean of the quarters. The others: the whole is
    scored by itself.

    Args:
        turns: At least one.
        talk_ms: The sum of the turns where not given.
    """
    turns = sorted(turns, key=lambda turn: (turn.begin_ms, turn.end_ms))
    overall: Fraction | None
    parts = quarters(turns, _MEANS[profile])
    if profile is Profile.CONTACT_LENS:
        known = [part or Fraction(0) for part in parts]
        parts, overall = list[Fraction | None](known), sum(known, Fraction(0)) / len(known)
    else:
        overall = _MEANS[profile](turns)
    trend = trend_of(turns) if profile is Profile.END_WEIGHTED else None
    talk_ms = sum(turn.end_ms - turn.begin_ms for turn in turns) if talk_ms is None else talk_ms
    words = sum(turn.words for turn in turns)
    a, b, c, d = (_rounded(part, 2) for part in parts)
    return SpeakerScore(
        quarters=(a, b, c, d),
        overall=_rounded(overall, 1),
        talk_ms=talk_ms,
        words_per_minute=round(_to_places(Fraction(60_000 * words, talk_ms), 0)) if talk_ms else None,
        trend=_rounded(trend, 1),
    )


def scores(call: Turns, profile: Profile) -> Scores:
    """The scores of a call."""
    highest = float(_HUNDRED if profile is Profile.END_WEIGHTED else _FIVE)
    spoken = {who: [turn for turn in call.turns if turn.speaker is who] for who in Channel}
    return Scores(
        profile=profile,
        lowest=-highest,
        highest=highest,
        speakers={who: speaker_score(turns, profile, call.talk_ms.get(who)) for who, turns in spoken.items() if turns},
    )


def read_turns(content: bytes, path: str) -> Turns:
    """
    Turns from JSON.

    Args:
        path: For the error.

    Raises:
        TurnsError: Names the turn and the field.
    """
    try:
        call = msgspec.json.decode(content, type=Turns)
    except msgspec.ValidationError as error:
        raise _told(error, path) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TurnsError(path, "JSON", str(error)) from error
    for number, turn in enumerate(call.turns, start=1):
        if turn.end_ms < turn.begin_ms:
            raise TurnsError(path, f"at least begin_ms, {turn.begin_ms}", str(turn.end_ms), number, "end_ms")
    return call


def _told(error: msgspec.ValidationError, path: str) -> TurnsError:
    message, _, place = str(error).partition(" - at `")
    expected, _, got = (message[:1].lower() + message[1:]).removeprefix("expected ").partition(", got ")
    place = place.rstrip("`").removeprefix("$").removeprefix(".")
    number = None
    if place.startswith("turns["):
        turn, _, place = place.removeprefix("turns[").partition("]")
        number, place = int(turn) + 1, place.removeprefix(".")
    if not got:  # A field that is missing, or one too many: the message names it alone.
        got, expected = expected.replace("`", ""), "the fields of a turn" if number else "turns and talk_ms"
    return TurnsError(path, expected.replace("`", ""), got.replace("`", ""), number, place)


def turns_of(record: CallRecord) -> Turns:
    """
    The turns of a stored call: each utterance is one, labelled by the sentiment of its words.

    What is not known counts as neutral. The agent's too are of the words alone, never of the voice.

    Raises:
        TurnsError: If nobody has said anything.
    """
    if not record.utterances:
        raise TurnsError(record.call_id, "a call in which somebody says something", "none", None, "utterances")
    return Turns(
        turns=tuple(
            ScoredTurn(
                speaker=said.channel,
                begin_ms=said.start_ms,
                end_ms=max(said.start_ms, said.end_ms),
                label=label_of(said.sentiment),
                words=sum(counted(said.text)),
            )
            for said in record.utterances
        )
    )


def label_of(sentiment: float | None) -> Label:
    """What a sentiment of -1 ... 1 is taken for."""
    if sentiment is None or abs(sentiment) <= NEUTRAL:
        return Label.NEUTRAL
    return Label.POSITIVE if sentiment > 0 else Label.NEGATIVE


def _rounded(value: Fraction | None, places: int) -> float | None:
    return None if value is None else float(_to_places(value, places))


def _to_places(value: Fraction, places: int) -> Fraction:
    """Halves away from zero, as people round."""
    scale = 10**places
    whole = int(abs(value) * scale + Fraction(1, 2))
    return Fraction(whole if value >= 0 else -whole, scale)
