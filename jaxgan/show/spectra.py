"""A sound as a picture: its power over time, in bands that are equally wide to the ear."""

import math

import numpy as np
from jaxtyping import Float, Int16, UInt8

RATE = 16000.0  # of a wave whose field says none, samples a second
BANDS = 64
SECONDS = 0.032  # a window
PADDED = 4  # the transform is this much longer than the window: low bands are narrower than 1 / SECONDS
FRAMES = 256  # at most about so many
FLOOR = -80.0  # decibels; what is quieter is black


def picture(wave: Int16[np.ndarray, " n"], rate: float | None) -> UInt8[np.ndarray, "bands frames 1"]:
    """The log-mel spectrogram, low bands at the bottom: black at -80 dB, white for a sine at full scale in one band."""
    decibels = 10.0 * np.log10(np.maximum(mel_power(wave, rate or RATE), 10.0 ** (FLOOR / 10.0)))
    grey = np.clip(255.0 * (1.0 - decibels / FLOOR), 0.0, 255.0)
    return np.round(grey).astype(np.uint8)[::-1, :, None]


def mel_power(wave: Int16[np.ndarray, " n"], rate: float) -> Float[np.ndarray, "bands frames"]:
    """Power in each band; that of a sine of amplitude a (of full scale) sums to a^2 over the bands.

    Args:
        wave: 16-bit samples.
        rate: samples a second.
    """
    window = max(64, 2 ** round(np.log2(SECONDS * rate)))
    hop = max(window // 4, -(-len(wave) // FRAMES))
    padded = np.pad(wave / 32768.0, window // 2)
    pieces = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    shape = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)
    spectrum = np.abs(np.fft.rfft(pieces * shape, PADDED * window)) ** 2
    # Parseval: a sine of amplitude a has a^2 / 2 a sample, and half of that at positive frequencies
    return mel_bank(rate, spectrum.shape[-1]) @ spectrum.T * (4.0 / (PADDED * window * np.sum(shape**2)))


def mel_bank(rate: float, bins: int) -> Float[np.ndarray, "bands bins"]:
    """Triangles over the frequencies 0 to rate / 2, each from its lower neighbour's middle to its upper one's.

    Source: O'Shaughnessy 1987, mel = 2595 log10(1 + f / 700), the scale of HTK.
    """
    edges = from_mel(np.linspace(0.0, to_mel(rate / 2.0), BANDS + 2))[:, None]
    frequencies = np.linspace(0.0, rate / 2.0, bins)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    return np.maximum(0.0, np.minimum((frequencies - low) / (middle - low), (high - frequencies) / (high - middle)))


def to_mel(hertz: float) -> float:
    """Mel of a frequency."""
    return 2595.0 * math.log10(1.0 + hertz / 700.0)


def from_mel(mel: np.ndarray) -> np.ndarray:
    """Frequencies in hertz, the inverse of `to_mel`."""
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
