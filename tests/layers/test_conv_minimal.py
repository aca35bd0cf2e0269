"""Minimal filtering: its identity in closed form, its three maps against XLA's convolution, where it is chosen."""

import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxgan.layers.conv import cpu, minimal
from jaxgan.layers.conv.geometry import Geometry
from jaxgan.layers.conv.layers import Conv, ConvTranspose
from tests.layers.test_conv import _all_orders, _assert_close, _setup


@pytest.mark.parametrize("taps", minimal.ALGORITHMS)
def test_identity_of_the_algorithm(taps):
    """Winograd: the sum over products is 1 exactly where input i meets tap j in output i - j."""
    form = [np.array(matrix) for matrix in minimal.ALGORITHMS[taps]]
    tensor = np.einsum("ti,tj,tl->ijl", *form)
    for i, j, out in itertools.product(range(taps + 1), range(taps), range(2)):
        assert tensor[i, j, out] == (i == j + out)
    assert form[0].shape[0] ** 2 / (4 * taps**2) == minimal.share_of_products(taps)


@pytest.mark.parametrize("taps", minimal.ALGORITHMS)
def test_three_maps_in_float64(taps):
    """Against `lax`'s convolution and its automatic derivatives."""
    with jax.enable_x64(True):
        draw = lambda i, *shape: jax.random.normal(jax.random.key(i), shape, jnp.float64)  # noqa: E731
        x, k, y = draw(0, 2, 5 + taps, 3 + taps, 3), draw(1, taps, taps, 3, 5), draw(2, 2, 6, 4, 5)
        layout = ("NHWC", "HWIO", "NHWC")
        plain = lambda x, k: lax.conv_general_dilated(x, k, (1, 1), "VALID", dimension_numbers=layout)  # noqa: E731
        value, pull_back = jax.vjp(plain, x, k)
        ours = minimal.outputs(x, k), (minimal.inputs(y, k), minimal.weights(x, y))
        for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves((value, pull_back(y))), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


# Odd numbers of outputs are filled up: 4 x 7, 5 x 6.
@pytest.mark.parametrize(
    ("ours", "theirs", "kernel", "strides", "image"),
    [
        (Conv, nn.Conv, 4, 2, (8, 14, 6)),
        (Conv, nn.Conv, 3, 1, (5, 6, 12)),
        (ConvTranspose, nn.ConvTranspose, 4, 2, (4, 7, 24)),
        (Conv, nn.Conv, 2, 1, (4, 3, 24)),
    ],
)
def test_layers(ours, theirs, kernel, strides, image, monkeypatch):
    """Values and derivatives of second order as Flax's, with no convolution left in the compiled program."""
    monkeypatch.setattr(cpu, "_SUMS", 0)  # so that it is chosen for few channels
    ours, theirs = (layer(17, (kernel, kernel), (strides, strides)) for layer in (ours, theirs))
    variables, x = _setup(ours, image)
    variables = jax.tree.map(lambda v: v / 4, variables)  # second derivatives of sines of large numbers are all noise
    _assert_close(_all_orders(ours, variables, x), _all_orders(theirs, variables, x), 2e-4)
    text = _all_orders.lower(ours, variables, x).compile().as_text()
    assert " convolution(" not in text


def test_where_it_is_chosen():
    """Not in half precision, not with few channels or images, not for other kernels; float32 with many of both."""

    def chosen(kernel, strides, channels, dtype="float32", size=16, images=64):
        pads = ((kernel - strides + 1) // 2, (kernel - strides) // 2)
        g = Geometry((size, size), (kernel, kernel), (strides, strides), (pads, pads))
        return cpu._minimal(g, jnp.zeros((images, size, size, 1), dtype), channels)

    assert chosen(4, 2, (64, 128))
    assert chosen(3, 1, (128, 128))
    assert not chosen(4, 2, (64, 128), "bfloat16")
    assert not chosen(4, 2, (1, 64))
    assert chosen(4, 2, (64, 128), size=4)
    assert not chosen(4, 2, (64, 128), size=4, images=1)
    assert not chosen(4, 2, (64, 128), size=2)
    assert not chosen(3, 2, (128, 128))
    assert not chosen(5, 1, (128, 128))
