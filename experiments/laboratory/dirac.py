"""Dirac-GAN in closed form: which losses and penalties converge, for which dynamics and learning rates.

The data are one point at 0, the generator one point at theta, and the discriminator is D(x) = psi x (+ a constant for
least squares, whose boundary between real and fake is 1/2): Mescheder, Geiger and Nowozin 2018, "Which Training Methods
for GANs do actually Converge?" (arXiv:1801.04406), sections 2 and 3. With u = psi theta the players descend

    d(u) = loss of D,   g(u) = loss of G,    so that  theta' = -g'(u) psi,   psi' = -d'(u) theta - penalty'(psi),

and at the equilibrium (0, 0) the gradient vector field has the Jacobian [[-c, -g'(0)], [-d'(0), -r]]. All is read off
the table `SLOPES`; tests compare it with the engine of the library.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from laboratory.choices import LOSSES

PENALTIES = ("none", "r1", "r2", "wgan_gp", "clipping", "instance_noise", "consensus")
DYNAMICS = ("simultaneous", "alternating", "alternating_5", "optimistic", "extragradient")
CELLS = tuple((penalty, loss) for penalty in PENALTIES for loss in LOSSES)
# Starts of a path: within reach of the linearisation, and as far as those of the paper's pictures.
NEAR, FAR = (0.01, 0.01), (1.0, 1.0)
Matrix = Float[np.ndarray, "n n"]


class Slopes(NamedTuple):
    """Derivatives of a game's losses where real and fake logits are equal.

    Attributes:
        d: of D's loss by the fake logit.
        g: of G's loss by the fake logit.
        noise: sum of the second derivatives of D's loss by its real and its fake logit, both taken independently: what
            instance noise of variance 1 makes of it.
        offset: the logit at which the equilibrium lies.
    """

    d: float
    g: float
    noise: float
    offset: float = 0.0


SLOPES: dict[str, Slopes] = dict(
    zip(
        LOSSES,
        (
            Slopes(0.5, -0.5, 0.5),  # softplus(-r) + softplus(f): slope 1/2, curvature 1/4 each; G: -softplus(f)
            Slopes(0.5, -0.5, 0.5),  # G: softplus(-f)
            Slopes(0.5, -0.5, 2.0, 0.5),  # (r - 1)^2 / 2 + f^2 / 2; G: (f - 1)^2 / 2
            Slopes(1.0, -1.0, 0.0),  # f - r; G: -f: no curvature
            Slopes(1.0, -1.0, 0.0),  # relu(1 - r) + relu(1 + f): no curvature between the margins
            Slopes(1.0, -1.0, 0.5),  # two terms with slope 1/2; noise of one side cancels in the mean of the other
            Slopes(0.5, -0.5, 0.5),  # softplus(f - r): curvature 1/4 along either logit
        ),
        strict=True,
    )
)


class Setting(NamedTuple):
    """One experiment.

    Attributes:
        loss: one of `choices.LOSSES`.
        penalty: one of `PENALTIES`.
        dynamics: one of `DYNAMICS`.
        rate_d: learning rate of D, of plain gradient descent.
        rate_g: learning rate of G.
        weight: gamma of R1 and R2 and consensus; WGAN-GP's weight; the clipping limit; deviation of instance noise.
    """

    loss: str = "non_saturating"
    penalty: str = "none"
    dynamics: str = "alternating"
    rate_d: float = 0.1
    rate_g: float = 0.1
    weight: float = 1.0


def jacobian(setting: Setting) -> Matrix:
    """The Jacobian of the gradient vector field (theta', psi') at (0, 0), rates not included.

    Returns:
        `[2, 2]`. For "wgan_gp" and "clipping" that of the unregularised game: the first has a kink at psi = 0, where
        `equilibrium` says that there is none, the second does nothing near 0.
    """
    slopes, w = SLOPES[setting.loss], setting.weight
    friction = {"r1": w, "r2": w, "instance_noise": slopes.noise * w**2, "consensus": w * slopes.g**2}
    own = w * slopes.d**2 if setting.penalty == "consensus" else 0.0
    return np.array([[-own, -slopes.g], [-slopes.d, -friction.get(setting.penalty, 0.0)]])


def eigenvalues(setting: Setting) -> np.ndarray:
    """Of `jacobian`: -r/2 +- sqrt(r^2/4 + d'(0) g'(0)) where D has friction r (Mescheder 2018, lemmas 2.3, 4.1)."""
    return np.linalg.eigvals(jacobian(setting))


def operator(setting: Setting) -> Matrix:
    """The linear map that one training step applies to (theta, psi) near the equilibrium.

    Returns:
        `[2, 2]`, or `[4, 4]` of (theta, psi) and the last plain update for optimistic steps.
    """
    field = np.diag([setting.rate_g, setting.rate_d]) @ jacobian(setting)
    identity = np.eye(2)
    if setting.dynamics == "simultaneous":
        return identity + field
    if setting.dynamics == "extragradient":
        return identity + field @ (identity + field)
    if setting.dynamics == "optimistic":
        return np.block([[identity + 2 * field, -identity], [field, np.zeros((2, 2))]])
    g_moves, d_moves = (identity + np.diag(mask) @ field for mask in ([1, 0], [0, 1]))
    critics = 5 if setting.dynamics == "alternating_5" else 1
    return g_moves @ np.linalg.matrix_power(d_moves, critics)


def predicted(setting: Setting, steps: int, start: tuple[float, float]) -> Float[np.ndarray, "steps_and_one 2"]:
    """The path that powers of `operator` give; an optimistic player's first step is a plain one."""
    matrix, first = operator(setting), np.array(start)
    if setting.dynamics == "optimistic":
        first = np.concatenate([first, matrix[2:, :2] @ first])
    return np.array([(np.linalg.matrix_power(matrix, t) @ first)[:2] for t in range(steps + 1)])


def radius(setting: Setting) -> float:
    """Spectral radius of `operator`: the factor by which the distance to the equilibrium changes a step, in the end."""
    return float(np.abs(np.linalg.eigvals(operator(setting))).max())


def equilibrium(setting: Setting) -> bool:
    """Whether (0, 0) is a fixed point: WGAN-GP pushes |psi| to 1 from any side, so with it there is none."""
    return setting.penalty != "wgan_gp"


def verdict(setting: Setting, steps: int = 3000) -> str:
    """What the linearisation says of training that starts near the equilibrium and lasts `steps`.

    "converges" or "diverges" where the distance to (0, 0) falls or grows at least twofold, radius^steps; "undecided"
    where it does neither: of eigenvalues on the unit circle the second-order terms decide, which no Jacobian knows;
    "no equilibrium" for WGAN-GP. Divergence is from the neighbourhood of (0, 0): where the path ends it does not say.
    """
    if not equilibrium(setting):
        return "no equilibrium"
    growth = steps * np.log(radius(setting))
    if abs(growth) < np.log(2):
        return "undecided"
    return "diverges" if growth > 0 else "converges"
