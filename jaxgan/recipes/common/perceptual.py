"""Frozen networks whose layers compare two pictures: the perceptual loss of Johnson et al. 2016, arXiv:1603.08155."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import jax.numpy as jnp
from jax.lax import stop_gradient
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.fields import Field
from jaxgan.metrics.seen_by.fashion_cnn import fashion_cnn, layers

Name: TypeAlias = Literal["auto", "fashion-cnn", "none"]
WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Of five layers, the first first, as pix2pixHD weighs those of its network."""
_SMALL = 64  # pixels a side that `fashion-cnn`, which sees 28, may stand for


class FeatureNetwork(NamedTuple):
    """A network that never moves.

    Attributes:
        name: what it is called.
        apply: pure `(params, pictures [b, h, w, c] in [-1, 1]) -> features of its layers`, the first first.
        params: a pytree of arrays.
        weights: of the layers.
    """

    name: str
    apply: Callable[[Any, Array], Sequence[Array]]
    params: Any
    weights: tuple[float, ...] = WEIGHTS


def feature_network(name: Name, picture: Field) -> FeatureNetwork | None:
    """The network of this name, or None for none.

    Args:
        name: "auto" is "fashion-cnn", a classifier of grey clothes that the package has, for grey pictures of at most
            64 pixels a side, and none for all others.
        picture: what it shall see.

    Raises:
        UserError: pictures that `fashion-cnn` does not see.
    """
    height, width, channels = picture.fixed
    if name == "auto":
        name = "fashion-cnn" if channels == 1 and max(height, width) <= _SMALL else "none"
    if name == "none":
        return None
    if channels not in (1, 3):
        raise UserError(f"--perceptual fashion-cnn takes pictures of 1 or 3 channels, got {channels}.")
    return FeatureNetwork(name, lambda params, x: layers(params, (x + 1) * 127.5), fashion_cnn().params)


def perceptual(
    network: FeatureNetwork, params: Any, real: Float[Array, "b h w c"], fake: Float[Array, "b h w c"]
) -> Float[Array, " b"]:
    """Sum over layers of weight times the mean |f(real) - f(fake)|; no slope goes through the real pictures' side.

    Args:
        network: what sees both.
        params: its parameters.
        real: pictures in [-1, 1].
        fake: as many others.
    """
    pairs = zip(network.weights, network.apply(params, real), network.apply(params, fake), strict=True)
    return sum(
        (weight * jnp.abs(stop_gradient(x) - y).mean((1, 2, 3)) for weight, x, y in pairs), start=jnp.zeros(len(real))
    )
