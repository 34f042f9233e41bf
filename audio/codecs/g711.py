"""
G.711: companded telephone speech, 8 bits a sample.

Source: ITU-T G.711 (11/88), tables 1a to 2b; samples are scaled to 16 bits as is customary.
"""

from typing import Final

import numpy as np

from audio.types import Pcm


def _ulaw_table() -> Pcm:
    code = ~np.arange(256, dtype=np.uint8)
    exponent = ((code >> 4) & 7).astype(np.int32)
    magnitude = (((code & 15).astype(np.int32) << 3) + 0x84 << exponent) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_table() -> Pcm:
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent = ((code >> 4) & 7).astype(np.int32)
    mantissa = (code & 15).astype(np.int32) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


_ULAW: Final = _ulaw_table()
_ALAW: Final = _alaw_table()


def decode_ulaw(payload: bytes) -> Pcm:
    """Mu-law to 16-bit samples, shape (len(payload),)."""
    return _ULAW[np.frombuffer(payload, np.uint8)]


def decode_alaw(payload: bytes) -> Pcm:
    """A-law to 16-bit samples, shape (len(payload),)."""
    return _ALAW[np.frombuffer(payload, np.uint8)]


def encode_ulaw(pcm: Pcm) -> bytes:
    """16-bit samples to mu-law; what was decoded comes back the same, but for the second code of zero."""
    wide = pcm.astype(np.int32)
    magnitude = np.minimum(np.abs(wide), 32635) + 0x84
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    sign = np.where(wide < 0, 0x80, 0)
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8))


def encode_alaw(pcm: Pcm) -> bytes:
    """16-bit samples to A-law; what was decoded comes back the same."""
    wide = pcm.astype(np.int32)
    # Negative numbers are mirrored around -0.5: A-law has no zero.
    magnitude = np.minimum(np.where(wide < 0, ~wide, wide), 32767)
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 7, 0)
    mantissa = (magnitude >> np.where(exponent == 0, 4, exponent + 3)) & 15
    sign = np.where(wide < 0, 0, 0x80)
    return bytes(((sign | (exponent << 4) | mantissa) ^ 0x55).astype(np.uint8))
