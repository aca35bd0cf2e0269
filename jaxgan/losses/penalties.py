"""Penalties on slopes: of the critic with respect to images, of the generator to latents; and on kernels.

Each takes a function of a batch, returns one float32 value an example and has no weight of its own: multiply by the
paper's. A critic may return logits of any shape or pytree; its slope is the gradient of the sum of an example's logits.
The slopes of a whole batch are one pull-back. They are those of single examples only if the critic judges each example
by itself, which batch normalisation and minibatch layers do not.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Key

from jaxgan.errors import UserError
from jaxgan.losses.checks import check_array, check_at_least_zero, check_decay, check_keys, check_same_shape
from jaxgan.losses.reduce import arrays, batch_mean, exact, example_sums, total

Critic: TypeAlias = Callable[[Array], Any]
"""Images [b, ...] to logits [b, ...], or a pytree of such."""

_TINY = 1e-12  # added to squares: at 0 the slope of a root is infinite, and 0 times infinity is NaN


def r1(critic: Critic, x: Float[Array, "b *s"]) -> Float[Array, " b"]:
    """|grad D(x)|^2 / 2, to be multiplied by gamma (Mescheder et al. 2018, arXiv:1801.04406, equation 9).

    R2 (equation 10) is this function of fakes.

    Args:
        critic: D.
        x: real images, or any points at which D should be flat.
    """
    return 0.5 * example_sums(jnp.square(_slopes(critic, x)))


def gradient_penalty(
    critic: Critic,
    x_real: Float[Array, "b *s"],
    x_fake: Float[Array, "..."],
    rng: Key[Array, " b"],
    one_sided: bool = False,
    target: float | Array = 1.0,
) -> Float[Array, " b"]:
    """(|grad D(x)| - target)^2 at a random point between each real image and its fake.

    Gulrajani et al. 2017, "Improved Training of Wasserstein GANs" (arXiv:1704.00028), equation 3; the paper's weight is
    10.

    Args:
        critic: D.
        x_real: real images.
        x_fake: as many fakes, of the same shape.
        rng: one key an example, for its position on the line.
        one_sided: punish slopes above the target only (WGAN-LP, Petzka et al. 2018, arXiv:1709.08894).
        target: the slope to hold.

    Raises:
        UserError: images and fakes of different shapes, not one key an example, or a target below 0.
    """
    check_array("a penalty", x_real)
    check_same_shape("x_real and x_fake", x_real, x_fake)
    check_keys(rng, x_real)
    x_real, x_fake = exact(x_real), exact(x_fake)
    position = jax.vmap(jax.random.uniform)(rng).reshape(-1, *[1] * (x_real.ndim - 1))
    return _towards(target, one_sided, critic, x_real + position * (x_fake - x_real))


def dragan(
    critic: Critic,
    x_real: Float[Array, "b *s"],
    rng: Key[Array, " b"],
    variance: float | Array | None = None,
    target: float | Array = 1.0,
    axis_name: str | None = None,
) -> Float[Array, " b"]:
    """(|grad D(x + noise)| - target)^2 around real images.

    Kodali et al. 2017, "On Convergence and Stability of GANs" (arXiv:1705.07215); the paper's weight is 10.

    Args:
        critic: D.
        x_real: real images.
        rng: one key an example.
        variance: c of the noise N(0, c I) of the paper's formula. None takes what its authors ran: uniform noise
            between 0 and half the standard deviation of all numbers in the batch, times a factor between 0 and 1 of
            each example's own.
        target: the slope to hold, k in the paper.
        axis_name: the mapped axis whose devices share the batch, for its standard deviation.

    Raises:
        UserError: a variance or a target below 0, or not one key an example.
    """
    check_at_least_zero("variance", variance)
    check_array("a penalty", x_real)
    check_keys(rng, x_real)
    x_real = exact(x_real)
    if variance is None:
        noise = 0.5 * _deviation(x_real, axis_name) * jax.vmap(lambda key: _shrunk_uniform(key, x_real.shape[1:]))(rng)
    else:
        noise = jnp.sqrt(variance) * jax.vmap(lambda key: jax.random.normal(key, x_real.shape[1:]))(rng)
    return _towards(target, False, critic, x_real + noise)


def path_length(
    generate: Callable[[Array], Array],
    w: Float[Array, "b *l"],
    rng: Key[Array, " b"],
    mean: Float[Array, ""],
    decay: float | Array = 0.99,
) -> tuple[Float[Array, " b"], Float[Array, ""]]:
    """(|J^T y| - mean)^2, J being the Jacobian of an image by its latent and y an image of normal noise.

    Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN" (arXiv:1912.04958), equation 4. The
    noise is divided by the root of the number of pixels, so that one weight suits every image size. Lengths are
    compared with their mean before this batch; the authors' code has this batch in it, which is 1 % of it.

    Args:
        generate: latents to images, in one argument: the others are in its closure.
        w: latents; of several an example, as one for each layer, the mean of the squared lengths counts.
        rng: one key an example.
        mean: moving average of lengths, which a recipe keeps in `extras`; start with 0.
        decay: what a step leaves of the old mean.

    Returns:
        The penalties, and the new mean for `Aux(extras=...)`, in which the engine averages over devices.

    Raises:
        UserError: a decay outside [0, 1), or not one key an example.
    """
    check_decay(decay)
    check_keys(rng, w)
    images, pull_back = jax.vjp(generate, exact(w))
    y = jax.vmap(lambda key: jax.random.normal(key, images.shape[1:], images.dtype))(rng)
    (slopes,) = pull_back(y / math.sqrt(math.prod(images.shape[1:-1])))
    squares = jnp.square(slopes).sum(-1).reshape(len(w), -1).mean(-1)
    lengths = jnp.sqrt(squares + _TINY)
    moved = decay * mean + (1 - decay) * lax.stop_gradient(lengths).mean()
    return jnp.square(lengths - lax.stop_gradient(mean)), moved


def orthogonal(params: Any, diagonal: bool = True) -> Float[Array, ""]:
    """Sum of |W^T W - I|^2 over all kernels W [rest, out]: filters of length 1 at right angles to each other.

    Brock et al. 2017, "Neural Photo Editing with Introspective Adversarial Networks" (arXiv:1609.07093, which sums
    absolute values), as squared Frobenius norms in equation 2 of Brock et al. 2019, "Large Scale GAN Training for High
    Fidelity Natural Image Synthesis" (arXiv:1809.11096).

    Args:
        params: a tree of parameters; every array of rank 2 or more in it is a kernel, output channels last.
        diagonal: False leaves the lengths of the filters free: equation 3 of Brock et al. 2019 (weight 1e-4).

    Raises:
        UserError: a tree without kernels.
    """
    kernels = [leaf for leaf in jax.tree.leaves(params) if jnp.ndim(leaf) >= 2]
    if not kernels:
        raise UserError("orthogonal takes parameters with at least one kernel of rank 2 or more, got none.")
    return total([_excess(exact(kernel), diagonal) for kernel in kernels])


def _slopes(critic: Critic, x: Array) -> Array:
    """Gradient of the sum of each example's logits, `[b, ...]` in float32 or better."""

    def judged(x: Array) -> Array:
        logits = critic(x)
        if any(jnp.shape(leaf)[:1] != x.shape[:1] for leaf in arrays(logits)):
            got = jax.tree.map(jnp.shape, logits)
            raise UserError(f"a critic whose slope is taken gives logits for each of the {len(x)} examples, got {got}.")
        return example_sums(logits).sum()

    check_array("a penalty", x)
    return jax.grad(judged)(exact(x))


