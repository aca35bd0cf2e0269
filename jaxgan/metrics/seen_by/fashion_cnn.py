"""The extractor of small grey images that needs no download: a classifier of Fashion-MNIST, whose weights are bundled.

Trained by `experiments/fashion_classifier.py` on the 60,000 training images of Xiao, Rasul and Vollgraf 2017,
"Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms" (arXiv:1708.07747).
"""

import functools
import hashlib
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import traverse_util
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.metrics.seen_by.classifier import Classifier, Variables, infer
from jaxgan.metrics.seen_by.features import Extractor

WEIGHTS = Path(__file__).parent / "bundled" / "fashion_cnn.safetensors"
CLASSES = 10
SIDE = 28  # pixels
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, white staying white


@functools.cache
def fashion_cnn() -> Extractor:
    """The bundled classifier: taps "features" [b, 128], not negative, and "logits" [b, 10].

    It takes images on the scale 0..255 of any size and of one or three channels: colours become their luminance, and
    other sizes 28 x 28 pixels, bilinear and antialiased.
    """
    content = WEIGHTS.read_bytes()
    return Extractor(
        name="fashion-cnn",
        weights=hashlib.sha256(content).hexdigest(),
        resize=f"{SIDE}x{SIDE}",
        precision="float32",
        apply=_apply,
        params=unpack(content),
        size=(SIDE, SIDE),
    )


def layers(params: Any, images: Float[Array, "b h w c"]) -> tuple[Float[Array, "b _ _ _"], ...]:
    """What the five 3x3 layers of the bundled classifier make of images, the first first; differentiable.

    Args:
        params: of `fashion_cnn()`.
        images: as for `fashion_cnn`.
    """
    seen: dict[str, Any] = {
        "capture_intermediates": lambda layer, _: isinstance(layer, nn.BatchNorm),
        "mutable": ["intermediates"],
    }
    _, made = Classifier(CLASSES).apply(params, _prepare(images) / 127.5 - 1, train=False, **seen)
    found: Any = made["intermediates"]
    return tuple(nn.relu(found[f"BatchNorm_{i}"]["__call__"][0]) for i in range(5))


def pack(variables: Variables, notes: dict[str, str]) -> bytes:
    """The content of a safetensors file: float32, names joined by dots, `notes` as its metadata."""
    import safetensors.numpy

    flat = traverse_util.flatten_dict(jax.device_get(variables), sep=".")
    return safetensors.numpy.save(dict(sorted(flat.items())), notes)


def unpack(content: bytes) -> Variables:
    """The variables in what `pack` made."""
    import safetensors.numpy

    return traverse_util.unflatten_dict(safetensors.numpy.load(content), sep=".")


def _apply(params: Any, images: Array) -> dict[str, Float[Array, "b d"]]:
    with jax.default_matmul_precision("highest"):
        outputs = infer(Classifier(CLASSES), params, _prepare(images) / 127.5 - 1)
    return {"features": outputs.features, "logits": outputs.logits}


def _prepare(images: Array) -> Float[Array, "b 28 28 1"]:
    """Grey images of 28 x 28 pixels, float32 on the scale 0..255."""
    x = jnp.asarray(images, jnp.float32)
    if x.shape[-1] not in (1, 3):
        raise UserError(f"the extractor fashion-cnn takes images of 1 or 3 channels, got {x.shape[-1]}.")
    if x.shape[-1] == 3:
        x = jnp.sum(x * jnp.asarray(_LUMA), axis=-1, keepdims=True)
    if x.shape[1:3] == (SIDE, SIDE):
        return x
    shape = (len(x), SIDE, SIDE, 1)
    return jax.image.resize(x, shape, "linear", antialias=True, precision=jax.lax.Precision.HIGHEST)
