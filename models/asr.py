"""
Speech recognition with Whisper on single utterances, some of them at once.

Whisper was made for windows of 30 s and spends the same on half a second. Here the encoder is given the utterance,
padded with silence to the next of a few lengths. What comes out is judged: where nobody spoke, nothing is said; a
single word that comes out twice is looked at again; a loop, which short windows are known to cause, is decoded again on
the whole window, and cut off where it stays.
"""

import os
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import ctranslate2
import msgspec
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from audio.types import SAMPLE_RATE
from models.correction import candidates, chosen, corrections, rewritten
from models.errors import ComputeUnsupported
from models.features import LogMel
from models.loops import TOKENS_PER_S, doubled, invented, loops, without_loop
from models.script import simplified, traditional
from models.types import Capacity, Correction, Hypothesis, Spoken, Word
from models.vocabulary import Vocabulary
from models.weights import UNMEASURED_S
from models.written import plain, written

LANGUAGES: Final = ("zh", "en")
BEAM: Final = 5
"""Width of the search for finals. Greedy search repeats single words: on spoken digits it doubles the errors."""
WINDOWS_S: Final = (5, 8, 10, 12, 15, 20, 30)
"""What utterances are padded to. Which is the shortest that a model bears, `models.weights.Weights.window_s` says."""
_MARGIN_S: Final = 1.0
"""Silence behind the speech at least: with less, the decoder loops."""
_WINDOW_S: Final = 30
_SHORT_S: Final = {"en": 7.0}
"""Speech up to which the whole window wins nothing, and loses single words ..."""
_SHORT_ELSE_S: Final = 2.5
"""... in Mandarin, and where the language is not known yet."""

_CERTAIN: Final = 0.9
"""Above it, a detected language puts the given one in doubt; below it, it is in doubt where its words fit badly ..."""
_FITS: Final = -0.7
"""... which they do below this mean log-probability."""

_LEAST_SAMPLES: Final = SAMPLE_RATE // 20
_FRAMES_PER_S: Final = 100
_LONGEST_WORD_S: Final = 1.5
_LEAST: Final = 1e-30
"""Of a probability, so that it has a logarithm."""

_NOBODY_AT: Final = -2.17
_NOBODY_SLOPE: Final = 1.55
"""
Nobody spoke where the mean log-probability is below ``_NOBODY_AT`` plus the slope times the probability of no speech.
The line parts 69 noises, tones and silences from 147 of 150 utterances; the other three, single digits, were misheard
anyway. It holds for decoding without timestamps and without a prompt: either makes inventions as likely as speech, and
a prompt comes back as text.
"""
_SILENT: Final = 0.7
"""Probability of no speech above which a loop is no speech either."""
_INVENTED_LOGPROB: Final = -0.4
"""What is said where nobody speaks counts as said only when it is this likely."""

_NOBODY: Final = Hypothesis(text="", language="unknown", language_confidence=0.0, confidence=0.0)


@dataclass(frozen=True, slots=True)
class _Decoded:
    """One utterance after one pass of the decoder."""

    language: str
    text: str
    tokens: tuple[int, ...]
    logprob: float
    """Mean of the tokens."""
    no_speech: float
    encoded: "_Encoded"
    row: int
    """Of ``encoded``."""

    @property
    def said(self) -> bool:
        """Whether somebody spoke."""
        if not self.tokens:
            return False
        if invented(self.text) and self.logprob < _INVENTED_LOGPROB:
            return False
        return self.logprob >= _NOBODY_AT + _NOBODY_SLOPE * self.no_speech


@dataclass(frozen=True, slots=True)
class _Encoded:
    """Some utterances behind the encoder, padded to one window."""

    states: Any
    """CTranslate2 storage, shape (rows, frames / 2, width)."""
    window_s: int


