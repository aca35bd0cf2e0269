r"""The objectives of the two players, from logits.

With l the logit of D, log D = -softplus(-l) and log(1 - D) = -softplus(l): no logarithm of a sigmoid is ever taken.
Logits may be of any shape (one an image, one a patch) and any pytree of such arrays (one array a scale); losses have
the structure and the shapes of their logits and are never reduced. `mean` reduces them.
"""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias, get_args

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from jaxgan.errors import UserError
from jaxgan.losses.checks import check_same_shape
from jaxgan.losses.reduce import arrays, exact

Logits: TypeAlias = PyTree[Float[Array, "..."]]
Term: TypeAlias = Callable[[Float[Array, "*s"]], Float[Array, "*s"]]
"""An elementwise loss of logits that its player wants high."""


class AdversarialLoss(NamedTuple):
    """A game's two objectives, each to be minimised by its player.

    Attributes:
        d: `(real_logits, fake_logits) -> losses` of the discriminator; real and fake logits are paired by position.
        g: `(fake_logits) -> losses` of the generator; of a relativistic game `(fake_logits, real_logits)`.
        high: the elementwise loss of a logit that D wants high; None for games that are no sum of such terms.
        relative: whether `g` needs the real logits, too.
        boundary: the logit between real and fake; None where only differences of logits mean anything.
    """

    d: Callable[[Logits, Logits], Logits]
    g: Callable[..., Logits]
    high: Term | None = None
    relative: bool = False
    boundary: float | None = 0.0


def _each(loss: Callable[..., Array], *logits: Logits) -> Logits:
    """`loss` of every array of the pytrees, in float32 or better."""
    check_same_shape("real and fake logits", *logits)
    return jax.tree.map(lambda *leaves: loss(*map(exact, leaves)), *logits)


def _separable(high: Term, low: Term, g: Term, boundary: float | None = 0.0) -> AdversarialLoss:
    """The game in which D pays high(D(x)) + low(D(G(z))) and G pays g(D(G(z)))."""
    return AdversarialLoss(
        d=lambda real_logits, fake_logits: _each(lambda r, f: high(r) + low(f), real_logits, fake_logits),
        g=lambda fake_logits: _each(g, fake_logits),
        high=high,
        boundary=boundary,
    )


def binary_cross_entropy(real_logits: Logits, fake_logits: Logits) -> Logits:
    """Discriminator's loss -log D(x) - log(1 - D(G(z))) (Goodfellow et al. 2014, equation 1, negated)."""
    return _each(lambda real, fake: jax.nn.softplus(-real) + jax.nn.softplus(fake), real_logits, fake_logits)


def saturating(fake_logits: Logits) -> Logits:
    """Generator's loss log(1 - D(G(z))) of the min-max game (Goodfellow et al. 2014, equation 1).

    Its gradient with respect to the logit is -D(G(z)): it vanishes where the discriminator is sure.
    """
    return _each(lambda fake: -jax.nn.softplus(fake), fake_logits)


def non_saturating(fake_logits: Logits) -> Logits:
    """Generator's loss -log D(G(z)) (Goodfellow et al. 2014, section 3).

    The same fixed point as the min-max game; its gradient with respect to the logit is D(G(z)) - 1.
    """
    return _each(lambda fake: jax.nn.softplus(-fake), fake_logits)


def value(real_logits: Logits, fake_logits: Logits) -> Logits:
    """Value V(D, G) = log D(x) + log(1 - D(G(z))), whose mean D maximises and G minimises; -log 4 where D = 1/2."""
    return jax.tree.map(jnp.negative, binary_cross_entropy(real_logits, fake_logits))


minimax = AdversarialLoss(d=binary_cross_entropy, g=saturating, high=non_saturating)
"""The min-max game: a zero-sum game up to the terms without the generator."""

non_saturating_gan = AdversarialLoss(d=binary_cross_entropy, g=non_saturating, high=non_saturating)
"""The game that Goodfellow et al. (2014) train in practice, which later papers call the logistic or softplus loss."""


