import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxgan.errors import UserError
from jaxgan.nets.unet import (
    Norm,
    ResNetTranslator,
    UNet,
    depth_for,
    dropped,
    mirrored,
    normalise,
    pad_to_multiple,
)
from tests.nets.weights import compare, drawn

KEY = jax.random.key(0)


class _Normed(nn.Module):
    @nn.compact
    def __call__(self, x):
        return normalise(Norm("instance", True, jnp.float32, None), x, "norm")


def _size(net, side):
    made = jax.eval_shape(lambda: net.init(KEY, jnp.zeros((1, side, side, 3)), train=True))
    return sum(leaf.size for leaf in jax.tree.leaves(made["params"]))


# Oracle: the published networks' counts.
@pytest.mark.parametrize(
    ("net", "side", "count"),
    [
        (UNet(3), 256, 54_413_955),
        (UNet(3, norm="instance"), 256, 54_409_603),
        (UNet(3, depth=7), 128, 41_828_995),
        (UNet(3, depth=7, norm="instance"), 128, 41_825_667),
        (ResNetTranslator(3, norm="batch"), 64, 11_383_427),
        (ResNetTranslator(3), 64, 11_378_179),
        (ResNetTranslator(3, blocks=6, norm="batch"), 64, 7_841_411),
        (ResNetTranslator(3, blocks=6), 64, 7_837_699),
    ],
)
def test_parameter_counts(net, side, count):
    assert _size(net, side) == count


# Oracle: PyTorch, golden.
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_outputs_of_an_independent_implementation(norm):
    compare(UNet(3, depth=4, width=2, norm=norm), f"unet_{norm}")
    compare(ResNetTranslator(1, width=2, blocks=2, norm=norm), f"resnet_{norm}")


# Oracle: the definition: the same network on the picture that numpy mirrored, and the middle of its output.
@pytest.mark.parametrize("net", [UNet(1, depth=2, width=1), ResNetTranslator(1, width=1, blocks=0)])
def test_any_size_is_mirrored_up_and_cropped_back(net):
    x = np.random.default_rng(0).uniform(-1, 1, (2, 13, 8, 2)).astype(np.float32)
    padded = np.pad(x, [(0, 0), (1, 2), (0, 0), (0, 0)], mode="reflect")
    variables = drawn(net, jnp.asarray(x), train=True)
    y, whole = (jax.jit(lambda x: net.apply(variables, x, train=False))(each) for each in (x, padded))
    assert y.shape == (2, 13, 8, 1)
    np.testing.assert_allclose(y, whole[:, 1:14], atol=1e-6)


# Oracle: numpy's two modes.
def test_a_side_too_short_to_mirror_repeats_its_edge():
    x = jnp.arange(6.0).reshape(1, 2, 3, 1)
    padded, crop = pad_to_multiple(x, 8)
    by_hand = np.pad(x, [(0, 0), (3, 3), (0, 0), (0, 0)], mode="edge")
    np.testing.assert_array_equal(padded, np.pad(by_hand, [(0, 0), (0, 0), (2, 3), (0, 0)], mode="edge"))
    np.testing.assert_array_equal(crop(padded), x)
    np.testing.assert_array_equal(mirrored(x, 1), np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="reflect"))


# Oracle: the sheet of the paper's networks: 256 pixels are halved 8 times, 128 pixels 7 times; 28 are padded to 32.
@pytest.mark.parametrize(
    ("size", "depth"), [((256, 256), 8), ((128, 128), 7), ((28, 28), 5), ((32, 64), 5), ((4, 4), 3), ((2000, 900), 8)]
)
def test_depth_for_a_size(size, depth):
    assert depth_for(*size) == depth


# Oracle: the definition: a share of zeros, what is kept divided by what is left, masks by key and layer.
def test_dropout_of_each_example_by_its_own_key():
    x, keys = jnp.ones((3, 40, 40, 2)), jax.random.split(KEY, 3)

    @jax.jit
    def run(x, keys):
        return dropped(x, keys, 0.25, 1), dropped(x[1:], keys[1:], 0.25, 1), dropped(x, keys, 0.25, 2)

    y, fewer, other = map(np.asarray, run(x, keys))
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.75], rtol=1e-6)
    assert abs((y == 0).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / y.size)
    np.testing.assert_array_equal(fewer, y[1:])
    assert (y[0] != y[1]).any()
    assert (y != other).any()
    np.testing.assert_array_equal(dropped(x, None, 0.25, 1), x)
    with pytest.raises(UserError, match=r"dropout is a share .* got 1"):
        dropped(x, keys, 1.0, 1)


