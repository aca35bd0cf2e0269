"""Multiplications of a network, layer by layer, from the shapes that it is called with.

A layer is bilinear in its input x and its kernel k. With y its output, the three passes that training knows (y from x
and k, the gradient of x from y and k, the gradient of k from x and y) are sums over the same products x k y, so each
costs the same: two operations for every product of a pixel inside the image with a weight.
"""

import math
from typing import NamedTuple

import jax
from flax import linen as nn

from jaxgan.layers.conv.grouped import GroupedConv
from jaxgan.layers.conv.layers import Conv, ConvTranspose
from jaxgan.layers.spectral import SpectralDense

LAYERS = (Conv, ConvTranspose, GroupedConv, nn.Dense, SpectralDense)


class Pass(NamedTuple):
    """What one pass through a network takes.

    Attributes:
        all: operations of all its layers.
        first: of the layer that sees the network's input, whose gradient nobody wants in the network's own move.
        last: of the last layer.
        kept: bytes of the outputs of all layers, one float32 array each.
        largest: bytes of the largest of them.
    """

    all: int
    first: int
    last: int
    kept: int
    largest: int


def one_pass(init, batch_size):
    """The operations of one pass of each network that `init` makes variables of, with examples in batches of this size.

    Only the first layer to be called is taken to see the network's input.
    """
    networks = []

    def count(call, args, options, context):
        if context.method_name != "__call__" or not context.module.is_initializing():
            return call(*args, **options)
        if not context.module.path:
            networks.append(([], []))
        y = call(*args, **options)
        if isinstance(context.module, LAYERS):
            counts, outputs = networks[-1]
            counts.append(2 * batch_size * products(context.module, args[0].shape, y.shape))
            outputs.append(4 * batch_size * y.size)
        return y

    with nn.intercept_methods(count):
        jax.eval_shape(lambda key: init(key), jax.random.key(0))  # new: a kept trace would call nothing
    return [Pass(sum(counts), counts[0], counts[-1], sum(outputs), max(outputs)) for counts, outputs in networks]


def products(layer, x, y):
    """Products x k y of a layer between the shapes x and y."""
    if isinstance(layer, nn.Dense | SpectralDense):
        return math.prod(x) * y[-1]
    if isinstance(layer, ConvTranspose):
        x, y = y, x  # it is the transposed map of a convolution from the large image to the small one
    groups = layer.groups if isinstance(layer, GroupedConv) else 1
    positions = math.prod(taps(x[axis], y[axis], layer.kernel_size[axis - 1]) for axis in (1, 2))
    return x[0] * positions * x[3] * y[3] // groups


def taps(size, outputs, window):
    """Pairs of an output and a weight that fall on a pixel, along one axis with "SAME" padding."""
    stride = -(-size // outputs)
    low = max((outputs - 1) * stride + window - size, 0) // 2
    return sum(0 <= i * stride + p - low < size for i in range(outputs) for p in range(window))