def least_squares(a: float = 0.0, b: float = 1.0, c: float = 1.0) -> AdversarialLoss:
    """LSGAN: D: (D(x) - b)^2 / 2 + (D(G(z)) - a)^2 / 2; G: (D(G(z)) - c)^2 / 2 (Mao et al. 2017, equation 2).

    Args:
        a: D's target for fakes.
        b: D's target for real images.
        c: what G wants D to answer. With b - c = 1 and b - a = 2 the game minimises the Pearson chi-squared
            divergence (a, b, c = -1, 1, 0; theorem of section 3.2); the default is the paper's other choice.

    Raises:
        UserError: the same target for real and fake.
    """
    if a == b:
        raise UserError(f"least squares takes different targets for fakes (a) and real images (b), got {a} for both.")
    if not math.isfinite(a + b + c):
        raise UserError(f"least squares takes finite targets, got a {a}, b {b}, c {c}.")

    def to(target: float) -> Term:
        return lambda logits: 0.5 * jnp.square(logits - target)

    return _separable(high=to(b), low=to(a), g=to(c), boundary=(a + b) / 2)


def wasserstein_critic(real_logits: Logits, fake_logits: Logits) -> Logits:
    """Critic's loss f(G(z)) - f(x); minus its mean estimates the Wasserstein-1 distance up to the critic's slope."""
    return _each(lambda real, fake: fake - real, real_logits, fake_logits)


wasserstein = AdversarialLoss(
    d=wasserstein_critic,
    g=lambda fake_logits: _each(jnp.negative, fake_logits),
    high=jnp.negative,
    boundary=None,
)
"""WGAN: D: f(G(z)) - f(x); G: -f(G(z)) (Arjovsky, Chintala and Bottou 2017, equations 2 and 3).

It needs a critic whose slope is bounded: by clipped weights, a gradient penalty or spectral normalisation.
"""


def smoothed(real_target: float = 0.9, fake_target: float = 0.0) -> AdversarialLoss:
    """The non-saturating game with soft labels for D (one-sided label smoothing, Salimans et al. 2016, section 3.4).

    Args:
        real_target: probability that D should give to real images.
        fake_target: probability that D should give to fakes; above 0 the paper advises against it.

    Raises:
        UserError: targets that are no probabilities in the right order.
    """
    if not 0 <= fake_target < real_target <= 1:
        raise UserError(f"smoothed labels take 0 <= fake < real <= 1, got real {real_target} and fake {fake_target}.")
    # Where both kinds are equally likely the best D answers the mean of the targets.
    middle = (real_target + fake_target) / 2

    def towards(target: float) -> Term:
        return lambda logits: target * jax.nn.softplus(-logits) + (1 - target) * jax.nn.softplus(logits)

    high, low = towards(real_target), towards(fake_target)
    return _separable(high, low, g=non_saturating, boundary=math.log(middle / (1 - middle)))


hinge = _separable(
    high=lambda logits: jax.nn.relu(1 - logits), low=lambda logits: jax.nn.relu(1 + logits), g=jnp.negative
)
"""D: max(0, 1 - D(x)) + max(0, 1 + D(G(z))); G: -D(G(z)) (Lim and Ye 2017; Miyato et al. 2018, equations 16, 17)."""


def relativistic_average(base: AdversarialLoss, axis_name: str | None = None) -> AdversarialLoss:
    """RaGAN: D judges how much more real an image is than the average of the others (Jolicoeur-Martineau 2018).

    With Dr = D(x) - E[D(G(z))] and Df = D(G(z)) - E[D(x)], D's loss is base.d(Dr, Df) and G's base.d(Df, Dr):
    equations 13 and 14 (RaSGAN), and for other bases those of arXiv:1807.00734, section 3 and appendix.

    Args:
        base: any game that is not relativistic itself: `non_saturating_gan`, `hinge`, `least_squares(-1, 1)`, ...
        axis_name: the mapped axis whose devices share a batch, as for `make_train_step`. Means are over the batch, at
            each position of patch logits.
    """
    _require_high(base)

    def compare(these: Logits, others: Logits) -> Logits:
        return _each(lambda x, other: x - _batch_mean(other, axis_name), these, others)

    def d(real_logits: Logits, fake_logits: Logits) -> Logits:
        return base.d(compare(real_logits, fake_logits), compare(fake_logits, real_logits))

    return AdversarialLoss(d, lambda fake_logits, real_logits: d(fake_logits, real_logits), None, True, None)


