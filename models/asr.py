"""
Speech recognition with Whisper on single utterances.

Whisper was made for windows of 30 s and spends the same on half a second. Here the encoder is given the utterance,
padded with silence to the next of a few lengths. What comes out is judged: where nobody spoke, nothing is said; a
single word that comes out twice is looked at again; a loop, which short windows are known to cause, is decoded again on
the whole window, and cut off where it stays.
"""

import re
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import ctranslate2
import numpy as np
import numpy.typing as npt
import opencc
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from audio.types import SAMPLE_RATE, Pcm
from models.types import Hypothesis, Word

LANGUAGES: Final = ("zh", "en")
BEAM: Final = 5
"""Width of the search for finals. Greedy search repeats single words: on spoken digits it doubles the errors."""
_BUCKETS_S: Final = (10, 15, 20, 30)
"""Shorter ones save a quarter of the time but double the errors in short utterances (digits: WER 23 to 43 % at 6 s)."""
_MARGIN_S: Final = 1.0
"""Silence behind the speech at least: with less, the decoder loops."""
_WINDOW_S: Final = 30

_TOKENS_PER_S: Final = 12.0
"""No one speaks faster."""
_COMPRESSION: Final = 2.4
_CERTAIN: Final = 0.9
"""Below it, a detected language is doubted where the words fit badly ..."""
_FITS: Final = -0.7
"""... which they do below this mean log-probability."""

_LEAST_SAMPLES: Final = SAMPLE_RATE // 20
_FRAMES_PER_S: Final = 100
_LONGEST_WORD_S: Final = 1.5

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
_INVENTED: Final = re.compile(
    r"字幕|請不吝|请不吝|点赞.{0,6}订阅|明镜与点点|amara\.org|thanks? (?:you )?for watching|subtitles? by|"
    r"please subscribe",
    re.IGNORECASE,
)
"""What Whisper says when nobody speaks: captions of the videos that it was trained on."""
_INVENTED_LOGPROB: Final = -0.4
"""Such words count as said only when they are this likely."""

_NOBODY: Final = Hypothesis(text="", language="unknown", language_confidence=0.0, confidence=0.0)


@dataclass(frozen=True, slots=True)
class _Decoded:
    """One pass of the decoder."""

    language: str
    text: str
    tokens: tuple[int, ...]
    logprob: float
    """Mean of the tokens."""
    no_speech: float
    encoded: Any
    frames: int

    @property
    def said(self) -> bool:
        """Whether somebody spoke."""
        if not self.tokens:
            return False
        if _INVENTED.search(self.text) is not None and self.logprob < _INVENTED_LOGPROB:
            return False
        return self.logprob >= _NOBODY_AT + _NOBODY_SLOPE * self.no_speech


