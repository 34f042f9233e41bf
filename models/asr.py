"""
Speech recognition with Whisper on single utterances.

Whisper was made for windows of 30 s and spends the same on half a second. Here the encoder is given the utterance, padded
with silence to the next of a few lengths; where the result looks like one of the loops or inventions that this is
known to cause, it is decoded again on the whole window, and what still looks so is not shown.
"""

import re
import threading
import zlib
from dataclasses import dataclass
from difflib import SequenceMatcher
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
_BUCKETS_S: Final = (10, 15, 20, 30)
_MARGIN_S: Final = 1.0
"""Silence behind the speech at least: with less, the decoder loops."""
_WINDOW_S: Final = 30
_PROMPTS: Final = {"zh": "以下是普通话的句子，这是一段客服电话。"}
"""Steers towards Simplified characters with punctuation."""

_MAX_TOKENS_PER_S: Final = 12.0
_MAX_COMPRESSION: Final = 2.4
_LEAST_LOGPROB: Final = -1.2
_NO_SPEECH: Final = 0.6
_NO_SPEECH_LOGPROB: Final = -0.7

_INVENTED: Final = re.compile(
    r"字幕|請不吝|请不吝|点赞.{0,6}订阅|明镜与点点|amara\.org|thanks? (you )?for watching|subtitles? by|"
    r"please subscribe|www\.",
    re.IGNORECASE,
)
"""What Whisper says when nobody speaks: captions of the videos that it was trained on."""
_ECHO: Final = 0.6
"""Likeness to our own prompt from which on it is that."""


@dataclass(frozen=True, slots=True)
class _Decoded:
    """One pass of the decoder."""

    text: str
    tokens: tuple[int, ...]
    logprob: float
    """Mean of the tokens."""
    no_speech: float
    encoded: Any
    frames: int