def relativistic_pairing(base: AdversarialLoss) -> AdversarialLoss:
    """RpGAN: D judges pairs, f(D(x) - D(G(z))), and G the same pairs turned round (Jolicoeur-Martineau 2018).

    With `non_saturating_gan` as base, f(t) = softplus(-t): the loss of R3GAN (Huang et al. 2024, arXiv:2501.05441,
    equation 2), whose landscape has no basins of mode collapse (Sun et al. 2020).

    Args:
        base: the game whose loss for high logits is f.
    """
    f = _require_high(base)

    def d(real_logits: Logits, fake_logits: Logits) -> Logits:
        return _each(lambda real, fake: f(real - fake), real_logits, fake_logits)

    return AdversarialLoss(d, lambda fake_logits, real_logits: d(fake_logits, real_logits), None, True, None)


def mean(losses: Logits) -> Float[Array, ""]:
    """One number: the mean over examples and positions of each array, then over arrays (scales)."""
    return jnp.stack([jnp.mean(exact(x)) for x in arrays(losses)]).mean()


def scoreboard(real_logits: Logits, fake_logits: Logits, boundary: float | None = 0.0) -> dict[str, Float[Array, ""]]:
    """What to watch in every game.

    Args:
        real_logits: of real images.
        fake_logits: of as many fakes.
        boundary: `AdversarialLoss.boundary`. Logits count from there; where it is None, each real logit counts from
            the fake one of its pair, and the other way round.

    Returns:
        `d_real`, `d_fake` (means of D(x) and D(G(z)), probabilities), `value` (mean of V(D, G)), `margin` (mean
        logit of real images minus that of fakes), `accuracy_real`, `accuracy_fake` (shares that D takes for what they
        are), and `r_t`, the mean sign of real logits, which shows how D overfits (Karras et al. 2020, StyleGAN2-ADA).
    """
    check_same_shape("real and fake logits", real_logits, fake_logits)
    pairs = zip(arrays(real_logits), arrays(fake_logits), strict=True)
    boards = [_score(exact(real), exact(fake), boundary) for real, fake in pairs]
    return {name: jnp.stack([board[name] for board in boards]).mean() for name in boards[0]}


Name = Literal[
    "non_saturating", "minimax", "lsgan", "wasserstein", "hinge",
    "ra_non_saturating", "ra_lsgan", "ra_hinge", "ra_wasserstein",
    "rp_non_saturating", "rp_lsgan", "rp_hinge", "rp_wasserstein",
]  # fmt: skip
"""Games that `named` knows."""


def named(name: str, axis_name: str | None = None) -> AdversarialLoss:
    """The game of this name; `ra_` and `rp_` are the relativistic average and pairing of a base.

    Args:
        name: one of `Name`.
        axis_name: for the averages of `ra_` games, as for `make_train_step`.

    Raises:
        UserError: an unknown name.
    """
    if name not in get_args(Name):
        raise UserError(f"there is no adversarial loss {name!r}; there are {', '.join(get_args(Name))}.")
    kind, _, rest = name.partition("_")
    games = {
        "non_saturating": non_saturating_gan,
        "minimax": minimax,
        # A difference of logits has no scale of its own: the targets lie on both sides of zero.
        "lsgan": least_squares() if name == "lsgan" else least_squares(-1.0, 1.0),
        "wasserstein": wasserstein,
        "hinge": hinge,
    }
    if kind == "ra":
        return relativistic_average(games[rest], axis_name)
    return relativistic_pairing(games[rest]) if kind == "rp" else games[name]


def _require_high(base: AdversarialLoss) -> Term:
    if base.high is None:
        raise UserError("a relativistic game takes a base that is not relativistic itself.")
    return base.high


def _batch_mean(x: Float[Array, "b *s"], axis_name: str | None) -> Float[Array, "*s"]:
    local = x.mean(0)
    return local if axis_name is None else jax.lax.pmean(local, axis_name)


def _score(real: Array, fake: Array, boundary: float | None) -> dict[str, Array]:
    r, f = (real - fake, fake - real) if boundary is None else (real - boundary, fake - boundary)
    return {
        "d_real": jax.nn.sigmoid(r).mean(),
        "d_fake": jax.nn.sigmoid(f).mean(),
        "value": jnp.mean(value(r, f)),
        "margin": real.mean() - fake.mean(),
        "accuracy_real": jnp.mean(r > 0),
        "accuracy_fake": jnp.mean(f < 0),
        "r_t": jnp.mean(jnp.sign(r)),
    }