class WhisperRecogniser:
    """
    Whisper by CTranslate2; may be used from any thread.

    On a processor each worker has a single thread: the steps of the decoder are too small to be shared. On two cores,
    two threads took 1.7 times as long for an utterance as one, and two workers with one thread each did 2.9 times as
    much. They share the weights.

    Args:
        path: Directory of a CTranslate2 conversion.
        device: "cpu", "cuda", or "auto" for the best there is.
        compute: Of CTranslate2; "auto" for int8 on a processor, float16 on a GPU, and float32 where they have neither.
        devices: Numbers of the GPUs; each holds the weights and has one worker.
        workers: Batches at once on a processor; 0 for one a core.
        beam: Width of the search for finals; partials are greedy.
        window_s: The shortest window, one of ``WINDOWS_S``, for partials and for finals in a hurry; shorter ones lose
            words, longer ones lose time.

    Raises:
        ComputeUnsupported: If the device has no such arithmetic.
        ValueError: If there is no such window.
    """

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        compute: str = "auto",
        devices: Sequence[int] = (0,),
        workers: int = 0,
        beam: int = BEAM,
        window_s: int = UNMEASURED_S,
    ) -> None:
        if window_s not in WINDOWS_S:
            raise ValueError(f"expected a window of {', '.join(map(str, WINDOWS_S))} s, got {window_s}")
        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() > 0 else "cpu"
        self.device = device
        self.compute = _compute(device, devices, compute)
        if device == "cuda":
            self.capacity = Capacity(workers=len(devices), finals=32, partials=32)
        else:
            self.capacity = Capacity(workers=workers or len(os.sched_getaffinity(0)), finals=1, partials=1)
        self._whisper: Any = WhisperModel(
            str(path),
            device=device,
            device_index=list(devices) if device == "cuda" else 0,
            compute_type=self.compute,
            cpu_threads=1,
            # On GPUs, CTranslate2 counts them for each.
            num_workers=1 if device == "cuda" else self.capacity.workers,
            local_files_only=True,
        )
        self._model: Any = self._whisper.model
        self._features = LogMel(self._whisper.feature_extractor.mel_filters)
        self._beam = beam
        self._windows_s = WINDOWS_S[WINDOWS_S.index(window_s) :]
        self._turns = threading.Semaphore(self.capacity.workers)
        multilingual = bool(self._model.is_multilingual)
        self._languages = LANGUAGES if multilingual else ("en",)
        self._tokenizers = {
            language: Tokenizer(self._whisper.hf_tokenizer, multilingual, task="transcribe", language=language)
            for language in self._languages
        }

    def warm(self) -> None:
        """Hear noise in each window, alone and in the largest batches: the first time, a GPU takes long."""
        noise = np.random.default_rng(0).normal(0, 500, _WINDOW_S * SAMPLE_RATE).astype(np.int16)
        for window_s in self._windows_s if self.device == "cuda" else self._windows_s[:1]:
            for final, most in ((True, self.capacity.finals), (False, self.capacity.partials)):
                spoken = Spoken(noise[: int((window_s - _MARGIN_S) * SAMPLE_RATE)], "en", final)
                for count in {1, most}:
                    self.transcribe([spoken] * count, hurried=True)

    def shape(self, spoken: Spoken) -> tuple[int, int]:
        """The window in a hurry and at leisure, in seconds; see ``models.types.Recogniser``."""
        seconds = len(spoken.pcm) / SAMPLE_RATE
        short = next((window for window in self._windows_s if seconds + _MARGIN_S <= window), _WINDOW_S)
        # The encoder learned from windows of 30 s and hears sentences a little better in them.
        wins = spoken.final and seconds > _SHORT_S.get(spoken.language or "", _SHORT_ELSE_S)
        return short, _WINDOW_S if wins else short

    def _window(self, spoken: Spoken, *, hurried: bool) -> int:
        """In seconds."""
        return self.shape(spoken)[0 if hurried else 1]

    def transcribe(self, batch: Sequence[Spoken], *, hurried: bool = False) -> list[Hypothesis]:
        """See ``models.types.Recogniser``."""
        for spoken in batch:
            if len(spoken.pcm) > _WINDOW_S * SAMPLE_RATE:
                raise ValueError(f"expected at most {_WINDOW_S} s of speech, got {len(spoken.pcm) / SAMPLE_RATE:.1f} s")
        heard = [n for n, spoken in enumerate(batch) if len(spoken.pcm) >= _LEAST_SAMPLES]
        told = [_NOBODY] * len(batch)
        if heard:
            with self._turns:
                found = self._transcribe([batch[n] for n in heard], hurried=hurried)
            for n, hypothesis in zip(heard, found, strict=True):
                told[n] = hypothesis
        return told

    def _transcribe(self, batch: Sequence[Spoken], *, hurried: bool) -> list[Hypothesis]:
        final = batch[0].final
        beam = self._beam if final else 1
        given = [spoken.language if spoken.language in self._languages else None for spoken in batch]
        encoded = self._encode(batch, self._window(batch[0], hurried=hurried))
        shares = self._detect(encoded, given, final=final)
        languages = [
            language or max(share, key=lambda name: share[name]) for language, share in zip(given, shares, strict=True)
        ]
        decoded = self._decode(encoded, list(enumerate(languages)), beam)
        doubted = self._doubt(encoded, decoded, given, shares, beam)
        looping = [n for n, one in enumerate(decoded) if loops(one.tokens, one.text, len(batch[n].pcm) / SAMPLE_RATE)]
        said = {n for n, one in enumerate(decoded) if one.said and not (n in looping and one.no_speech > _SILENT)}
        twice = [n for n in said if doubled(decoded[n].tokens)]
        self._hear_again(encoded, decoded, twice, beam)
        self._hear_whole(decoded, [n for n in looping if n in said], batch, beam)
        # What was heard again with timestamps was judged before: the line does not hold for it.
        said = {n for n in said if n in twice or decoded[n].said}
        nobody = [n for n, one in enumerate(decoded) if one.tokens and n not in said]
        reasons = (("nobody", nobody), ("loop", looping), ("doubled", twice), ("language", doubted))
        raws = {n: text for n in said if re.search(r"\w", text := plain(decoded[n].text, decoded[n].language))}
        corrected = {n: self._correct(decoded, n, batch[n].vocabulary) for n in raws if final}
        words = self._words({n: decoded[n] for n in raws if final or batch[n].timed}, batch)
        told = []
        for n, one in enumerate(decoded):
            guarded = tuple(reason for reason, numbers in reasons if n in numbers)
            if n not in raws:
                told.append(msgspec.structs.replace(_NOBODY, guarded=guarded))
                continue
            text = plain(one.text, one.language)
            text = written(text, one.language) if final else text
            told.append(
                Hypothesis(
                    text=text,
                    language=one.language,
                    language_confidence=round(shares[n].get(one.language, 1.0), 3),
                    confidence=round(min(float(np.exp(one.logprob)), 1.0), 3),
                    words=words.get(n, ()),
                    guarded=guarded,
                    raw=raws[n] if raws[n] != text else "",
                    corrections=corrected.get(n, ()),
                )
            )
        return told

    def _encode(self, batch: Sequence[Spoken], window_s: int) -> _Encoded:
        """The encoder's output, each padded with silence to the window."""
        features = np.stack([self._features(spoken.pcm, window_s) for spoken in batch])
        return _Encoded(self._whisper.encode(features), window_s)

    def _detect(self, encoded: _Encoded, given: Sequence[str | None], *, final: bool) -> list[dict[str, float]]:
        """
        How the probability of our languages falls on each.

        A final tells how sure the language is also where it was given: that is how a wrong one is found out.
        """
        wanted = [final or language is None for language in given]
        if not any(wanted):
            return [{} for _ in given]
        if len(self._languages) == 1:
            return [{self._languages[0]: 1.0} for _ in given]
        shares = []
        for found, want in zip(self._model.detect_language(encoded.states), wanted, strict=True):
            among = {token.strip("<|>"): float(p) for token, p in found}
            total = sum(among[language] for language in self._languages)
            shares.append({language: among[language] / total for language in self._languages} if want else {})
        return shares

    def _decode(
        self, encoded: _Encoded, rows: Sequence[tuple[int, str]], beam: int, *, timestamps: bool = False
    ) -> list[_Decoded]:
        """Decode some rows, each in its language."""
        if not rows:
            return []
        prompts = [
            [*tokenizer.sot_sequence, *(() if timestamps else (tokenizer.no_timestamps,))]
            for tokenizer in (self._tokenizers[language] for _, language in rows)
        ]
        results = self._model.generate(
            _rows(encoded.states, [row for row, _ in rows]),
            prompts,
            beam_size=beam,
            # Of the window, not of the utterance: what stands beside an utterance in a batch must change nothing.
            # CTranslate2 leaves half of it for what is said.
            max_length=min(448, 2 * (int(TOKENS_PER_S * encoded.window_s) + 16)),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=[-1],
        )
        decoded = []
        for (row, language), result in zip(rows, results, strict=True):
            tokenizer = self._tokenizers[language]
            tokens = tuple(token for token in result.sequences_ids[0] if token < tokenizer.eot)
            text = tokenizer.decode(list(tokens)).strip()
            logprob, no_speech = float(result.scores[0]), float(result.no_speech_prob)
            decoded.append(_Decoded(language, text, tokens, logprob, no_speech, encoded, row))
        return decoded

    def _doubt(
        self,
        encoded: _Encoded,
        decoded: list[_Decoded],
        given: Sequence[str | None],
        shares: Sequence[dict[str, float]],
        beam: int,
    ) -> set[int]:
        """
        Try the other languages where a detected one is unsure and its words fit badly, and where another than the
        given one is nearly certain: who speaks Chinese all the time may say a sentence in English. What fits better is
        taken: of 202 utterances in the given language none, of 202 in the other 184.

        Returns:
            Those that were tried again.
        """
        rows = [
            (n, other)
            for n, one in enumerate(decoded)
            for other in self._languages
            if other != one.language
            and (
                shares[n].get(other, 0.0) > _CERTAIN
                if given[n] is not None
                else shares[n][one.language] < _CERTAIN and one.logprob < _FITS
            )
        ]
        if rows:
            for (n, _), other in zip(rows, self._decode(encoded, rows, beam), strict=True):
                decoded[n] = max(decoded[n], other, key=lambda one: one.logprob)
        return {n for n, _ in rows}

    def _hear_again(self, encoded: _Encoded, decoded: list[_Decoded], doubled: Sequence[int], beam: int) -> None:
        """Without timestamps, "eight" often becomes "8 8"; who really said it twice is heard so again."""
        if doubled:
            rows = [(n, decoded[n].language) for n in doubled]
            again = self._decode(encoded, rows, beam, timestamps=True)
            for n, one in zip(doubled, again, strict=True):
                # More than before is no better hearing, but a decoder that is stuck.
                decoded[n] = one if 0 < len(one.tokens) <= len(decoded[n].tokens) + 2 else decoded[n]

    def _hear_whole(self, decoded: list[_Decoded], looping: Sequence[int], batch: Sequence[Spoken], beam: int) -> None:
        """Where the decoder got stuck, try the window that it was made for, and cut off what still loops."""
        if not looping:
            return
        if decoded[0].encoded.window_s < _WINDOW_S:
            whole = self._encode([batch[n] for n in looping], _WINDOW_S)
            rows = [(row, decoded[n].language) for row, n in enumerate(looping)]
            for n, one in zip(looping, self._decode(whole, rows, beam), strict=True):
                decoded[n] = one
        for n in looping:
            one, tokenizer = decoded[n], self._tokenizers[decoded[n].language]
            tokens = tuple(without_loop(one.tokens, tokenizer.decode, len(batch[n].pcm) / SAMPLE_RATE))
            decoded[n] = replace(one, tokens=tokens, text=tokenizer.decode(list(tokens)).strip())

    def _correct(self, decoded: list[_Decoded], n: int, vocabulary: Vocabulary) -> tuple[Correction, ...]:
        """Put in the terms that the speech bears out; each utterance by itself, so that no other changes it."""
        if not vocabulary.spellings:
            return ()
        one = decoded[n]
        tokenizer = self._tokenizers[one.language]
        heard = tokenizer.decode(list(one.tokens))
        text = simplified(heard)
        # All in one script, that in which the decoder wrote: it finds a change from one to the other unlikely.
        script = simplified if text == heard else traditional
        shown = script(heard)
        found = candidates(text, vocabulary) if len(text) == len(shown) else []
        if not found:
            return ()
        tokens = one.tokens if shown == heard else tuple(tokenizer.encode(shown))
        unsure = [candidate for candidate in found if not candidate.certain]
        likelier = dict.fromkeys(found, 0.0)
        if unsure:
            forms = [rewritten(tokens, [candidate], tokenizer, script) for candidate in unsure]
            likelihood, *others = self._likelihoods(one, [tokens, *forms])
            likelier |= {candidate: other - likelihood for candidate, other in zip(unsure, others, strict=True)}
        standing = chosen(found, list(likelier.values()))
        if standing:
            tokens = rewritten(tokens, standing, tokenizer, script)
            decoded[n] = replace(one, tokens=tokens, text=tokenizer.decode(list(tokens)).strip())
        return corrections(text, standing)

    def _likelihoods(self, one: _Decoded, texts: Sequence[Sequence[int]]) -> list[float]:
        """Log-probability of each text, given what was heard."""
        found = self._model.align(
            _rows(one.encoded.states, [one.row] * len(texts)),
            self._tokenizers[one.language].sot_sequence,
            [list(tokens) for tokens in texts],
            [one.encoded.window_s * _FRAMES_PER_S] * len(texts),
        )
        return [float(np.log(np.maximum(each.text_token_probs, _LEAST)).sum()) for each in found]

    def _words(self, decoded: dict[int, _Decoded], batch: Sequence[Spoken]) -> dict[int, tuple[Word, ...]]:
        """Word times from the decoder's attention; for Chinese, characters or what the tokenizer has as one."""
        words: dict[int, tuple[Word, ...]] = {}
        together: dict[tuple[str, int, int], list[int]] = {}
        for n, one in decoded.items():
            # On a processor, what stands beside an utterance moves some of its words by a frame, and nothing is won.
            alone = n if self.device == "cpu" else -1
            together.setdefault((one.language, one.encoded.window_s, alone), []).append(n)
        for (language, window_s, _), numbers in together.items():
            seconds = [len(batch[n].pcm) / SAMPLE_RATE for n in numbers]
            longest = window_s * _FRAMES_PER_S
            aligned = self._whisper.find_alignment(
                self._tokenizers[language],
                [list(decoded[n].tokens) for n in numbers],
                _rows(decoded[numbers[0]].encoded.states, [decoded[n].row for n in numbers]),
                [min(longest, int(s * _FRAMES_PER_S) + _FRAMES_PER_S // 2) for s in seconds],
            )
            for n, found, length in zip(numbers, aligned, seconds, strict=True):
                words[n] = self._timed(found, language, length)
        return words

    def _timed(self, found: Sequence[dict[str, Any]], language: str, seconds: float) -> tuple[Word, ...]:
        words: list[Word] = []
        for item in found:
            text = str(item["word"]).strip()
            if language == "zh":
                text = simplified(text)
            if not re.search(r"\w", text):
                continue
            end = min(float(item["end"]), seconds)
            # The first word is given the silence before it as well.
            start = max(min(float(item["start"]), end), end - _LONGEST_WORD_S)
            words.append(
                Word(
                    text=text,
                    start_ms=round(start * 1000),
                    end_ms=round(end * 1000),
                    confidence=round(min(max(float(item["probability"]), 0.0), 1.0), 3),
                )
            )
        return tuple(words)


def _compute(device: str, devices: Sequence[int], wanted: str) -> str:
    """What CTranslate2 is to calculate with, on all of the devices."""
    numbers = devices if device == "cuda" else (0,)
    supported = set.intersection(*(set(ctranslate2.get_supported_compute_types(device, number)) for number in numbers))
    if wanted == "auto":
        best = "float16" if device == "cuda" else "int8"
        return best if best in supported else "float32"
    if wanted not in supported:
        raise ComputeUnsupported(device, tuple(sorted(supported)), wanted)
    return wanted


def _rows(states: Any, rows: Sequence[int]) -> Any:
    """Some rows of the encoder's output, where they lie."""
    if list(rows) == list(range(states.shape[0])):
        return states
    device = states.device
    picked = np.ascontiguousarray(np.array(states.to_device(ctranslate2.Device.cpu))[list(rows)])
    return ctranslate2.StorageView.from_array(picked).to_device(getattr(ctranslate2.Device, device))
