"""The Vendi score: how many different images a set has, with no data to compare to."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.checks import check_rows
from jaxgan.metrics.numbers.types import Features


def _spectrum(features: Features) -> Array:
    """Eigenvalues of X X^T / n, rows of X at unit length, less zeros; of X^T X / n where that is the smaller matrix."""
    norms = jnp.linalg.norm(features, axis=1, keepdims=True)
    rows = features / jnp.where(norms > 0, norms, 1)
    n, d = rows.shape
    pair = (rows.T, rows) if d < n else (rows, rows.T)
    return jnp.linalg.eigvalsh(jnp.matmul(*pair, precision=jax.lax.Precision.HIGHEST) / n)


@functools.partial(jax.jit, static_argnames="q")
def vendi(features: Features, *, q: float | int = 1) -> Float[Array, ""]:
    """Vendi score with the cosine kernel: the effective number of different images.

    exp(-sum_i l_i log l_i) with l the eigenvalues of K / n, K_ij the cosine of features i and j (Friedman and Dieng
    2023, arXiv 2210.02410); of order q, (sum_i l_i^q)^(1 / (1 - q)), where small q weighs rare kinds more (Pasarkar and
    Dieng 2024, arXiv 2310.12952).

    Args:
        features: of generated images, or of any.
        q: order, above 0; 1 is Shannon's entropy, `math.inf` the largest eigenvalue alone.

    Returns:
        From 1 (all features point one way) to the smaller of n and d; higher is more diverse. It does not know whether
        images are any good. In the type of the features: small eigenvalues are noise in float32, so use
        `jaxgan.metrics.numbers.double` with float64 features where digits matter.

    Raises:
        UserError: q is not above 0, or there is no image.
    """
    check_rows(features, "The Vendi score", 1)
    if not q > 0:
        raise UserError(f"q of the Vendi score must be above 0, got {q}.")
    eigenvalues = _spectrum(features)
    if q == float("inf"):
        return 1 / jnp.max(eigenvalues)
    positive = jnp.where(eigenvalues > 0, eigenvalues, 1)  # where 1 is, the terms below vanish or are masked
    if q == 1:
        return jnp.exp(-jnp.sum(positive * jnp.log(positive)))
    return jnp.sum(jnp.where(eigenvalues > 0, positive**q, 0)) ** (1 / (1 - q))
