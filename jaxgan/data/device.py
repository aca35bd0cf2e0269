"""Data that stays on the device: the whole set as uint8, gathered and normalised inside the compiled step."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8

from jaxgan.data.source import ArraySource, ImageData
from jaxgan.data.threads import in_threads


def resident(data: ImageData) -> dict[str, np.ndarray]:
    """Returns the whole set as {"image": uint8 [N, H, W, C], "label": int32 [N]} ("label" only if labelled).

    Allocates `nbytes(data)` bytes unless the set lies in memory already.
    """
    source = data.source
    if isinstance(source, ArraySource):
        return {"image": source.images} if source.labels is None else {"image": source.images, "label": source.labels}
    arrays: dict[str, np.ndarray] = {"image": np.empty((len(source), *data.image_shape), np.uint8)}
    if data.class_names:
        arrays["label"] = np.empty(len(source), np.int32)

    def fill(index: int) -> None:
        for key, value in source[index].items():
            arrays[key][index] = value

    in_threads(fill, len(source))
    return arrays


def take(arrays: Mapping[str, Array | np.ndarray], index: Int[Array, "*b"] | Int[np.ndarray, "*b"]) -> dict[str, Array]:
    """Gathers a batch from arrays [N, ...] by index [B]; pure, for use inside `jit`. The image stays uint8."""
    return jax.tree.map(lambda whole: jnp.take(jnp.asarray(whole), index, axis=0), dict(arrays))


def normalize(batch: Mapping[str, Array | np.ndarray]) -> dict[str, Array]:
    """Maps the uint8 image of a batch to float32 in [-1, 1] (x / 127.5 - 1); the rest passes unchanged."""
    image = jnp.asarray(batch["image"], jnp.float32) / 127.5 - 1.0
    return {key: jnp.asarray(value) for key, value in batch.items()} | {"image": image}


def to_uint8(images: Float[Array, "..."] | Float[np.ndarray, "..."]) -> UInt8[Array, "..."]:
    """Maps float images in [-1, 1] to uint8, rounding to nearest and clipping; the inverse of `normalize`."""
    scaled = (jnp.asarray(images, jnp.float32) + 1.0) * 127.5
    return jnp.clip(jnp.round(scaled), 0, 255).astype(jnp.uint8)
