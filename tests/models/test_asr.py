"""The recogniser on real weights: what people said, and nothing where they did not."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from audio.resample import Resampler
from audio.types import SAMPLE_RATE, Pcm
from models.asr import LANGUAGES, WINDOWS_S, WhisperRecogniser
from models.textnorm import Errors, cer, normalise, wer
from models.types import Hypothesis, Spoken
from models.vocabulary import Term, Vocabulary
from models.weights import CATALOGUE, UNMEASURED_S, find, locate

CALLS = {"en_cancel_plan": ("en", 0.10), "zh_late_order": ("zh", 0.16)}
"""Language, and the error rate that the default weights stay below."""
NAMES = (("云集优选", "Blue Harbor"), ("NorthFund", "林小姐", "空气净化器"), ())
"""Of three vocabularies."""


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return locate("whisper-base", directory=None, cache=tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def recogniser(whisper: Path) -> WhisperRecogniser:
    return WhisperRecogniser(whisper, device="cpu", window_s=find("whisper-base").window_s)


def said(
    recogniser: WhisperRecogniser, pcm: Pcm, language: str | None, *, final: bool, hurried: bool = False
) -> Hypothesis:
    [hypothesis] = recogniser.transcribe([Spoken(pcm, language, final)], hurried=hurried)
    return hypothesis


def turns(data: Path, call: str) -> Iterator[tuple[Pcm, str]]:
    """Every turn's audio at 16 kHz, and its words."""
    samples, rate = soundfile.read(data / f"{call}.wav", dtype="int16", always_2d=True)
    for turn in json.loads((data / f"{call}.json").read_text())["turns"]:
        start, end = int((turn["start"] - 0.1) * rate), int((turn["end"] + 0.2) * rate)
        resampler = Resampler(rate)
        yield (
            np.concatenate([resampler.push(samples[start:end, turn["channel"]]), resampler.flush()]),
            turn["text"],
        )


def pcm(samples: npt.NDArray[Any]) -> Pcm:
    return np.clip(samples, -32768, 32767).astype(np.int16)


def tones(*frequencies: float, on: float, period: float, seconds: float = 4) -> Pcm:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return pcm(4000 * sum(np.sin(2 * np.pi * f * time) for f in frequencies) * (time % period < on))


