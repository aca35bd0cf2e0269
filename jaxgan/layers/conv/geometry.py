"""What a convolution is beside its arrays, and how kernels and images are cut into blocks of stride x stride pixels."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

Pair = tuple[int, int]
Pads = tuple[Pair, Pair]
CANONICAL = ("NHWC", "HWIO", "NHWC")
"""Layouts of images, kernel and result that XLA's CPU backend hands to Eigen."""


class Geometry(NamedTuple):
    """Everything about a convolution that is no array; each field is (vertical, horizontal)."""

    size: Pair  # of x in pixels
    window: Pair  # of the kernel in pixels
    strides: Pair
    pads: Pads  # pixels of zeros (low, high) around x; negative ones cut x

    @property
    def outputs(self) -> Pair:
        """Rows and columns of the result."""
        return each(lambda n, k, s, pad: (n + sum(pad) - k) // s + 1, *self)


def weight_pads(g: Geometry) -> Pads:
    """Pads of x such that y, its pixels spread apart, fits into it once for each weight."""
    return each(lambda n, m, k, s, pad: (pad[0], (m - 1) * s + k - n - pad[0]), g.size, g.outputs, *g[1:])


def kernel_blocks(g: Geometry, k: Array) -> Array:
    """[kh, kw, i, o] to [kh / s, kw / s, s s i, o], zeros filling the last blocks."""
    (sh, sw), (_, _, i, o) = g.strides, k.shape
    k = jnp.pad(k, ((0, -k.shape[0] % sh), (0, -k.shape[1] % sw), (0, 0), (0, 0)))
    rows, columns = k.shape[0] // sh, k.shape[1] // sw
    return k.reshape(rows, sh, columns, sw, i, o).transpose(0, 2, 1, 3, 4, 5).reshape(rows, columns, sh * sw * i, o)


def blocks_to_kernel(g: Geometry, blocks: Array) -> Array:
    """[kh / s, kw / s, s s i, o] to [kh, kw, i, o], without what filled the last blocks."""
    (sh, sw), (rows, columns, values, o) = g.strides, blocks.shape
    k = blocks.reshape(rows, columns, sh, sw, values // (sh * sw), o).transpose(0, 2, 1, 3, 4, 5)
    return k.reshape(rows * sh, columns * sw, -1, o)[: g.window[0], : g.window[1]]


def blocks_to_pixels(grid: Array, strides: Pair) -> Array:
    """[b, m, n, s s i] to [b, s m, s n, i]."""
    (sh, sw), (b, m, n, values) = strides, grid.shape
    pixels = grid.reshape(b, m, n, sh, sw, values // (sh * sw)).transpose(0, 1, 3, 2, 4, 5)
    return pixels.reshape(b, sh * m, sw * n, -1)


def pixels_to_blocks(x: Array, strides: Pair) -> Array:
    """[b, s m, s n, i] to [b, m, n, s s i]."""
    (sh, sw), (b, h, w, i) = strides, x.shape
    blocks = x.reshape(b, h // sh, sh, w // sw, sw, i).transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(b, h // sh, w // sw, sh * sw * i)


def flip(k: Array) -> Array:
    """The kernel of the transposed map."""
    return jnp.flip(k, (0, 1)).swapaxes(2, 3)


def spatial(x: Array) -> Pair:
    """Height and width of images."""
    return x.shape[1], x.shape[2]


def window(k: Array) -> Pair:
    """Height and width of a kernel."""
    return k.shape[0], k.shape[1]


def each(rule: Callable, *pairs: tuple) -> tuple:
    """The rule for the vertical and for the horizontal axis."""
    return rule(*(pair[0] for pair in pairs)), rule(*(pair[1] for pair in pairs))
