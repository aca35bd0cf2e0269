"""Images of 1000 modes: three pieces of clothing, one a channel, and which of the 10 x 10 x 10 a generator knows.

Stacked MNIST (Metz et al. 2017; protocol of Lin, Khetan, Fanti and Oh 2018, PacGAN, arXiv:1712.04086) with the bundled
Fashion-MNIST images in place of digits: each channel is one of 10,000 images at random, each channel of the samples
is classified by the bundled `fashion-cnn`, and the three classes together are one of 1000 modes.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, UInt8

from jaxgan import data, fields
from jaxgan.game import System
from jaxgan.metrics.numbers.modes import ClassModes, class_modes, joint
from jaxgan.metrics.seen_by.fashion_cnn import fashion_cnn
from jaxgan.recipes import gan
from jaxgan.recipes.dcgan import Config
from laboratory.critics import ImageCritic, ImageGenerator, Statistics

PER_CHANNEL, CHANNELS = 10, 3
MODES = PER_CHANNEL**CHANNELS
PROTOCOL = 10_000  # samples; 26,000 in the paper, which take longer than the training
CHUNK = 100  # images the classifier sees at a time: larger batches leave its caches

SPEC = {"image": fields.image(28, 28, CHANNELS)}
BASE = Config(
    batch_size=64,
    steps=1600,
    g_width=16,
    d_width=8,
    d_norm="none",  # a penalty on slopes forbids batch normalisation in D, and all conditions have the same D
    z_dim=64,
    g_learning_rate=1e-3,
    d_learning_rate=1e-3,
    ema_halflife_kimg=2.0,
)


class Condition(NamedTuple):
    """What is trained.

    Attributes:
        config: of the recipe `dcgan`; its networks are those of `critics`.
        statistics: what D sees of the other images of the batch.
    """

    config: Config = BASE
    statistics: Statistics = "none"


CONDITIONS = {
    "plain": Condition(),
    "packing 2": Condition(dataclasses.replace(BASE, packing=2)),
    "minibatch std": Condition(statistics="std"),
    "RpGAN + R1 + R2": Condition(
        dataclasses.replace(BASE, loss="rp_non_saturating", penalty="r1_r2", penalty_weight=1.0)
    ),
}


def build(condition: Condition) -> System:
    """The game of a condition, by the library's toolbox."""
    config = condition.config
    G, D = ImageGenerator(config.g_width), ImageCritic(config.d_width, condition.statistics)
    return gan.between(config, SPEC, G, D)


@functools.cache
def clothes() -> UInt8[np.ndarray, "n 28 28"]:
    """The bundled images."""
    found = data.load("fashion_mnist_10k")
    (arrays,) = data.resident(found, fields.only(found.spec, "image"))
    return arrays["image"][..., 0]


def stack(images: UInt8[Array, "n h w"], key: Key[Array, ""], n: int) -> Float[Array, "n h w 3"]:
    """`n` images in [-1, 1] whose channels are images drawn at random."""
    rows = jax.random.randint(key, (n, CHANNELS), 0, len(images))
    return jnp.moveaxis(images[rows], 1, -1).astype(jnp.float32) / 127.5 - 1


def train(system: System, images: UInt8[Array, "n h w"], seed: int, advance: Any) -> Iterator[tuple[int, Any]]:
    """`(steps, state)` after a quarter of `system.config.steps` and at the end; `advance` is from `advancing`.

    A state is gone when the next one is asked for: its arrays are used again.
    """
    init_key, key, _ = _keys(seed)
    state = jax.jit(system.init)(init_key)
    for steps in sorted({max(1, system.config.steps // 4), system.config.steps}):
        state = advance(state, images, key, steps)
        yield steps, state


def advancing(system: System) -> Any:
    """`(state, images, key, steps) -> state` after so many steps in all, compiled once for all seeds."""

    def one(state: Any, images: Array, key: Array) -> Any:
        batch_key, rng = jax.random.split(key)
        batch = {"image": stack(images, jax.random.fold_in(batch_key, state.step), system.config.batch_size)}
        return system.step(state, batch, rng)[0]

    def many(state: Any, images: Array, key: Array, steps: Int[Array, ""]) -> Any:
        return jax.lax.fori_loop(state.step, steps, lambda _, state: one(state, images, key), state)

    return jax.jit(many, donate_argnums=0)


def sampling(system: System) -> Callable[[Any, int, int], Iterator[Float[Array, "b h w 3"]]]:
    """`(state, n, seed) -> images` of the averaged generator, a hundred at a time."""
    draw = jax.jit(lambda state, keys: system.verbs["sample"](state, {}, keys)["image"])

    def samples(state: Any, n: int, seed: int) -> Iterator[Float[Array, "b h w 3"]]:
        keys = jax.random.split(_keys(seed)[2], n)
        return (draw(state, keys[start : start + CHUNK]) for start in range(0, n, CHUNK))

    return samples


def _keys(seed: int) -> Key[Array, "3"]:
    """Of G and D at their start, of training, of samples."""
    return jax.random.split(jax.random.key(seed), 3)


def real(images: UInt8[Array, "n h w"], n: int, seed: int) -> Iterator[Float[Array, "b h w 3"]]:
    """`n` images of the data, a hundred at a time: what no generator can be told from."""
    for start in range(0, n, CHUNK):
        yield stack(images, jax.random.fold_in(jax.random.key(seed), start), min(CHUNK, n - start))


def count(batches: Iterator[Float[Array, "b h w 3"]]) -> ClassModes:
    """Modes covered and reverse KL to equal modes, by the bundled classifier."""
    return class_modes(joint(np.concatenate([np.asarray(classes(batch)) for batch in batches]), PER_CHANNEL), MODES)


def classes(batch: Float[Array, "b h w 3"]) -> Int[Array, "b 3"]:
    """The class of each channel of images in [-1, 1]."""
    extractor = fashion_cnn()
    return _classes(extractor.params, batch)


@jax.jit
def _classes(params: Any, batch: Array) -> Array:
    # The pixels that a saved image would have.
    pixels = jnp.round(jnp.clip((jnp.moveaxis(batch, -1, 0) + 1) * 127.5, 0, 255))
    logits = fashion_cnn().apply(params, pixels.reshape(-1, *batch.shape[1:3], 1))["logits"]
    return logits.argmax(-1).reshape(CHANNELS, -1).T
