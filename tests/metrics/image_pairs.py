"""Pairs of images [b, h, w, c] that the golden values of image quality were computed from."""

import numpy as np


def noise():
    """White noise and more of it, on the scale 0..1."""
    rng = np.random.RandomState(1)
    a = rng.rand(2, 3, 192, 192).astype(np.float32)
    b = np.clip(a + 0.05 * rng.randn(2, 3, 192, 192).astype(np.float32), 0, 1)
    return np.moveaxis(a, 1, -1), np.moveaxis(b, 1, -1)


def waves():
    """Smooth images of odd size and another brightness, contrast and phase, on the scale 0..255."""
    y, x = np.mgrid[:187, :201].astype(np.float64)
    phases = np.arange(6).reshape(2, 1, 1, 3)
    angle = 0.11 * y[None, :, :, None] + 0.07 * x[None, :, :, None] * (1 + phases) / 2
    a = 127.5 + 100 * np.sin(angle + phases)
    b = 110 + 60 * np.sin(angle + phases + 0.6) + 30 * np.cos(0.9 * x[None, :, :, None])
    return a, b
