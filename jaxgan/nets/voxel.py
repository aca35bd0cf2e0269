"""The generator and the discriminator of 3D-GAN: voxels by convolutions.

Wu, Zhang, Xue, Freeman and Tenenbaum 2016, "Learning a Probabilistic Latent Space of Object Shapes via 3D
Generative-Adversarial Modeling" (arXiv:1610.07584): DCGAN with a third dimension, kernels of 4^3 with stride 2, batch
normalisation and ReLU in G, and LeakyReLU in D, a sigmoid at the end of G, and no biases. Weights are drawn from
N(0, 0.02) as in DCGAN. For 64^3 voxels and 200 latents G has 17,569,664 parameters and D 11,048,832; for 32^3, where
the public ports halve the widths, 6,032,320 and 2,771,904.

Shapes fill few voxels. G begins where the data are when its logits begin around the logit of their occupancy
(`occupancy_logit`), and at half full everywhere with 0, which D tells from data at once.
"""

from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv, ConvTranspose
from jaxgan.nets.dcgan import batch_norm
from jaxgan.nets.labels import one_hot
from jaxgan.nets.voxel_dense import join

_WEIGHTS = nn.initializers.normal(0.02)
_KERNEL = (4, 4, 4)
_STRIDE = (2, 2, 2)
_DOUBLINGS = 4  # of the paper's networks
_MIN_BASE = 2  # voxels


class VoxelGenerator(nn.Module):
    """Latent vectors to voxels by transposed convolutions, as in 3D-GAN.

    The layer from 1^3 to the base is a dense one.

    Attributes:
        shape: depth, height, width in voxels; equal, and a base of `pyramid` times a power of two.
        width: channels of the last hidden layer, each layer before has twice as many; None: the paper's, as many as a
            side has voxels.
        occupancy_logit: constant that is added to all logits.
        spare: keep the weights of the first 4^3 kernel that meet no voxel of a smaller base, as the ports and their
            counts of parameters do; False leaves them out.
        classes: number of classes; 0 for an unconditional generator.
        dtype: of the computation; parameters, batch statistics and voxels are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    shape: Sequence[int]
    width: int | None = None
    occupancy_logit: float = 0.0
    spare: bool = True
    classes: int = 0
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, z: Float[Array, "b z"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> Float[Array, "b d h w"]:
        """How full each voxel is, in [0, 1].

        Args:
            z: latent vectors.
            label: class numbers, exactly when `classes` is above 0.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Returns:
            float32 voxels.

        Raises:
            UserError: if no such network has this shape, or labels and `classes` disagree.
        """
        base, doublings = pyramid(self.shape)
        features = _features(self.width or self.shape[0], doublings)[::-1]
        margin = _margin(base, self.spare)
        x = join(z, one_hot(label, self.classes))
        side = base + 2 * margin
        x = nn.Dense(side**3 * features[0], use_bias=False, kernel_init=_WEIGHTS, dtype=self.dtype)(x)
        inner = slice(margin, margin + base)
        x = x.reshape(-1, side, side, side, features[0])[:, inner, inner, inner]
        for following in (*features[1:], 1):
            x = nn.relu(batch_norm(train, self.dtype, self.axis_name)(x))
            x = ConvTranspose(following, _KERNEL, _STRIDE, use_bias=False, kernel_init=_WEIGHTS, dtype=self.dtype)(x)
        return nn.sigmoid(x[..., 0].astype(jnp.float32) + self.occupancy_logit)


class VoxelDiscriminator(nn.Module):
    """Voxels to logits by convolutions, as in 3D-GAN: the generator's mirror image, normalised from the first layer on.

    Attributes:
        width: channels of the first layer, each layer after has twice as many; None: the paper's, as many as a side has
            voxels.
        negative_slope: of the LeakyReLU.
        norm: "batch"; "layer", over all numbers of a shape, which a gradient penalty allows; or "none", with biases in
            the convolutions instead.
        spare: keep the weights of the last 4^3 kernel that meet no voxel of a smaller base, as the ports and their
            counts of parameters do; False leaves them out.
        classes: number of classes; 0 for an unconditional discriminator.
        dtype: of the computation; parameters, batch statistics and logits are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    width: int | None = None
    negative_slope: float = 0.2
    norm: Literal["batch", "layer", "none"] = "batch"
    spare: bool = True
    classes: int = 0
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, x: Float[Array, "b d h w"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> Float[Array, "b"]:
        """One logit per shape: positive where it looks real.

        Args:
            x: how full each voxel is, in [0, 1].
            label: class numbers, exactly when `classes` is above 0.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Returns:
            float32 logits, not probabilities.

        Raises:
            UserError: if no such network has this shape, or labels and `classes` disagree.
        """
        base, halvings = pyramid(x.shape[1:])
        features = _features(self.width or x.shape[1], halvings)
        x = _with_volumes(x[..., None], one_hot(label, self.classes))
        for following in features:
            bias = self.norm == "none"
            x = Conv(following, _KERNEL, _STRIDE, use_bias=bias, kernel_init=_WEIGHTS, dtype=self.dtype)(x)
            x = jax.nn.leaky_relu(self._normalised(x, train), self.negative_slope)
        sides = (_margin(base, self.spare),) * 2
        x = jnp.pad(x, ((0, 0), sides, sides, sides, (0, 0))).reshape(x.shape[0], -1)
        return nn.Dense(1, use_bias=False, kernel_init=_WEIGHTS, dtype=self.dtype)(x)[:, 0].astype(jnp.float32)

    def _normalised(self, x: Array, train: bool) -> Array:
        if self.norm == "batch":
            return batch_norm(train, self.dtype, self.axis_name)(x)
        if self.norm == "layer":
            return nn.LayerNorm(epsilon=1e-5, dtype=self.dtype, reduction_axes=(1, 2, 3, 4))(x)
        return x


def pyramid(shape: Sequence[int]) -> tuple[int, int]:
    """The side of the base in voxels and how often it is doubled: four times, or less in small cubes.

    Args:
        shape: depth, height, width in voxels.

    Returns:
        (4, 4) for 64^3, (2, 4) for 32^3, (2, 3) for 16^3.

    Raises:
        UserError: if the shape is no cube, or no base of at least 2^3 is its side so; the sentence names the sides.
    """
    side = shape[0]
    doublings = min(_DOUBLINGS, (side // _MIN_BASE).bit_length() - 1)
    if set(shape) != {side} or doublings < 1 or side % 2**doublings:
        size = " x ".join(map(str, shape))
        raise UserError(
            f"voxels of {size} do not suit this network, which takes cubes with a side of 4, 6, 8, 12, 16, 24, or a "
            "multiple of 16 from 32 on; the dense networks take any size."
        )
    return side // 2**doublings, doublings


def _features(width: int, layers: int) -> list[int]:
    """Channels of the layers from the voxels down to the base."""
    return [width * 2**layer for layer in range(layers)]


def _margin(base: int, spare: bool) -> int:
    """Cells of the 4^3 kernel at the base that lie outside it, on each side."""
    return max(_KERNEL[0] - base, 0) // 2 if spare else 0


def _with_volumes(x: Float[Array, "b d h w c"], y: Float[Array, "b classes"] | None) -> Float[Array, "b d h w joined"]:
    """The label as constant channels."""
    if y is None:
        return x
    volumes = jnp.broadcast_to(y[:, None, None, None, :].astype(x.dtype), (*x.shape[:4], y.shape[1]))
    return jnp.concatenate([x, volumes], axis=-1)