# Oracle: the sheet: three dropout layers in the 256-pixel network, two in the 128-pixel one.
@pytest.mark.parametrize(("depth", "levels"), [(8, [6, 5, 4]), (7, [5, 4]), (6, [4]), (5, [3]), (4, [2]), (2, [])])
def test_where_dropout_is(depth, levels, monkeypatch):
    seen = []
    monkeypatch.setattr("jaxgan.nets.unet.dropped", lambda x, keys, rate, layer: seen.append(layer) or x)
    jax.eval_shape(lambda: UNet(1, depth=depth, width=2).init(KEY, jnp.zeros((1, 8, 8, 1)), train=True))
    assert seen == levels


# Oracle: the definition: dropout is the only noise, and an example's depends on its key alone.
@pytest.mark.parametrize("net", [UNet(1, depth=3, width=2), ResNetTranslator(1, width=2, blocks=1, dropout=0.5)])
def test_keys_are_the_only_noise(net):
    net = net.clone(norm="batch")
    x = jnp.asarray(np.broadcast_to(np.random.default_rng(0).normal(size=(1, 8, 8, 1)), (3, 8, 8, 1)), jnp.float32)
    keys = jax.random.split(KEY, 3)
    variables = drawn(net, x, train=True)
    run = jax.jit(lambda x, keys: net.apply(variables, x, keys, train=False))
    noisy, plain = np.asarray(run(x, keys)), np.asarray(run(x, None))
    np.testing.assert_allclose(plain[0], plain[1], atol=1e-6)
    assert abs(noisy[0] - noisy[1]).max() > 1e-2
    np.testing.assert_allclose(run(x[::-1], keys[::-1]), noisy[::-1], atol=1e-6)


# Oracle: the definition of instance normalisation in numpy, at a mean where one-pass variances are rounding alone.
def test_instance_normalisation_is_exact_at_large_means():
    x = 1000 + np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    y, variables = jax.jit(lambda x: _Normed().init_with_output(KEY, x))(x)
    assert not variables
    x = x.astype(np.float64)
    wanted = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
    np.testing.assert_allclose(y, wanted, atol=5e-4)


# Oracle: the definition: weights N(0, 0.02), gains N(1, 0.02), biases 0; the normal's own errors.
@pytest.mark.parametrize("net", [UNet(3, depth=2, width=16), ResNetTranslator(3, width=8, blocks=0, norm="batch")])
def test_initial_weights(net):
    made = jax.jit(lambda: net.init(KEY, jnp.zeros((1, 8, 8, 3)), train=True)["params"])()
    for path, leaf in jax.tree_util.tree_flatten_with_path(jax.tree.map(np.asarray, made))[0]:
        if path[-1].key == "bias":
            assert not leaf.any()
            continue
        error = 0.02 / np.sqrt(leaf.size)
        assert abs(leaf.mean() - (path[-1].key == "scale")) < 5 * error, path
        assert abs(leaf.std() - 0.02) < 5 * error, path


def test_a_depth_that_is_none():
    with pytest.raises(UserError, match="at least 2 times, got depth 1"):
        UNet(1, depth=1).init(KEY, jnp.zeros((1, 8, 8, 1)), train=True)


# Oracle: dtypes by the documentation.
@pytest.mark.parametrize("net", [UNet(1, depth=2, width=2), ResNetTranslator(1, width=2, blocks=1)])
def test_bfloat16_inside_float32_outside(net):
    net = net.clone(dtype=jnp.bfloat16)
    keys = jax.random.split(KEY, 2)
    y, variables = jax.eval_shape(lambda: net.init_with_output(KEY, jnp.zeros((2, 8, 8, 1)), keys, train=True))
    assert {leaf.dtype for leaf in jax.tree.leaves((y, variables))} == {jnp.dtype("float32")}
