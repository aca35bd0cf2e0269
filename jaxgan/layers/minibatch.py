"""Layers that let a discriminator see that the images of a batch are too alike.

Such a discriminator judges sets: the gradient of one logit reaches the other images of its set, and a penalty on slopes
then is one of the sum of the set's logits.
"""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from jax import lax
from jaxtyping import Array, Float

from jaxgan.errors import UserError

_TINY = 1e-8  # added to variances: the slope of the root is infinite at 0, where all images of a group agree


class MinibatchStd(nn.Module):
    """Appends the standard deviation within groups of images as constant channels.

    Karras et al. 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation" (arXiv:1710.10196),
    section 3; groups of 4 as in StyleGAN. It has no parameters.

    A group is `group_size` neighbouring rows. A batch that is cut into devices between groups gives the same numbers
    in every parallel mode: the group size must divide the rows of a device. A smaller group would be another statistic,
    so none is made in silence; only initialisation, which makes no parameters here, may have fewer rows. In the
    authors' code a group of b rows is every (b / group_size)-th of them; the numbers are those of here for a batch in
    another order.

    Attributes:
        group_size: images a group.
        channels: how many statistics are appended, each of its own share of the input's channels.
        strided: group as the authors' code does, for comparison with it: row i is in group i mod (b / group_size).
    """

    group_size: int = 4
    channels: int = 1
    strided: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w d"]:
        """The input and `channels` means over pixels and channels of the standard deviation within the group.

        Args:
            x: features; statistics are computed in float32 or better and returned in x's dtype.

        Raises:
            UserError: if the group size does not divide the batch, or `channels` the channels of x.
        """
        b, h, w, c = x.shape
        size = min(self.group_size, b) if self.is_initializing() else self.group_size
        if size < 1 or b % size:
            raise UserError(
                f"group_size of MinibatchStd must divide the {b} rows that a device has at a time, got "
                f"{self.group_size}; larger batches, fewer devices or microbatches, or smaller groups help."
            )
        if self.channels < 1 or c % self.channels:
            raise UserError(f"channels of MinibatchStd must divide the {c} channels of its input, got {self.channels}.")
        cut, within = ((size, b // size), 0) if self.strided else ((b // size, size), 1)
        groups = x.reshape(*cut, h, w, self.channels, -1).astype(jnp.promote_types(x.dtype, jnp.float32))
        deviations = jnp.sqrt(groups.var(within) + _TINY).mean((1, 2, 4))
        rows = jnp.tile(deviations, (size, 1)) if self.strided else jnp.repeat(deviations, size, axis=0)
        planes = rows[:, None, None].astype(x.dtype)
        return jnp.concatenate([x, jnp.broadcast_to(planes, (b, h, w, self.channels))], axis=-1)


class MinibatchDiscrimination(nn.Module):
    """Appends to each example how close it is to all others of the batch, by learned features.

    Salimans et al. 2016, "Improved Techniques for Training GANs" (arXiv:1606.03498), section 3.2: with M = x T of shape
    [b, features, kernel_dim], o[i, f] = sum over j of exp(-|M[i, f] - M[j, f]|_1); the example itself counts 1.

    Attributes:
        features: how many similarities are appended.
        kernel_dim: length of each of the vectors that are compared.
        axis_name: the mapped axis whose devices share the batch, as for `make_train_step`, or None.
        dtype: of the product x T; None takes what inputs and parameters promote to.
        param_dtype: of the parameters.
        kernel_init: initialiser of `kernel` [in, features * kernel_dim].
    """

    features: int
    kernel_dim: int
    axis_name: str | None = None
    dtype: Any = None
    param_dtype: Any = jnp.float32
    kernel_init: nn.initializers.Initializer = nn.linear.default_kernel_init

    @nn.compact
    def __call__(self, x: Float[Array, "b i"]) -> Float[Array, "b o"]:
        """The input with `features` more numbers an example, in its dtype; distances are float32 or better.

        Args:
            x: one vector an example.

        Raises:
            UserError: if `features` or `kernel_dim` is below 1.
        """
        for name, value in {"features": self.features, "kernel_dim": self.kernel_dim}.items():
            if value < 1:
                raise UserError(f"{name} of MinibatchDiscrimination must be at least 1, got {value}.")
        shape = (x.shape[-1], self.features * self.kernel_dim)
        kernel = self.param("kernel", self.kernel_init, shape, self.param_dtype)
        m = jnp.matmul(*promote_dtype(x, kernel, dtype=self.dtype))
        own = m.reshape(-1, self.features, self.kernel_dim).astype(jnp.promote_types(m.dtype, jnp.float32))
        # Where initialisation runs outside the devices' map there is no axis, and no need of one.
        gathers = self.axis_name is not None and not self.is_initializing()
        everyone = lax.all_gather(own, self.axis_name, tiled=True) if gathers else own
        distances = jnp.abs(own[:, None] - everyone[None]).sum(-1)
        return jnp.concatenate([x, jnp.exp(-distances).sum(1).astype(x.dtype)], axis=-1)
