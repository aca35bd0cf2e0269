"""Features and logits that stand for images, made from seeds: nothing here needs a network."""

import contextlib
import json
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxgan.metrics.numbers.double import double


class Sets(NamedTuple):
    real: np.ndarray
    fake: np.ndarray
    logits: np.ndarray

    def double(self):
        return Sets(*(x.astype(np.float64) for x in self))


def golden() -> Sets:
    """Rectified, correlated features, different on both sides: 1000 and 800 images, 64 features."""
    rng = np.random.RandomState(0)
    real = np.maximum(rng.randn(1000, 64) @ (rng.randn(64, 64) * 0.2) + 0.3, 0).astype(np.float32)
    fake = np.maximum(rng.randn(800, 64) @ (rng.randn(64, 64) * 0.2) + 0.35, 0).astype(np.float32)
    return Sets(real, fake, (rng.randn(1000, 10) * 3).astype(np.float32))


def wide() -> Sets:
    """Fewer images than features, 210 and 173 with 320 features, far from the origin; the first fakes are copies."""
    rng = np.random.RandomState(7)
    mixing = rng.randn(320, 320) * np.arange(1, 321) ** -0.5
    real = (rng.randn(210, 320) @ mixing * 0.3 + 5).astype(np.float32)
    fake = (rng.randn(173, 320) @ mixing * 0.28 + 5.1).astype(np.float32)
    fake[:10] = real[20:30]
    return Sets(real, fake, (rng.randn(173, 7) * 2).astype(np.float32))


def unit_directions(count: int, d: int) -> np.ndarray:
    """Directions for what is compared along given ones."""
    rng = np.random.RandomState(11)
    normal = rng.randn(count, d)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def run(function, *arrays, dtype=np.float64, **settings):
    """The function's result as NumPy arrays, computed in a type from arrays of that type."""
    arrays = [x.astype(dtype) for x in arrays]
    with double() if dtype == np.float64 else contextlib.nullcontext():
        return jax.tree.map(np.asarray, function(*arrays, **settings))


def independent() -> dict:
    """What independent libraries made of both sets: experiments/goldens/make_feature_golden.py."""
    return json.loads((Path(__file__).parent / "fixtures" / "feature_metrics.json").read_text())


SETS = {"golden": golden, "wide": wide}
TYPES = (np.float32, np.float64)
