"""3D-GAN: shapes as voxels from a latent space (Wu et al. 2016).

Learning a Probabilistic Latent Space of Object Shapes via 3D Generative-Adversarial Modeling, arXiv:1610.07584.

    V(D, G) = E_x[log D(x)] + E_z[log(1 - D(G(z)))]                                   (equation 1)

between volumes, in its non-saturating form. The paper's networks are DCGAN's with a third dimension (`--network conv`,
cubes of 16, 32 or 64 voxels). The paper holds D back by a slow rate and by a gate: D moves only while it recognises at
most 80 % of a batch (section 3.1; `--gate 0.8`). Several people report that these settings fail; what keeps D flat here
is a penalty on its slope at real shapes (R1, Mescheder et al. 2018, arXiv:1801.04406).
"""

from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Key

from jaxgan.errors import UserError
from jaxgan.fields import Needs, Spec
from jaxgan.game import Aux, LossFn, System, dtype_of
from jaxgan.losses import adversarial
from jaxgan.losses.penalties import Critic, r1
from jaxgan.nets.voxel import VoxelDiscriminator, VoxelGenerator
from jaxgan.nets.voxel_dense import DenseVoxelDiscriminator, DenseVoxelGenerator
from jaxgan.recipes.common.base import AtLeastZero, Decay, LatentConfig, adams, check
from jaxgan.recipes.common.objectives import objectives
from jaxgan.recipes.common.wiring import latent_game, take_turns, wire

NEEDS = Needs({"voxels": "voxels", "label": "label?"})
DATA = "furniture_16"


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """Fully connected networks for cubes of 16 voxels, which learn in minutes on two cores."""

    steps: int = 3_000
    z_dim: int = 64
    """Size of the latent vector; the paper's is 200."""
    g_learning_rate: float = 5e-4
    """Adam's rate for the generator; the paper's is 0.0025."""
    d_learning_rate: float = 5e-4
    """Adam's rate for the discriminator; the paper's is 0.00001."""
    beta2: Decay = 0.99
    """Adam's decay of the second moment, for both players."""
    network: Literal["dense", "conv"] = "dense"
    """Fully connected networks, or the paper's convolutional ones."""
    g_widths: tuple[int, ...] = (256, 512)
    """Dense: units of the generator's hidden layers."""
    d_widths: tuple[int, ...] = (512, 256)
    """Dense: units of the discriminator's hidden layers."""
    width: int | None = None
    """Conv: channels at full size, doubled at each halving; None: the paper's, one for each voxel of a side."""
    d_norm: Literal["none", "layer", "batch"] = "none"
    """Conv: normalisation in the discriminator; batch is the paper's, and takes no penalty."""
    r1_gamma: AtLeastZero = 0.5
    """Weight of the penalty on the slope of D at real shapes; 0 for none, as in the paper."""
    gate: float = 1.0
    """D moves only while it recognises at most this share of the last batch; 0.8 in the paper, 1: always."""
    symmetric: bool = False
    """Dense: all shapes are mirror images of themselves from left to right, so that half of each is enough."""
    occupancy: float = 0.06
    """Share of voxels that is full, from which the generator starts: half full is told from data at once."""


PRESETS: dict[str, Config] = {
    "conv32": Config(network="conv", width=8, batch_size=16, g_learning_rate=1e-3, d_learning_rate=1e-3, r1_gamma=4.0),
    "paper": Config(  # of section 3 and of the public ports
        network="conv",
        z_dim=200,
        batch_size=100,
        g_learning_rate=2.5e-3,
        d_learning_rate=1e-5,
        beta2=0.999,
        d_norm="batch",
        r1_gamma=0.0,
        gate=0.8,
    ),
}
"""`--preset conv32 --data furniture_32`: narrow convolutional networks for two cores. `--preset paper --data
furniture_64`: the paper's networks and rates, not run here beyond a step.
"""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    _check(config)
    G, D = _networks(config, spec["voxels"].fixed, axis_name)
    wires = wire(config, spec, G, D, made="voxels")

    def penalty(critic: Critic, x_real: Array, x_fake: Array, rng: Key[Array, " b"], step: Array) -> Float[Array, " b"]:
        return config.r1_gamma * r1(critic, x_real)

    loss = adversarial.non_saturating_gan
    d_loss, g_loss = objectives(wires.judge, loss, penalty if config.r1_gamma else None, made="voxels")
    optimizers, extras = adams(config, config.beta2), {}
    if config.gate < 1:
        d_loss, extras = gated(d_loss, config.gate), {"recognised": jnp.float32(0)}
        optimizers["d"] = still_without_gradient(optimizers["d"])
    rounds = take_turns(wires.play, d_loss, g_loss)
    return latent_game(config, wires, rounds, axis_name, optimizers=optimizers, extras=extras)


def gated(d_loss: LossFn, most: float) -> LossFn:
    """D's loss, without a gradient after a batch of which D recognised more than the share `most`; reports `gate`."""

    def loss(params: Any, vars: Any, outcome: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
        value, aux = d_loss(params, vars, outcome, batch, rng)
        opened = jnp.where(vars["extras"]["recognised"] <= most, 1.0, 0.0)
        recognised = 0.5 * (aux.metrics["accuracy_real"] + aux.metrics["accuracy_fake"])
        metrics = {**aux.metrics, "gate": opened}
        return value * opened, Aux(metrics, aux.vars, {"recognised": recognised})

    return loss


def still_without_gradient(rule: optax.GradientTransformation) -> optax.GradientTransformation:
    """The optimiser, at rest where the whole gradient is 0: neither parameters nor moments move."""

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        moves = optax.tree.norm(updates) > 0
        updates, moved = rule.update(updates, state, params)
        held = jax.tree.map(lambda new, old: jnp.where(moves, new, old), moved, state)
        return jax.tree.map(lambda step: jnp.where(moves, step, 0), updates), held

    return optax.GradientTransformation(rule.init, update)


def _networks(config: Config, shape: tuple[int, ...], axis_name: str | None) -> tuple[nn.Module, nn.Module]:
    shared: dict[str, Any] = {"dtype": dtype_of(config.precision)}
    logit = float(jnp.log(config.occupancy / (1 - config.occupancy)))
    if config.network == "dense":
        G = DenseVoxelGenerator(shape, config.g_widths, logit, mirror=config.symmetric, **shared)
        return G, DenseVoxelDiscriminator(config.d_widths, mirror=config.symmetric, **shared)
    G = VoxelGenerator(shape, config.width, logit, axis_name=axis_name, **shared)
    return G, VoxelDiscriminator(config.width, norm=config.d_norm, axis_name=axis_name, **shared)


def _check(config: Config) -> None:
    check(config)
    if config.gate > 1:
        raise UserError(f"--gate takes a share of at most 1, got {config.gate}.")
    if config.occupancy >= 1:
        raise UserError(f"--occupancy takes a share below 1, got {config.occupancy}.")
    if config.network == "conv" and config.d_norm == "batch" and config.r1_gamma:
        raise UserError("--d-norm batch takes --r1-gamma 0: a penalty is on the slope of D at single shapes.")
