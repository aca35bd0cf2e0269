"""The layers of which BigGAN's and SAGAN's networks are made, spectrally normalised."""

from typing import Any, Literal, NamedTuple, TypeAlias

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxgan.layers.attention import SelfAttention
from jaxgan.layers.conditional import ConditionalBatchNorm, LinearBatchNorm, Projection
from jaxgan.layers.spectral import SpectralConv, SpectralDense

Init: TypeAlias = Literal["orthogonal", "glorot"]
INITS = {"orthogonal": nn.initializers.orthogonal(), "glorot": nn.initializers.glorot_uniform()}


class Layers(NamedTuple):
    """How all layers of a network are made.

    Attributes:
        begin: how kernels begin.
        epsilon: singular values are at least this.
        dtype: of the computation.
        train: whether this is a pass of training.
        classes: of normalisations with a table of them; 0 for none.
        momentum: share of running statistics that a step keeps.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    begin: Init
    epsilon: float
    dtype: Any
    train: bool
    classes: int = 0
    momentum: float = 0.9
    axis_name: str | None = None

    def conv(self, x: Float[Array, "b h w i"], features: int, side: int, name: str) -> Float[Array, "b h w o"]:
        """A convolution of side x side pixels."""
        return SpectralConv(features, (side, side), **self._spectral(), name=name)(x, train=self.train)

    def dense(self, x: Float[Array, "b i"], features: int, name: str) -> Float[Array, "b o"]:
        """A linear map with a bias."""
        return SpectralDense(features, **self._spectral(), name=name)(x, train=self.train)

    def attention(self, x: Float[Array, "b h w c"], name: str) -> Float[Array, "b h w c"]:
        """Self-attention added to x."""
        return SelfAttention(**self._spectral(), name=name)(x, train=self.train)

    def norm(self, x: Array, given: Array | None, label: Array | None, name: str) -> Float[Array, "b h w c"]:
        """Batch normalisation by what is given, else by the class, else of the batch alone."""
        shared: dict[str, Any] = {"momentum": self.momentum, "epsilon": 1e-5, "dtype": self.dtype}
        shared |= {"axis_name": self.axis_name, "name": name}
        if given is not None:
            maps: dict[str, Any] = {"kernel_init": INITS[self.begin], "spectral_epsilon": self.epsilon}
            return LinearBatchNorm(**maps, **shared)(x, given, train=self.train)
        if label is not None:
            return ConditionalBatchNorm(self.classes, **shared)(x, label, train=self.train)
        return nn.BatchNorm(use_running_average=not self.train, **shared)(x)

    def logit(self, phi: Float[Array, "b n"], label: Int[Array, "b"] | None, classes: int) -> Float[Array, "b"]:
        """D's end: a linear map of the features, and with classes an inner product with the class's vector."""
        if label is None:
            return self.dense(phi, 1, "last")[:, 0].astype(jnp.float32)
        head = Projection(classes, **self._spectral(), name="head")
        return head(phi, label, train=self.train).astype(jnp.float32)

    def _spectral(self) -> dict[str, Any]:
        return {"kernel_init": INITS[self.begin], "epsilon": self.epsilon, "dtype": self.dtype}


def painted(layers: Layers, x: Float[Array, "b h w i"], channels: int) -> Float[Array, "b h w o"]:
    """G's end: norm, ReLU, convolution, tanh."""
    x = nn.relu(layers.norm(x, None, None, "norm"))
    return jnp.tanh(layers.conv(x, channels, 3, "last").astype(jnp.float32))
