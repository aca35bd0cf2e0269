"""The layers of Inception v3 as a table, and the modules that read it.

Szegedy, Vanhoucke, Ioffe, Shlens and Wojna 2016, "Rethinking the Inception Architecture for Computer Vision"
(arXiv:1512.00567). Names of layers are those of the published state dictionaries.
"""

from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.layers.conv.layers import Conv


class C(NamedTuple):
    """A convolution without bias, batch normalisation with fixed statistics, ReLU."""

    name: str
    features: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padding: Literal["SAME", "VALID"] = "SAME"


class Pool(NamedTuple):
    """3x3 pooling; an "average" counts only pixels that exist, a "padded" one the zeros around them too."""

    kind: Literal["average", "padded", "max", "halve"]


class Fork(NamedTuple):
    """The convolutions all take the same input; their outputs are joined."""

    convolutions: tuple[C, ...]


Branch = tuple[C | Pool | Fork, ...]
"""Layers one after another."""
Block = tuple[Branch, ...]
"""Branches that all take the same input; their outputs are joined in this order."""

_ROW, _COLUMN, _SQUARE = (1, 7), (7, 1), (3, 3)
STEM: Branch = (
    C("Conv2d_1a_3x3", 32, _SQUARE, 2, "VALID"),
    C("Conv2d_2a_3x3", 32, _SQUARE, 1, "VALID"),
    C("Conv2d_2b_3x3", 64, _SQUARE),
    Pool("halve"),
)
NECK: Branch = (C("Conv2d_3b_1x1", 80), C("Conv2d_4a_3x3", 192, _SQUARE, 1, "VALID"), Pool("halve"))


def blocks(pool: Pool, last_pool: Pool) -> dict[str, Block]:
    """The blocks after the stem, in order.

    Args:
        pool: the pooling of all blocks that keep the size but the last.
        last_pool: the pooling of the last block.

    Returns:
        Name to block.
    """
    return {
        "Mixed_5b": _block_a(32, pool),
        "Mixed_5c": _block_a(64, pool),
        "Mixed_5d": _block_a(64, pool),
        "Mixed_6a": _block_b(),
        "Mixed_6b": _block_c(128, pool),
        "Mixed_6c": _block_c(160, pool),
        "Mixed_6d": _block_c(160, pool),
        "Mixed_6e": _block_c(192, pool),
        "Mixed_7a": _block_d(),
        "Mixed_7b": _block_e(pool),
        "Mixed_7c": _block_e(last_pool),
    }


class Unit(nn.Module):
    """One `C` of the table.

    Attributes:
        layer: what it is.
        epsilon: added to the variance.
        dtype: of the computation; parameters and statistics are float32.
    """

    layer: C
    epsilon: float
    dtype: Any

    @nn.compact
    def __call__(self, x: Float[Array, "b h w i"]) -> Float[Array, "b m n o"]:
        """Features of the layer.

        Args:
            x: features of the layer before.

        Returns:
            Features in `dtype`.
        """
        c = self.layer
        x = Conv(c.features, c.kernel, c.stride, c.padding, use_bias=False, dtype=self.dtype, name="conv")(x)
        x = nn.BatchNorm(use_running_average=True, epsilon=self.epsilon, dtype=self.dtype, name="bn")(x)
        return nn.relu(x)


class Mixed(nn.Module):
    """One `Block` of the table.

    Attributes:
        block: what it is.
        epsilon: of the batch normalisations.
        dtype: of the computation.
    """

    block: Block
    epsilon: float
    dtype: Any

    @nn.compact
    def __call__(self, x: Float[Array, "b h w i"]) -> Float[Array, "b m n o"]:
        """The outputs of all branches, joined.

        Args:
            x: features of the block before.

        Returns:
            Features in `dtype`.
        """
        return jnp.concatenate([follow(branch, x, self.epsilon, self.dtype) for branch in self.block], axis=-1)


def follow(branch: Branch, x: Float[Array, "b h w i"], epsilon: float, dtype: Any) -> Float[Array, "b m n o"]:
    """The layers of a branch one after another, as submodules of the module that calls.

    Args:
        branch: the layers.
        x: input of the first.
        epsilon: of the batch normalisations.
        dtype: of the computation.

    Returns:
        Output of the last layer.
    """
    for layer in branch:
        if isinstance(layer, Pool):
            x = _pool(layer, x)
        else:
            forked = layer.convolutions if isinstance(layer, Fork) else (layer,)
            x = jnp.concatenate([Unit(c, epsilon, dtype, name=c.name)(x) for c in forked], axis=-1)
    return x


def _pool(pool: Pool, x: Float[Array, "b h w i"]) -> Float[Array, "b m n i"]:
    if pool.kind == "halve":
        return nn.max_pool(x, (3, 3), strides=(2, 2))
    if pool.kind == "max":
        return nn.max_pool(x, (3, 3), padding="SAME")
    return nn.avg_pool(x, (3, 3), padding="SAME", count_include_pad=pool.kind == "padded")


def _block_a(pool_features: int, pool: Pool) -> Block:
    return (
        (C("branch1x1", 64),),
        (C("branch5x5_1", 48), C("branch5x5_2", 64, (5, 5))),
        (C("branch3x3dbl_1", 64), C("branch3x3dbl_2", 96, _SQUARE), C("branch3x3dbl_3", 96, _SQUARE)),
        (pool, C("branch_pool", pool_features)),
    )


def _block_b() -> Block:
    return (
        (C("branch3x3", 384, _SQUARE, 2, "VALID"),),
        (C("branch3x3dbl_1", 64), C("branch3x3dbl_2", 96, _SQUARE), C("branch3x3dbl_3", 96, _SQUARE, 2, "VALID")),
        (Pool("halve"),),
    )


def _block_c(narrow: int, pool: Pool) -> Block:
    return (
        (C("branch1x1", 192),),
        (C("branch7x7_1", narrow), C("branch7x7_2", narrow, _ROW), C("branch7x7_3", 192, _COLUMN)),
        (
            C("branch7x7dbl_1", narrow),
            C("branch7x7dbl_2", narrow, _COLUMN),
            C("branch7x7dbl_3", narrow, _ROW),
            C("branch7x7dbl_4", narrow, _COLUMN),
            C("branch7x7dbl_5", 192, _ROW),
        ),
        (pool, C("branch_pool", 192)),
    )


def _block_d() -> Block:
    return (
        (C("branch3x3_1", 192), C("branch3x3_2", 320, _SQUARE, 2, "VALID")),
        (
            C("branch7x7x3_1", 192),
            C("branch7x7x3_2", 192, _ROW),
            C("branch7x7x3_3", 192, _COLUMN),
            C("branch7x7x3_4", 192, _SQUARE, 2, "VALID"),
        ),
        (Pool("halve"),),
    )


def _block_e(pool: Pool) -> Block:
    return (
        (C("branch1x1", 320),),
        (C("branch3x3_1", 384), Fork((C("branch3x3_2a", 384, (1, 3)), C("branch3x3_2b", 384, (3, 1))))),
        (
            C("branch3x3dbl_1", 448),
            C("branch3x3dbl_2", 384, _SQUARE),
            Fork((C("branch3x3dbl_3a", 384, (1, 3)), C("branch3x3dbl_3b", 384, (3, 1)))),
        ),
        (pool, C("branch_pool", 192)),
    )
