"""Inception v3 as an extractor: the one that FID is defined by, torchvision's, and one with random weights."""

from collections.abc import Callable
from functools import cache
from typing import Any, Literal, cast

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float32

from jaxgan.errors import UserError
from jaxgan.game import Precision
from jaxgan.metrics.inception.net import NET_2015, NET_TORCHVISION, InceptionV3, Variant
from jaxgan.metrics.inception.params import random_state, variables_from_state
from jaxgan.metrics.seen_by.features import Extractor
from jaxgan.metrics.seen_by.resize import Images, resize_bilinear, resize_clean, resize_legacy, to_colour

Resize = Literal["legacy", "clean"]
SIZE = 299
"""Height and width in pixels of what the networks take."""

_RESIZES = {"legacy": resize_legacy, "clean": resize_clean, "bilinear": resize_bilinear}
_DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}


def inception_2015(
    params: Any, weights_sha256: str, resize: Resize = "legacy", precision: Precision = "float32"
) -> Extractor:
    """The extractor that FID is defined by.

    Images are resized to 299x299 and mapped by (x - 128) / 128; grey ones are repeated to three channels. The outputs
    are those of `InceptionV3`.

    Args:
        params: variables of the network, as `variables_from_state(NET_2015, ...)` makes them.
        weights_sha256: SHA-256 of the weights' content, in hex.
        resize: "legacy" as TensorFlow 1, for FID; "clean" for clean-FID.
        precision: number format of the convolutions; FID takes "float32".

    Returns:
        The extractor "inception-2015".

    Raises:
        UserError: for another resize or precision.
    """
    _check("resize", resize, ("legacy", "clean"))
    return _extractor("inception-2015", NET_2015, params, weights_sha256, resize, precision)


def inception_torchvision(params: Any, weights_sha256: str, precision: Precision = "float32") -> Extractor:
    """Torchvision's Inception, for those who want to compare with numbers that were computed with it.

    Images are resized to 299x299 bilinearly, with half-pixel centres and without antialiasing, and mapped by
    x / 127.5 - 1, which is what torchvision's normalisation and its `transform_input` make of them together.

    Args:
        params: variables of the network, as `variables_from_state(NET_TORCHVISION, ...)` makes them.
        weights_sha256: SHA-256 of the weights' content, in hex.
        precision: number format of the convolutions.

    Returns:
        The extractor "inception-torchvision".

    Raises:
        UserError: for another precision.
    """
    return _extractor("inception-torchvision", NET_TORCHVISION, params, weights_sha256, "bilinear", precision)


def random_inception(seed: int = 0, resize: Resize = "legacy", precision: Precision = "float32") -> Extractor:
    """The network of 2015 with random weights: distances of its features are distances, but no FID.

    Args:
        seed: of the weights.
        resize: as of `inception_2015`.
        precision: as of `inception_2015`.

    Returns:
        The extractor "random-inception-<seed>".

    Raises:
        UserError: for another resize or precision.
    """
    params = variables_from_state(NET_2015, random_state(NET_2015, seed), "the random state")
    return inception_2015(params, "", resize, precision)._replace(name=f"random-inception-{seed}")


def _extractor(name: str, variant: Variant, params: Any, weights_sha256: str, resize: str, precision: str) -> Extractor:
    _check("precision", precision, tuple(_DTYPES))
    return Extractor(
        name, weights_sha256, resize, precision, _apply(variant, resize, precision), params, size=(SIZE, SIZE)
    )


@cache
def _apply(variant: Variant, resize: str, precision: str) -> Callable[[Any, Images], dict[str, Float32[Array, "b _"]]]:
    """One function for each form of the network, so that extractors of one form share what is compiled."""
    net = InceptionV3(variant, _DTYPES[precision])

    def apply(params: Any, images: Images) -> dict[str, Float32[Array, "b _"]]:
        # Accelerators round the factors of float32 products unless told otherwise.
        with jax.default_matmul_precision("highest"):
            return lax.platform_dependent(params, images, cpu=one_by_one, default=together)

    def together(params: Any, images: Images) -> dict[str, Float32[Array, "b _"]]:
        x = to_colour(_RESIZES[resize](images, SIZE, SIZE)) / variant.unit - 1
        return cast("dict[str, Array]", net.apply(params, x))

    def one_by_one(params: Any, images: Images) -> dict[str, Float32[Array, "b _"]]:
        # The features of one image fit a processor's cache, those of a batch do not: 1.4 to 2 times as fast.
        outputs = lax.map(lambda image: together(params, image[None]), images)
        return jax.tree.map(lambda output: output[:, 0], outputs)

    return apply


def _check(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UserError(f"{option} takes {' or '.join(choices)}, got {value!r}.")