def _norms(slopes: Array) -> Array:
    return jnp.sqrt(example_sums(jnp.square(slopes)) + _TINY)


def _towards(target: float | Array, one_sided: bool, critic: Critic, x: Array) -> Array:
    check_at_least_zero("target", target)
    excess = _norms(_slopes(critic, x)) - target
    return jnp.square(jax.nn.relu(excess) if one_sided else excess)


def _deviation(x: Array, axis_name: str | None) -> Array:
    centred = x - batch_mean(x, axis_name).mean()
    return jnp.sqrt(batch_mean(jnp.square(centred), axis_name).mean())


def _shrunk_uniform(key: Array, shape: tuple[int, ...]) -> Array:
    factor, noise = jax.random.split(key)
    return jax.random.uniform(factor) * jax.random.uniform(noise, shape)


def _excess(kernel: Array, diagonal: bool) -> Array:
    w = kernel.reshape(-1, kernel.shape[-1])
    if w.shape[0] < w.shape[1]:
        # W W^T has the squares of W^T W and is smaller: of a dense layer to a base with thousands of units, by far.
        squares = jnp.square(jnp.matmul(w, w.T, precision=lax.Precision.HIGHEST)).sum()
        lengths = jnp.square(w).sum(0)
        return squares - 2 * lengths.sum() + w.shape[1] if diagonal else squares - jnp.square(lengths).sum()
    identity = jnp.eye(w.shape[1], dtype=w.dtype)
    products = jnp.matmul(w.T, w, precision=lax.Precision.HIGHEST)
    return jnp.square(products - identity if diagonal else products * (1 - identity)).sum()