class WhisperRecogniser:
    """
    Whisper by CTranslate2; may be used from any thread, works on one utterance at a time.

    Args:
        path: Directory of a CTranslate2 conversion.
        device: "cpu", "cuda", or "auto" for the best there is.
        threads: Of the processor; 0 takes them all.
        beam: Width of the search for finals; partials are greedy.
    """

    def __init__(self, path: Path, *, device: str = "auto", threads: int = 0, beam: int = 5) -> None:
        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() > 0 else "cpu"
        self._whisper = WhisperModel(
            str(path),
            device=device,
            compute_type="float16" if device == "cuda" else "int8",
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
        audio = pcm.astype(np.float32) / np.float32(32768)
        with self._one:
            return self._transcribe(audio, language if language in self._languages else None, final=final)

    def _transcribe(self, audio: npt.NDArray[np.float32], language: str | None, *, final: bool) -> Hypothesis:
        seconds = len(audio) / SAMPLE_RATE
        bucket = next((b for b in _BUCKETS_S if seconds + _MARGIN_S <= b), _WINDOW_S)
        encoded, frames = self._encode(audio, bucket)
        found, certainty = (language, 1.0) if language is not None else self._detect(encoded)
        beam = self._beam if final else 1
        decoded = self._decode(encoded, frames, seconds, found, beam)
        if _suspect(decoded, seconds):
            if bucket == _WINDOW_S or not final:
                return _nothing(found, certainty)
            encoded, frames = self._encode(audio, _WINDOW_S)
            decoded = self._decode(encoded, frames, seconds, found, beam)
            if _suspect(decoded, seconds):
                return _nothing(found, certainty)
        text = self._written(decoded.text, found)
        if not re.search(r"\w", text):
            return _nothing(found, certainty)
        return Hypothesis(
            text=text,
            language=found,
            language_confidence=round(certainty, 3),
            confidence=round(float(np.exp(decoded.logprob)), 3),
            words=self._words(decoded, found, seconds) if final else (),
        )

    def _encode(self, audio: npt.NDArray[np.float32], bucket: int) -> tuple[Any, int]:
        """The encoder's output for the audio, padded with silence to ``bucket`` seconds."""
        padded = np.zeros(bucket * SAMPLE_RATE, np.float32)
        padded[: len(audio)] = audio[: len(padded)]
        features = self._whisper.feature_extractor(padded)[:, : bucket * 100]
        return self._whisper.encode(features), bucket * 100

    def _detect(self, encoded: Any) -> tuple[str, float]:
        """Which of our languages it is, and the share of its probability among them."""
        if len(self._languages) == 1:
            return self._languages[0], 1.0
        among = {token.strip("<|>"): p for token, p in self._model.detect_language(encoded)[0]}
        total = sum(among.get(language, 0.0) for language in self._languages) or 1.0
        best = max(self._languages, key=lambda language: among.get(language, 0.0))
        return best, among.get(best, 0.0) / total

    def _decode(self, encoded: Any, frames: int, seconds: float, language: str, beam: int) -> _Decoded:
        tokenizer = self._tokenizers[language]
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        if language in _PROMPTS:
            prompt = [tokenizer.sot_prev, *tokenizer.encode(" " + _PROMPTS[language]), *prompt]
        result = self._model.generate(
            encoded,
            [prompt],
            beam_size=beam,
            max_length=min(448, len(prompt) + int(_MAX_TOKENS_PER_S * seconds) + 16),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=[-1],
        )[0]
        tokens = tuple(token for token in result.sequences_ids[0] if token < tokenizer.eot)
        # CTranslate2 gives the mean over the tokens and the end.
        return _Decoded(
            tokenizer.decode(list(tokens)).strip(),
            tokens,
            float(result.scores[0]),
            float(result.no_speech_prob),
            encoded,
            frames,
        )

    def _written(self, text: str, language: str) -> str:
        """As a person would write it."""
        if language != "zh":
            return re.sub(r"\s+", " ", text).strip()
        text = self._simplify.convert(text)
        # No spaces but between Latin words; full-width punctuation after Chinese.
        text = re.sub(r"(?<![A-Za-z0-9])\s+|\s+(?![A-Za-z0-9])", "", text)
        for half, full in (",", "，"), ("?", "？"), ("!", "！"), (";", "；"), (":", "："):
            text = re.sub(rf"(?<=[\u4e00-\u9fff]){re.escape(half)}", full, text)
        text = re.sub(r"(?<=[\u4e00-\u9fff])\.", "。", text)
        return text if re.search(r"[。？！，；：.?!]$", text) else text + "。"

    def _words(self, decoded: _Decoded, language: str, seconds: float) -> tuple[Word, ...]:
        """Word times from the decoder's attention; for Chinese, what the tokenizer takes for words."""
        frames = min(decoded.frames, int(seconds * 100) + 50)
        found = self._whisper.find_alignment(
            self._tokenizers[language], [list(decoded.tokens)], decoded.encoded, frames
        )
        words: list[Word] = []
        for item in found[0] if found else ():
            text = str(item["word"]).strip()
            if language == "zh":
                text = self._simplify.convert(text)
            if not re.search(r"\w", text):
                continue
            start = min(float(item["start"]), seconds)
            end = min(max(float(item["end"]), start), seconds)
            words.append(
                Word(
                    text=text,
                    start_ms=round(start * 1000),
                    end_ms=round(end * 1000),
                    confidence=round(float(item["probability"]), 3),
                )
            )
        return tuple(words)


def _suspect(decoded: _Decoded, seconds: float) -> bool:
    """Whether this looks like a loop, or like something invented over noise."""
    if not decoded.tokens:
        return False
    raw = decoded.text.encode()
    if len(decoded.tokens) > _MAX_TOKENS_PER_S * seconds + 8:
        return True
    if len(raw) / len(zlib.compress(raw)) > _MAX_COMPRESSION:
        return True
    if decoded.logprob < _LEAST_LOGPROB:
        return True
    if decoded.no_speech > _NO_SPEECH and decoded.logprob < _NO_SPEECH_LOGPROB:
        return True
    if _INVENTED.search(decoded.text) is not None:
        return True
    return any(SequenceMatcher(None, decoded.text, prompt).ratio() > _ECHO for prompt in _PROMPTS.values())


def _nothing(language: str, certainty: float) -> Hypothesis:
    return Hypothesis(text="", language=language, language_confidence=round(certainty, 3), confidence=0.0)
