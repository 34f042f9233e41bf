"""Samples as they travel."""

import numpy as np

from audio.codecs import g711
from audio.errors import PayloadError
from audio.types import Encoding, Pcm

SILENCE = {Encoding.PCMU: b"\xff", Encoding.PCMA: b"\xd5", Encoding.PCM16: b"\x00\x00"}
"""One silent sample."""


def decode(encoding: Encoding, payload: bytes) -> Pcm:
    """
    Payload to samples.

    Raises:
        PayloadError: If PCM16 has half a sample.
    """
    match encoding:
        case Encoding.PCMU:
            return g711.decode_ulaw(payload)
        case Encoding.PCMA:
            return g711.decode_alaw(payload)
        case Encoding.PCM16:
            if len(payload) % 2:
                raise PayloadError("an even number of bytes of PCM16", str(len(payload)), "decode")
            return np.frombuffer(payload, "<i2").astype(np.int16, copy=False)


def encode(encoding: Encoding, pcm: Pcm) -> bytes:
    """Samples to payload."""
    match encoding:
        case Encoding.PCMU:
            return g711.encode_ulaw(pcm)
        case Encoding.PCMA:
            return g711.encode_alaw(pcm)
        case Encoding.PCM16:
            return pcm.astype("<i2", copy=False).tobytes()
