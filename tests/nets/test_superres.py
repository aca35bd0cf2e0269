"""Networks of super-resolution. Oracles: parameter counts of the published networks (of PyTorch, measured), by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.layers.bicubic import bilinear
from jaxgan.layers.resample import repeated
from jaxgan.nets.superres import RRDBNet, SRResNet, pixel_shuffle, pixel_unshuffle
from jaxgan.nets.superres_critics import UNetDiscriminator, VGGDiscriminator

KEY = jax.random.key(0)


def abstract(network, *shape):
    return jax.eval_shape(lambda: network.init(KEY, jnp.zeros((1, *shape)), train=True))


def parameters(network, *shape):
    return sum(leaf.size for leaf in jax.tree.leaves(abstract(network, *shape)["params"]))


@pytest.mark.parametrize(
    ("network", "side", "count"),
    [
        (SRResNet(4), 24, 1_549_462),
        (SRResNet(2), 24, 1_401_749),
        (RRDBNet(4), 8, 16_697_987),
        (RRDBNet(2), 8, 16_703_171),
        (RRDBNet(1), 8, 16_723_907),
        (RRDBNet(4, blocks=6), 8, 4_467_779),
        (VGGDiscriminator(), 96, 23_565_505),
        (VGGDiscriminator(form="esrgan"), 128, 14_499_401),
        (VGGDiscriminator(form="esrgan", halvings=6), 256, 21_055_049),
        (UNetDiscriminator(), 64, 4_376_897),
    ],
)
def test_published_sizes(network, side, count):
    assert parameters(network, side, side, 3) == count


@pytest.mark.parametrize(
    ("network", "scale"),
    [(SRResNet(2, 4, 1), 2), (SRResNet(4, 4, 1, "none"), 4), *((RRDBNet(s, 4, 1, 2), s) for s in (1, 2, 4))],
)
def test_pictures_of_any_size_become_so_many_times_larger(network, scale):
    variables = abstract(network, 8, 8, 3)
    made = jax.eval_shape(lambda v: network.apply(v, jnp.zeros((2, 7, 10, 3)), train=False), variables)
    assert made.shape == (2, 7 * scale, 10 * scale, 3)


# Oracle: PyTorch's definition, channel d f^2 + i f + j to pixel (i, j), one number at a time.
def test_channels_become_pixels_and_come_back():
    x = np.arange(2 * 2 * 3 * 8, dtype=np.float32).reshape(2, 2, 3, 8)
    made = np.asarray(pixel_shuffle(jnp.asarray(x), 2))
    for b, y, z, d in np.ndindex(2, 4, 6, 2):
        assert made[b, y, z, d] == x[b, y // 2, z // 2, d * 4 + (y % 2) * 2 + z % 2]
    np.testing.assert_array_equal(pixel_unshuffle(jnp.asarray(made), 2), x)


def test_nearest_repeats_pixels():
    np.testing.assert_array_equal(repeated(jnp.array([[1.0, 2.0]])[None, ..., None], 2)[0, :, :, 0], [[1, 1, 2, 2]] * 2)


def test_a_base_is_added_to_what_the_network_makes():
    x = jax.random.uniform(KEY, (1, 5, 6, 3))
    plain, based = (SRResNet(2, 4, 1, "none", base) for base in ("none", "bilinear"))
    variables = plain.init(KEY, x, train=True)
    made, with_base = (network.apply(variables, x, train=False) for network in (plain, based))
    np.testing.assert_allclose(with_base - made, bilinear(x, 2), atol=1e-6)


def test_dense_blocks_have_their_two_factors():
    """Zero kernels but for the last biases: a dense block adds 0.2 b to x, three of them 0.6 b; then 0.2 of x + 0.6 b.

    So h = first + trunk(first + 0.2 (first + 3 * 0.2 b)), by hand of section 3.1 as its code has it.
    """
    network = RRDBNet(4, 2, 1, 2)
    variables = jax.tree.map(jnp.zeros_like, network.init(KEY, jnp.zeros((1, 4, 4, 3)), train=True))
    params = variables["params"]
    params["first"]["bias"] = jnp.array([1.0, 2.0])
    for dense in range(3):
        params[f"block0_dense{dense}_conv4"]["bias"] = jnp.array([1.0, 0.5])
    middle = jnp.zeros((3, 3, 2, 2)).at[1, 1].set(jnp.eye(2))
    for name in ("trunk", "up0", "up1", "hr"):
        params[name]["kernel"] = middle
    params["last"]["kernel"] = jnp.zeros((3, 3, 2, 3)).at[1, 1, 0, 0].set(1).at[1, 1, 1, 1].set(1)
    made = network.apply(variables, jnp.zeros((1, 4, 4, 3)), train=False)
    first, b = np.array([1.0, 2.0]), np.array([1.0, 0.5])
    wanted = first + first + 0.2 * (first + 0.6 * b)
    np.testing.assert_allclose(made[0, 8, 8], [*wanted, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("network", "shape", "sentence"),
    [
        (SRResNet(3), (8, 8, 3), "SRResNet magnifies 1, 2, 4 or 8 times, got 3"),
        (RRDBNet(3), (8, 8, 3), "magnifies 1, 2 or 4 times, got 3"),
        (VGGDiscriminator(4), (8, 16, 3), "takes 16 pixels a side or more, got 8x16"),
        (UNetDiscriminator(4), (8, 12, 3), "whose sides are multiples of 8, got 8x12"),
    ],
)
def test_impossible_sizes_are_one_sentence(network, shape, sentence):
    with pytest.raises(UserError, match=sentence):
        abstract(network, *shape)
