"""The Inception Score: are images of one class each, and of all classes together?"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.checks import check_rows
from jaxgan.metrics.numbers.double import double
from jaxgan.metrics.numbers.types import Logits


class InceptionScore(NamedTuple):
    """Inception Score over splits.

    Attributes:
        mean: mean of the splits' scores.
        std: their standard deviation (0 for one split).
    """

    mean: float
    std: float


@jax.jit
def _split_score(logits: Array) -> Array:
    """exp(mean_i KL(p_i || q)), q the mean of the p_i, from logarithms throughout: no probability can vanish."""
    log_p = jax.nn.log_softmax(logits, axis=1)
    log_q = jax.nn.logsumexp(log_p, axis=0) - np.log(len(logits))
    return jnp.exp(jnp.mean(jnp.sum(jnp.exp(log_p) * (log_p - log_q), axis=1)))


def inception_score(logits: Logits, *, splits: int = 10, seed: int | None = 2020) -> InceptionScore:
    """Inception Score, exp(E_x KL(p(y | x) || p(y))) (Salimans et al. 2016, arXiv 1606.03498, section 4).

    The published number uses the Inception network's 1008 logits *without bias*, ten splits of 50,000 images and the
    marginal p(y) of each split. Split i is the rows from i n // splits to (i + 1) n // splits; torch-fidelity shuffles
    first with seed 2020, others take the images as they come (`seed=None`).

    Args:
        logits: of a classifier, one row for each generated image.
        splits: how many parts are scored apart.
        seed: of the shuffle; None: no shuffle.

    Returns:
        Mean and standard deviation of the parts' scores, each from 1 (all images alike to the classifier, or it knows
        nothing) to the number of classes (sure, and all classes equally often); higher is better. It sees neither the
        data nor copies of it. Computed in float64 whatever the type of the logits.

    Raises:
        UserError: there is no split, or a split without an image.
    """
    if splits < 1:
        raise UserError(f"splits of the Inception Score must be at least 1, got {splits}.")
    check_rows(logits, f"The Inception Score with {splits} splits", splits)
    n, rows = len(logits), np.asarray(logits)
    order = np.arange(n) if seed is None else np.random.RandomState(seed).permutation(n)
    cuts = [i * n // splits for i in range(1, splits)]
    with double():
        scores = [float(_split_score(jnp.asarray(rows[part], float))) for part in np.split(order, cuts)]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))
