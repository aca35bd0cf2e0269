"""Spectral normalisation: kernels divided by their largest singular value, so that each layer is 1-Lipschitz.

Miyato, Kataoka, Koyama and Yoshida 2018, "Spectral Normalization for Generative Adversarial Networks"
(arXiv:1802.05957), section 2. A kernel of any rank is the matrix W [everything else, out]; its largest
singular value sigma is followed by power iteration from the vector u [out] of the step before, which the layers keep in
the collection `spectral`.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jax import lax
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv

COLLECTION = "spectral"
_EPSILON = 1e-12  # singular values below it are taken for zero
_FIRST = 15  # power iterations at initialisation, so that the first step divides by nearly the true sigma


def spectral_norm(
    kernel: Float[Array, "*rest o"], u: Float[Array, " o"], iterations: int = 1, epsilon: float = _EPSILON
) -> tuple[Float[Array, "*rest o"], Float[Array, " o"]]:
    """The kernel divided by its largest singular value, and the vector that found it.

    sigma = v^T W u with v = W u / |W u| after `iterations` steps u <- W^T v / |W^T v|, u being a constant to the
    gradient, which flows through W (section 2.3: it keeps W from growing in its first singular direction). v always
    belongs to the u that is returned, so `iterations=0` with that u divides by the same sigma again.

    Args:
        kernel: output channels last.
        u: right singular vector of the step before, of length 1.
        iterations: power iterations; 0 takes u as it is, as evaluation does.
        epsilon: sigma is at least this; BigGAN has 1e-6, SAGAN 1e-8.

    Returns:
        `(kernel / sigma, new u)`. Computed in float32, or float64 for such kernels; the kernel keeps its dtype.
    """
    exact = jnp.promote_types(kernel.dtype, jnp.float32)
    w = kernel.reshape(-1, kernel.shape[-1]).astype(exact)
    u = u.astype(exact)
    fixed = lax.stop_gradient(w)
    for _ in range(iterations):
        v = _unit(_product(fixed, u), epsilon)
        u = _unit(_product(v, fixed), epsilon, u)
    u = lax.stop_gradient(u)
    # |W u| is v^T W u and has the same slope, v u^T; and it has the curvature that unrolled steps ask for.
    sigma = jnp.sqrt(jnp.maximum(jnp.square(_product(w, u)).sum(), epsilon**2))
    return (kernel / sigma).astype(kernel.dtype), u


class SpectralConv(Conv):
    """`layers.conv.Conv` with a spectrally normalised kernel; the bias is free.

    Attributes are those of `Conv`, and:
        iterations: power iterations a training step; the paper takes 1.
        epsilon: sigma is at least this.
    """

    iterations: int = 1
    epsilon: float = _EPSILON

    @nn.compact
    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride] (a `Conv` never asks whether it trains)
        self, x: Float[Array, "*axes i"], *, train: bool
    ) -> Float[Array, "*out {self.features}"]:
        """Convolve as many of the last spatial axes of x as the kernel has; all axes before them are batch.

        Args:
            x: channels-last signals, images or volumes.
            train: take a step of power iteration and keep it where the collection `spectral` is mutable.

        Returns:
            The same kind, in the dtype that `Conv` gives.

        Raises:
            UserError: as `Conv` does, or `iterations` is below 1.
        """
        return self._forward(x, lambda kernel: _normalised(self, kernel, train))


class SpectralDense(nn.Module):
    """`flax.linen.Dense` with a spectrally normalised kernel; the bias is free.

    Attributes:
        features: number of outputs.
        use_bias: add one learned number to each output.
        dtype: of the computation; None takes what inputs and parameters promote to.
        param_dtype: of the parameters.
        kernel_init: initialiser of `kernel` [in, out].
        bias_init: initialiser of `bias` [out].
        iterations: power iterations a training step; the paper takes 1.
        epsilon: sigma is at least this.
    """

    features: int
    use_bias: bool = True
    dtype: Any = None
    param_dtype: Any = jnp.float32
    kernel_init: nn.initializers.Initializer = nn.linear.default_kernel_init
    bias_init: nn.initializers.Initializer = nn.initializers.zeros_init()
    iterations: int = 1
    epsilon: float = _EPSILON

    @nn.compact
    def __call__(self, x: Float[Array, "*batch i"], *, train: bool) -> Float[Array, "*batch {self.features}"]:
        """Map the last axis of x linearly.

        Args:
            x: vectors.
            train: take a step of power iteration and keep it where the collection `spectral` is mutable.
        """
        kernel = self.param("kernel", self.kernel_init, (x.shape[-1], self.features), self.param_dtype)
        bias = self.param("bias", self.bias_init, (self.features,), self.param_dtype) if self.use_bias else None
        kernel = _normalised(self, kernel, train)
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        y = x @ kernel
        return y if bias is None else y + bias


class SpectralEmbed(nn.Module):
    """`flax.linen.Embed` with a spectrally normalised table.

    Attributes:
        num_embeddings: number of rows of the table: of classes, say.
        features: length of a row.
        dtype: of the result; None takes that of the table.
        param_dtype: of the parameters.
        embedding_init: initialiser of `embedding` [num_embeddings, features].
        iterations: power iterations a training step; the paper takes 1.
        epsilon: sigma is at least this.
    """

    num_embeddings: int
    features: int
    dtype: Any = None
    param_dtype: Any = jnp.float32
    embedding_init: nn.initializers.Initializer = nn.linear.default_embed_init
    iterations: int = 1
    epsilon: float = _EPSILON

    @nn.compact
    def __call__(self, index: Int[Array, "*batch"], *, train: bool) -> Float[Array, "*batch {self.features}"]:
        """Rows of the normalised table.

        Args:
            index: row numbers, from 0; what is no row's number gives NaN.
            train: take a step of power iteration and keep it where the collection `spectral` is mutable.
        """
        shape = (self.num_embeddings, self.features)
        table = self.param("embedding", self.embedding_init, shape, self.param_dtype)
        (table,) = promote_dtype(_normalised(self, table, train), dtype=self.dtype)
        return rows_of(table, index)


def rows_of(table: Float[Array, "n features"], index: Int[Array, "*batch"]) -> Float[Array, "*batch features"]:
    """Rows of a table, NaN for an index outside [0, n); Python would take -1, which often means none, for the last."""
    return jnp.take(
        table, jnp.where(index < 0, len(table), index.astype(jnp.int32)), axis=0, mode="fill", fill_value=jnp.nan
    )


def _normalised(layer: "SpectralConv | SpectralDense | SpectralEmbed", kernel: Array, train: bool) -> Array:
    """The kernel by `spectral_norm` from the layer's own u, whose move is kept in training if it may change."""
    if layer.iterations < 1:
        raise UserError(f"iterations of a spectrally normalised layer must be at least 1, got {layer.iterations}.")
    u = layer.variable(COLLECTION, "u", lambda: _first(layer.make_rng("params"), kernel))
    normal, moved = spectral_norm(kernel, u.value, layer.iterations if train else 0, layer.epsilon)
    if train and layer.is_mutable_collection(COLLECTION) and not layer.is_initializing():
        u.value = moved
    return normal


def _first(key: Array, kernel: Array) -> Array:
    exact = jnp.promote_types(kernel.dtype, jnp.float32)
    u = jax.random.normal(key, kernel.shape[-1:], exact)
    return lax.fori_loop(0, _FIRST, lambda _, u: spectral_norm(kernel, u, 1)[1], u / jnp.linalg.norm(u))


def _product(a: Array, b: Array) -> Array:
    # A GPU or TPU would round the factors to fewer bits, and sigma with them.
    return jnp.matmul(a, b, precision=lax.Precision.HIGHEST)


def _unit(x: Array, epsilon: float, otherwise: Array | float = 0.0) -> Array:
    """The vector at length 1; `otherwise` for zeros, so that a kernel of zeros does not lose its u for ever."""
    length = jnp.linalg.norm(x)
    return jnp.where(length > epsilon, x / jnp.maximum(length, epsilon), otherwise)