NOISE = np.random.default_rng(3)
NOT_SPEECH = {
    "silence": np.zeros(3 * SAMPLE_RATE, np.int16),
    "nothing at all": np.zeros(0, np.int16),
    "line noise": pcm(NOISE.normal(0, 30, 4 * SAMPLE_RATE)),
    "loud noise": pcm(NOISE.normal(0, 3000, 4 * SAMPLE_RATE)),
    "a burst": pcm(NOISE.normal(0, 1000, SAMPLE_RATE // 3)),
    "ringing": tones(440, 480, on=2, period=3),
    "busy": tones(480, 620, on=0.5, period=1),
    "a key": tones(770, 1336, on=0.2, period=0.4),
    "mains hum": pcm(tones(50, on=1, period=1) // 2 + NOISE.normal(0, 50, 4 * SAMPLE_RATE)),
}


@pytest.mark.weights
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("told", "hurried"), [(True, False), (False, False), (True, True)], ids=["given", "detected", "given, in a hurry"]
)
def test_the_words_of_a_call_are_heard(
    recogniser: WhisperRecogniser, data: Path, call: str, told: bool, hurried: bool
) -> None:
    language, margin = CALLS[call]
    rate = cer if language == "zh" else wer
    audio, words = zip(*turns(data, call), strict=True)
    given = language if told else None
    found = [said(recogniser, one, given, final=True, hurried=hurried) for one in audio]
    errors = sum(map(rate, words, [one.text for one in found]), Errors())
    assert errors.n > 100
    assert errors.rate < margin, errors
    assert {one.language for one in found} == {language}


@pytest.mark.weights
@pytest.mark.parametrize("language", [*LANGUAGES, None])
@pytest.mark.parametrize(
    ("final", "hurried"), [(True, False), (True, True), (False, False)], ids=["final", "final in a hurry", "partial"]
)
@pytest.mark.parametrize("sound", NOT_SPEECH)
def test_nothing_is_said_where_nobody_speaks(
    recogniser: WhisperRecogniser, sound: str, final: bool, hurried: bool, language: str | None
) -> None:
    found = said(recogniser, NOT_SPEECH[sound], language, final=final, hurried=hurried)
    assert (found.text, found.language, found.words) == ("", "unknown", ())
    assert len(NOT_SPEECH[sound]) == 0 or "nobody" in found.guarded


@pytest.mark.weights
def test_words_stand_where_they_were_said(recogniser: WhisperRecogniser, data: Path) -> None:
    for call, (language, _) in CALLS.items():
        audio, _ = list(turns(data, call))[1]
        lead = SAMPLE_RATE
        plain = said(recogniser, audio, language, final=True).words
        shifted = said(recogniser, np.concatenate([np.zeros(lead, np.int16), audio]), language, final=True)
        starts = [word.start_ms for word in plain]
        assert starts == sorted(starts)
        assert all(word.start_ms <= word.end_ms <= len(audio) // 16 and 0 <= word.confidence <= 1 for word in plain)
        assert plain[-1].end_ms > len(audio) // 16 - 1_000
        assert shifted.words[-1].end_ms - plain[-1].end_ms == pytest.approx(1_000, abs=200)
        joined = normalise(" ".join(word.text for word in plain)).replace(" ", "")
        text = said(recogniser, audio, language, final=True).text
        assert joined == normalise(text).replace(" ", "")


@pytest.mark.weights
def test_chinese_is_simplified_and_punctuated(recogniser: WhisperRecogniser, data: Path) -> None:
    for audio, _ in turns(data, "zh_late_order"):
        text = said(recogniser, audio, "zh", final=True).text
        assert not set(text) & set("們這個說電話為麼請問還,?!４５")
        assert text[-1] in "。？！"
        assert " " not in re.sub(r"(?<=\d) (?=\d)", "", text)


@pytest.mark.weights
def test_a_partial_has_words_but_no_times(recogniser: WhisperRecogniser, data: Path) -> None:
    audio, words = next(turns(data, "en_cancel_plan"))
    found = said(recogniser, audio[: len(audio) // 2], "en", final=False)
    assert found.words == ()
    heard = normalise(found.text)
    assert len(heard) > 20
    assert normalise(words).startswith(heard[:10])


@pytest.mark.weights
@pytest.mark.parametrize("call", CALLS)
def test_a_sentence_in_the_other_language_is_heard_in_its_own(
    recogniser: WhisperRecogniser, data: Path, call: str
) -> None:
    language, _ = CALLS[call]
    audio = [audio for audio, _ in turns(data, call) if len(audio) > 2 * SAMPLE_RATE][:4]
    for one in audio:
        [other] = {*LANGUAGES} - {language}
        # In a hurry, for at leisure the window depends on the language told.
        free, misled = (said(recogniser, one, told, final=True, hurried=True) for told in (None, other))
        assert (misled.text, misled.words, misled.language) == (free.text, free.words, language)
        assert misled.guarded == ("language",)
        assert said(recogniser, one, other, final=True).language == language
        right = said(recogniser, one, language, final=True)
        assert (right.language, right.guarded) == (language, ())


@pytest.mark.weights
@pytest.mark.gpu
def test_each_of_a_batch_on_a_gpu_is_heard_nearly_as_if_it_came_alone(whisper: Path, data: Path) -> None:
    recogniser = WhisperRecogniser(whisper, device="cuda", window_s=find("whisper-base").window_s)
    shapes: dict[object, list[Spoken]] = {}
    for call, (language, _) in CALLS.items():
        for audio, _ in turns(data, call):
            shapes.setdefault(recogniser.shape(Spoken(audio, language)), []).append(Spoken(audio, language))
    together = [one.text for alike in shapes.values() for one in recogniser.transcribe(alike)]
    alone = [recogniser.transcribe([one])[0].text for alike in shapes.values() for one in alike]
    assert len(alone) > 20
    assert sum(a == b for a, b in zip(together, alone, strict=True)) >= 0.9 * len(alone)


@pytest.mark.weights
@pytest.mark.corpus
def test_a_second_hearing_that_gets_stuck_is_not_taken(recogniser: WhisperRecogniser, corpus: Path) -> None:
    audio, _ = soundfile.read(corpus / "asr_so762_en/000700048.flac", dtype="int16")
    found = said(recogniser, audio, "en", final=True, hurried=True)
    assert found.guarded == ("doubled",)
    assert 0 < len(found.text.split()) <= 8
    assert wer("two two nine one", found.text).total < 4


@pytest.mark.weights
def test_the_same_sound_gives_the_same_words_from_any_thread(recogniser: WhisperRecogniser, data: Path) -> None:
    calls = [(audio, language) for call, (language, _) in CALLS.items() for audio, _ in list(turns(data, call))[:3]]
    alone = [said(recogniser, audio, language, final=True) for audio, language in calls]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda one: said(recogniser, one[0], one[1], final=True), calls * 2))
    assert together == alone * 2


@pytest.mark.weights
@pytest.mark.parametrize(
    ("final", "hurried"), [(True, False), (True, True), (False, False)], ids=["finals", "finals in a hurry", "partials"]
)
def test_each_of_a_batch_is_heard_as_if_it_came_alone(
    recogniser: WhisperRecogniser, data: Path, final: bool, hurried: bool
) -> None:
    # Beside each other: languages told and not told, and vocabularies of which one changes what it stands beside.
    names = [Vocabulary(tuple(Term(text=text) for text in texts)) for texts in NAMES]
    spoken = [
        Spoken(audio, told, final, vocabulary=names[n % len(names)])
        for call, (language, _) in CALLS.items()
        for n, (audio, _) in enumerate(islice(turns(data, call), 8))
        for told in [language if n % 2 else None]
    ]
    spoken += [Spoken(sound, language, final) for sound in list(NOT_SPEECH.values())[2:5] for language in ("en", None)]
    # A word said twice, and one that the search gets stuck on, go further ways than the rest.
    spoken += [Spoken(np.tile(one.pcm[: SAMPLE_RATE // 2], 9), one.language, final) for one in spoken[4:8]]
    shapes: dict[object, list[Spoken]] = {}
    corrected = 0
    for one in spoken:
        shapes.setdefault(recogniser.shape(one), []).append(one)
    assert max(map(len, shapes.values())) >= 6
    for alike in shapes.values():
        alone = [hypothesis for one in alike for hypothesis in recogniser.transcribe([one], hurried=hurried)]
        assert recogniser.transcribe(alike, hurried=hurried) == alone
        corrected += sum(bool(hypothesis.corrections) for hypothesis in alone)
    assert corrected if final else not corrected


@pytest.mark.weights
def test_a_name_of_the_vocabulary_is_written_where_it_was_said(recogniser: WhisperRecogniser, data: Path) -> None:
    audio = next(audio for audio, words in turns(data, "zh_late_order") if "云集优选" in words)
    vocabulary = Vocabulary((Term(text="云集优选"), Term(text="Blue Harbor")))
    [plain] = recogniser.transcribe([Spoken(audio, "zh")])
    [found] = recogniser.transcribe([Spoken(audio, "zh", vocabulary=vocabulary)])
    assert "云集优选" not in plain.text
    assert "云集优选" in found.text
    [correction] = found.corrections
    assert correction.written == "云集优选"
    assert found.raw == plain.text == found.text.replace("云集优选", correction.heard)
    assert normalise("".join(word.text for word in found.words)) == normalise(found.text)


@pytest.mark.weights
def test_what_the_operator_says_is_heard_so_is_written_without_asking(
    recogniser: WhisperRecogniser, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = next(audio for audio, words in turns(data, "zh_late_order") if "云集优选" in words)
    asked: list[str] = []
    monkeypatch.setattr(recogniser, "_likelihoods", lambda *_: asked.append("likelihood"))
    [plain] = recogniser.transcribe([Spoken(audio, "zh")])
    vocabulary = Vocabulary((Term(text="Yunji", sounds_like=(plain.text[:2],)),))
    [found] = recogniser.transcribe([Spoken(audio, "zh", vocabulary=vocabulary)])
    assert found.text.startswith("Yunji")
    assert asked == []


@pytest.mark.weights
def test_the_words_of_its_trade_win_back_a_third_of_the_errors_of_a_call(
    recogniser: WhisperRecogniser, data: Path
) -> None:
    texts = ("云集优选", "星河商城", "空气净化器", "订单号", "手机号码", "优惠券", "中转仓", "小林")
    vocabulary = Vocabulary(tuple(Term(text=text) for text in texts))
    plain = corrected = Errors()
    for audio, words in turns(data, "zh_late_order"):
        plain += cer(words, said(recogniser, audio, "zh", final=True).text)
        [found] = recogniser.transcribe([Spoken(audio, "zh", vocabulary=vocabulary)])
        assert all(correction.written in words for correction in found.corrections)
        corrected += cer(words, found.text)
    assert corrected.total < 0.7 * plain.total


@pytest.mark.weights
def test_a_name_that_the_line_has_brought_is_corrected_as_well(recogniser: WhisperRecogniser, data: Path) -> None:
    [audio] = [audio for audio, words in turns(data, "zh_late_order") if "云集优选" in words][:1]
    assert "云集优选" not in said(recogniser, audio, "zh", final=True).text
    vocabulary = Vocabulary(people=(Term(text="云集优选"),))
    assert "云集优选" in recogniser.transcribe([Spoken(audio, "zh", vocabulary=vocabulary)])[0].text


@pytest.mark.weights
def test_a_name_that_is_not_said_changes_nothing(recogniser: WhisperRecogniser, data: Path) -> None:
    # Northwest is near enough to be put where Northwind was said, but for Northwind being a name as well.
    vocabulary = Vocabulary(tuple(Term(text=text) for text in ("云南", "林晓", "Anne", "Northwest", "Northwind")))
    for call, (language, _) in CALLS.items():
        for audio, _ in islice(turns(data, call), 3):
            [found] = recogniser.transcribe([Spoken(audio, language, vocabulary=vocabulary)])
            assert found == said(recogniser, audio, language, final=True)


@pytest.mark.weights
@pytest.mark.parametrize(
    ("window_s", "seconds", "short"),
    [(5, 0.5, 5), (5, 4.5, 8), (12, 0.5, 12), (12, 10.9, 12), (12, 11.1, 15), (30, 0.5, 30), (5, 29.5, 30)],
)
def test_the_short_window_is_the_next_that_leaves_a_second_of_silence(
    whisper: Path, window_s: int, seconds: float, short: int
) -> None:
    recogniser = WhisperRecogniser(whisper, device="cpu", workers=1, window_s=window_s)
    silence = np.zeros(int(seconds * SAMPLE_RATE), np.int16)
    for language in ("zh", "en", None):
        assert recogniser.shape(Spoken(silence, language, final=False)) == (short, short)
        assert recogniser.shape(Spoken(silence, language))[0] == short


@pytest.mark.weights
@pytest.mark.parametrize(
    ("language", "seconds", "window_s"),
    [("zh", 2.5, 12), ("zh", 2.6, 30), (None, 2.5, 12), (None, 2.6, 30), ("en", 7.0, 12), ("en", 7.1, 30)],
)
def test_a_final_that_wins_by_it_is_heard_in_the_whole_window_at_leisure(
    recogniser: WhisperRecogniser, language: str | None, seconds: float, window_s: int
) -> None:
    silence = np.zeros(int(seconds * SAMPLE_RATE), np.int16)
    assert recogniser.shape(Spoken(silence, language)) == (12, window_s)


def test_a_window_that_nobody_has_tried_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected a window of 5, 8, .*30 s, got 11"):
        WhisperRecogniser(tmp_path, device="cpu", window_s=11)


def test_every_model_has_a_window_that_there_is() -> None:
    assert {weights.window_s for weights in CATALOGUE} <= set(WINDOWS_S)
    assert (find("whisper-base").window_s, find("large-v3").window_s) == (12, UNMEASURED_S)


@pytest.mark.weights
def test_more_than_a_window_is_refused(recogniser: WhisperRecogniser) -> None:
    with pytest.raises(ValueError, match=r"at most 30 s of speech, got 31\.0 s"):
        said(recogniser, np.zeros(31 * SAMPLE_RATE, np.int16), "en", final=True)
