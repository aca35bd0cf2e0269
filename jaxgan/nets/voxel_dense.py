"""Generators and discriminators of voxels, fully connected: at 16^3 voxels they learn in minutes on two cores.

Shapes fill few voxels. G begins where the data are when its last biases are the logit of their occupancy; half full
everywhere, D would tell it from data at once. Layer normalisation keeps batches out of G.

Where all data are mirror-symmetric from left to right, `mirror` lets both networks work on one half: half of the
weights and of the time, and symmetry is not left to be learned.
"""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError
from jaxgan.nets.labels import one_hot

FURNITURE_LOGIT = -2.8
"""Of the occupancy of `jaxgan.made.furniture`, 0.057."""


class DenseVoxelGenerator(nn.Module):
    """Latent vectors to voxels: hidden layers with layer normalisation and ReLU, then a sigmoid.

    With the defaults, 64 latents and 16^3 voxels: 2,251,008 parameters.

    Attributes:
        shape: depth, height, width in voxels.
        widths: units of the hidden layers.
        occupancy_logit: where the last layer's biases begin.
        mirror: make the right half, and the left one as its mirror image; the width must be even.
        classes: number of classes; 0 for an unconditional generator.
        dtype: of the computation; parameters and voxels are float32.
    """

    shape: Sequence[int]
    widths: Sequence[int] = (256, 512)
    occupancy_logit: float = FURNITURE_LOGIT
    mirror: bool = False
    classes: int = 0
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, z: Float[Array, "b z"], label: Int[Array, "b"] | None = None, *, train: bool = True
    ) -> Float[Array, "b d h w"]:
        """How full each voxel is, in [0, 1].

        Args:
            z: latent vectors.
            label: class numbers, exactly when `classes` is above 0.
            train: changes nothing here; taken because networks with batch normalisation need it.

        Returns:
            float32 voxels.

        Raises:
            UserError: if labels are given to an unconditional generator or missing from a conditional one, or a width
                to mirror is odd.
        """
        del train
        x = join(z, one_hot(label, self.classes))
        for width in self.widths:
            x = nn.relu(nn.LayerNorm(epsilon=1e-5, dtype=self.dtype)(nn.Dense(width, dtype=self.dtype)(x)))
        bias = nn.initializers.constant(self.occupancy_logit)
        made = (*self.shape[:2], _half(self.shape[2])) if self.mirror else tuple(self.shape)
        x = nn.Dense(math.prod(made), bias_init=bias, dtype=self.dtype)(x)
        x = nn.sigmoid(x.astype(jnp.float32)).reshape(-1, *made)
        return jnp.concatenate([x[..., ::-1], x], axis=-1) if self.mirror else x


class DenseVoxelDiscriminator(nn.Module):
    """Voxels to logits: hidden layers with LeakyReLU.

    With the defaults and 16^3 voxels: 2,229,249 parameters.

    Attributes:
        widths: units of the hidden layers.
        negative_slope: of the LeakyReLU.
        mirror: look at the right half only, of data and of a generator that are mirror-symmetric.
        classes: number of classes; 0 for an unconditional discriminator.
        dtype: of the computation; parameters and logits are float32.
    """

    widths: Sequence[int] = (512, 256)
    negative_slope: float = 0.2
    mirror: bool = False
    classes: int = 0
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: Float[Array, "b d h w"], label: Int[Array, "b"] | None = None, *, train: bool = True
    ) -> Float[Array, "b"]:
        """One logit per shape: positive where it looks real.

        Args:
            x: how full each voxel is, in [0, 1].
            label: class numbers, exactly when `classes` is above 0.
            train: changes nothing here; taken because networks with batch normalisation need it.

        Returns:
            float32 logits, not probabilities.

        Raises:
            UserError: if labels are given to an unconditional discriminator or missing from a conditional one, or a
                width to mirror is odd.
        """
        del train
        x = x[..., _half(x.shape[-1]) :] if self.mirror else x
        x = join(x.reshape(x.shape[0], -1), one_hot(label, self.classes))
        for width in self.widths:
            x = jax.nn.leaky_relu(nn.Dense(width, dtype=self.dtype)(x), self.negative_slope)
        return nn.Dense(1, dtype=self.dtype)(x)[:, 0].astype(jnp.float32)


def join(x: Float[Array, "b n"], y: Float[Array, "b classes"] | None) -> Float[Array, "b joined"]:
    """The rows of x, each followed by its label's one-hot row where there is one."""
    return x if y is None else jnp.concatenate([x, y.astype(x.dtype)], axis=1)


def _half(width: int) -> int:
    if width % 2:
        raise UserError(f"mirror takes voxels of an even width, got {width}.")
    return width // 2