class WhisperRecogniser:
    """
    Whisper by CTranslate2; may be used from any thread, works on one utterance at a time.

    Args:
        path: Directory of a CTranslate2 conversion.
        device: "cpu", "cuda", or "auto" for the best there is.
        compute_type: Of CTranslate2; without it int8 on a processor, float16 on a GPU.
        threads: Of the processor; 0 lets CTranslate2 choose.
        beam: Width of the search for finals; partials are greedy.
    """

    def __init__(
        self,
        path: Path,
        *,
        device: str = "auto",
        compute_type: str | None = None,
        threads: int = 0,
        beam: int = BEAM,
    ) -> None:
        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() > 0 else "cpu"
        self.device = device
        self.compute_type = compute_type or ("float16" if device == "cuda" else "int8")
        self._whisper: Any = WhisperModel(
            str(path),
            device=device,
            compute_type=self.compute_type,
            cpu_threads=threads,
            local_files_only=True,
        )
        self._model: Any = self._whisper.model
        self._beam = beam
        self._one = threading.Lock()
        self._simplify = opencc.OpenCC("t2s")
        multilingual = bool(self._model.is_multilingual)
        self._languages = LANGUAGES if multilingual else ("en",)
        self._tokenizers = {
            language: Tokenizer(self._whisper.hf_tokenizer, multilingual, task="transcribe", language=language)
            for language in self._languages
        }

    def transcribe(self, pcm: Pcm, *, language: str | None, final: bool) -> Hypothesis:
        """See ``models.types.Recogniser``."""
        if len(pcm) > _WINDOW_S * SAMPLE_RATE:
            raise ValueError(f"expected at most {_WINDOW_S} s of speech, got {len(pcm) / SAMPLE_RATE:.1f} s")
        if len(pcm) < _LEAST_SAMPLES:
            return _NOBODY
        audio = pcm.astype(np.float32) / np.float32(32768)
        with self._one:
            return self._transcribe(audio, language if language in self._languages else None, final=final)

    def _transcribe(self, audio: npt.NDArray[np.float32], given: str | None, *, final: bool) -> Hypothesis:
        seconds = len(audio) / SAMPLE_RATE
        bucket = next((b for b in _BUCKETS_S if seconds + _MARGIN_S <= b), _WINDOW_S)
        encoded = self._encode(audio, bucket)
        # A final tells how sure the language is also where it was given: that is how a wrong one is found out.
        shares = self._detect(encoded) if final or given is None else {}
        beam = self._beam if final else 1
        language = given or max(shares, key=lambda name: shares[name])
        decoded = self._decode(encoded, bucket, seconds, language, beam)
        if given is None and shares[language] < _CERTAIN and decoded.logprob < _FITS:
            others = [self._decode(encoded, bucket, seconds, name, beam) for name in shares if name != language]
            decoded = max([decoded, *others], key=lambda one: one.logprob)
        looping = _loops(decoded, seconds)
        if not decoded.said or (looping and decoded.no_speech > _SILENT):
            return _NOBODY
        if _doubled(decoded.tokens):
            # Without timestamps, "eight" often becomes "8 8"; who really said it twice is heard so again.
            again = self._decode(encoded, bucket, seconds, decoded.language, beam, timestamps=True)
            decoded = again if again.tokens else decoded
        if looping:
            if bucket < _WINDOW_S:
                whole = self._encode(audio, _WINDOW_S)
                decoded = self._decode(whole, _WINDOW_S, seconds, decoded.language, beam)
            if not decoded.said:
                return _NOBODY
            decoded = self._cut(decoded)
        text = self._written(decoded.text, decoded.language)
        if not re.search(r"\w", text):
            return _NOBODY
        return Hypothesis(
            text=text,
            language=decoded.language,
            language_confidence=round(shares.get(decoded.language, 1.0), 3),
            confidence=round(min(float(np.exp(decoded.logprob)), 1.0), 3),
            words=self._words(decoded, seconds) if final else (),
        )

    def _encode(self, audio: npt.NDArray[np.float32], bucket: int) -> Any:
        """The encoder's output for the audio, padded with silence to ``bucket`` seconds."""
        padded = np.zeros(bucket * SAMPLE_RATE, np.float32)
        padded[: len(audio)] = audio
        return self._whisper.encode(self._whisper.feature_extractor(padded)[:, : bucket * _FRAMES_PER_S])

    def _detect(self, encoded: Any) -> dict[str, float]:
        """How the probability of our languages falls on each."""
        if len(self._languages) == 1:
            return {self._languages[0]: 1.0}
        among = {token.strip("<|>"): float(p) for token, p in self._model.detect_language(encoded)[0]}
        total = sum(among[language] for language in self._languages)
        return {language: among[language] / total for language in self._languages}

    def _decode(
        self, encoded: Any, bucket: int, seconds: float, language: str, beam: int, *, timestamps: bool = False
    ) -> _Decoded:
        tokenizer = self._tokenizers[language]
        prompt = [*tokenizer.sot_sequence, *(() if timestamps else (tokenizer.no_timestamps,))]
        result = self._model.generate(
            encoded,
            [prompt],
            beam_size=beam,
            max_length=min(448, len(prompt) + int(_TOKENS_PER_S * seconds) + 16),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=[-1],
        )[0]
        tokens = tuple(token for token in result.sequences_ids[0] if token < tokenizer.eot)
        return _Decoded(
            language=language,
            text=tokenizer.decode(list(tokens)).strip(),
            tokens=tokens,
            logprob=float(result.scores[0]),
            no_speech=float(result.no_speech_prob),
            encoded=encoded,
            frames=bucket * _FRAMES_PER_S,
        )

    def _cut(self, decoded: _Decoded) -> _Decoded:
        """What was said before it began to loop, and the loop once."""
        tokens = decoded.tokens[: loop_end(decoded.tokens)]
        return replace(decoded, tokens=tokens, text=self._tokenizers[decoded.language].decode(list(tokens)).strip())

    def _written(self, text: str, language: str) -> str:
        """As a person would write it."""
        text = re.sub(r"[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]", lambda wide: chr(ord(wide[0]) - 0xFEE0), text)
        text = text.replace("\ufffd", "")
        if language != "zh":
            return re.sub(r"\s+", " ", text).strip()
        text = self._simplify.convert(text)
        # No spaces but between Latin words; full-width punctuation after Chinese.
        text = re.sub(r"(?<![A-Za-z0-9,.?!])\s+|\s+(?![A-Za-z0-9])", "", text)
        for half, full in (",", "，"), ("?", "？"), ("!", "！"), (";", "；"), (":", "："):
            text = re.sub(rf"(?<=[\u4e00-\u9fff]){re.escape(half)}", full, text)
        text = re.sub(r"(?<=[\u4e00-\u9fff])\.", "。", text)
        return text + "。" if re.search(r"[\u4e00-\u9fff]$", text) else text

    def _words(self, decoded: _Decoded, seconds: float) -> tuple[Word, ...]:
        """Word times from the decoder's attention; for Chinese, characters or what the tokenizer has as one."""
        frames = min(decoded.frames, int(seconds * _FRAMES_PER_S) + _FRAMES_PER_S // 2)
        found = self._whisper.find_alignment(
            self._tokenizers[decoded.language], [list(decoded.tokens)], decoded.encoded, frames
        )
        words: list[Word] = []
        for item in found[0]:
            text = str(item["word"]).strip()
            if decoded.language == "zh":
                text = self._simplify.convert(text)
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


def _doubled(tokens: Sequence[int]) -> bool:
    """Whether it is the same once more, but for a sign at the end."""
    half = len(tokens) // 2
    return 0 < len(tokens) <= 9 and any(tokens[:n] == tokens[n : 2 * n] for n in {half, (len(tokens) - 1) // 2} if n)


def _loops(decoded: _Decoded, seconds: float) -> bool:
    """Whether the decoder got stuck."""
    raw = decoded.text.encode()
    return (
        len(decoded.tokens) > _TOKENS_PER_S * seconds + 8
        or len(raw) / len(zlib.compress(raw)) > _COMPRESSION
        or loop_end(decoded.tokens) is not None
    )


def loop_end(tokens: Sequence[int]) -> int | None:
    """
    How many tokens are left when the first loop is run through only once; None where nothing loops.

    One or two tokens loop when they come six times in a row, longer runs when they come three times and make up twelve.
    """
    for start in range(len(tokens)):
        for period in range(1, min(24, (len(tokens) - start) // 3) + 1):
            span = next(
                (at for at in range(start + period, len(tokens)) if tokens[at] != tokens[at - period]), len(tokens)
            )
            times = (span - start) // period
            if times >= (6 if period <= 2 else 3) and span - start >= (6 if period <= 2 else 12):
                return start + period
    return None
