from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxgan.errors import UserError
from jaxgan.game import parallel
from jaxgan.layers.minibatch import MinibatchDiscrimination, MinibatchStd

X = jax.random.normal(jax.random.key(1), (8, 3, 2, 4))


# Oracle: numpy, one group and one statistic at a time.
@pytest.mark.parametrize(("size", "channels"), [(4, 1), (2, 2), (8, 4)])
def test_minibatch_std(size, channels):
    y = np.asarray(MinibatchStd(size, channels).apply({}, X))
    np.testing.assert_array_equal(y[..., :4], X)
    x, width, size = np.asarray(X, np.float64), 4 // channels, min(size, 8)
    for row in range(8):
        group = x[row // size * size : row // size * size + size]
        for channel in range(channels):
            part = group[..., channel * width : (channel + 1) * width]
            np.testing.assert_allclose(y[row, :, :, 4 + channel], part.std(0).mean(), rtol=1e-5)


# Oracle: the other order, and for 2 groups of 4 the rows of each: 0 2 4 6 and 1 3 5 7.
def test_the_authors_groups_are_strided():
    strided = MinibatchStd(4, strided=True).apply({}, X)[..., 4:]
    order = np.array([0, 2, 4, 6, 1, 3, 5, 7])
    np.testing.assert_allclose(strided[order], MinibatchStd(4).apply({}, X[order])[..., 4:], rtol=1e-6)
    assert not np.allclose(strided[0], strided[1])


def test_minibatch_std_of_equal_images_is_nearly_zero_with_finite_slopes():
    equal = jnp.ones((4, 3, 2, 4))
    value, gradient = jax.value_and_grad(lambda x: MinibatchStd(4).apply({}, x)[..., 4:].mean())(equal)
    assert value <= 1.1e-4
    np.testing.assert_array_equal(gradient, 0)


# Oracle: numpy, one pair at a time.
def test_minibatch_discrimination():
    x, layer = X[:, 0, 0], MinibatchDiscrimination(3, 2)
    variables = layer.init(jax.random.key(0), x)
    y = layer.apply(variables, x)
    m = (np.asarray(x, np.float64) @ np.asarray(variables["params"]["kernel"], np.float64)).reshape(8, 3, 2)
    np.testing.assert_array_equal(y[:, :4], x)
    for i in range(8):
        for feature in range(3):
            expected = sum(np.exp(-np.abs(m[i, feature] - m[j, feature]).sum()) for j in range(8))
            np.testing.assert_allclose(y[i, 4 + feature], expected, rtol=1e-5)


def loss(layers, variables, x):
    std, discrimination = layers
    y = std.apply({}, x).reshape(x.shape[0], -1)
    return jnp.sin(3 * discrimination.apply(variables, y)).mean()


# Oracle: one device. Groups of 2 lie on one of four devices each; the discrimination gathers all rows.
@pytest.mark.parametrize("mode", ["pmap", "shard_map"])
def test_four_devices_agree_with_one(mode):
    axis_name = parallel.axis_name_of(mode)
    std = MinibatchStd(2)
    variables = MinibatchDiscrimination(3, 2, axis_name).init(jax.random.key(0), jnp.zeros((1, 30)))

    def step(variables, x, _):
        variables = lax.pcast(variables, axis_name, to="varying")
        found = jax.value_and_grad(partial(loss, (std, MinibatchDiscrimination(3, 2, axis_name))))(variables, x)
        return lax.pmean(found, axis_name), ()

    run = parallel.parallelize(step, mode, parallel.make_mesh(jax.devices()[:4]), donate=False)
    found, _ = run(variables, X, jax.random.key(0))
    expected = jax.value_and_grad(partial(loss, (std, MinibatchDiscrimination(3, 2))))(variables, X)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6), found, expected)


def test_groups_do_not_shrink_to_the_share_of_a_device():
    step = parallel.parallelize(
        lambda variables, x, _: (MinibatchStd(4).apply(variables, x).mean(), ()),
        "shard_map",
        parallel.make_mesh(jax.devices()[:4]),
        donate=False,
    )
    with pytest.raises(UserError, match=f"must divide the {len(X) // 4} rows that a device has at a time, got 4"):
        step({}, X, jax.random.key(0))
    assert not MinibatchStd(4).init(jax.random.key(0), X[:1])


# Oracle: the float32 layers. Statistics of rounded inputs are those of exact ones up to the rounding.
def test_bfloat16():
    half = MinibatchStd(4).apply({}, X.astype(jnp.bfloat16))
    assert half.dtype == jnp.bfloat16
    np.testing.assert_allclose(half.astype(jnp.float32), MinibatchStd(4).apply({}, X), atol=0.02)
    x, layer = X[:, 0, 0], MinibatchDiscrimination(3, 2)
    variables = layer.init(jax.random.key(0), x)
    assert variables["params"]["kernel"].dtype == jnp.float32
    half = layer.clone(dtype=jnp.bfloat16).apply(variables, x.astype(jnp.bfloat16))
    assert half.dtype == jnp.bfloat16
    np.testing.assert_allclose(half.astype(jnp.float32), layer.apply(variables, x), atol=0.05)


# Oracle: one seed at a time.
def test_vmap_over_seeds():
    layers = MinibatchStd(4), MinibatchDiscrimination(3, 2)
    seeds = jax.vmap(lambda key: layers[1].init(key, jnp.zeros((1, 30))))(jax.random.split(jax.random.key(0), 2))
    together = jax.jit(jax.vmap(partial(loss, layers), (0, None)))(seeds, X)
    alone = [loss(layers, jax.tree.map(lambda a, i=i: a[i], seeds), X) for i in range(2)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (MinibatchStd(3), "group_size"),
        (MinibatchStd(0), "group_size"),
        (MinibatchStd(2 * len(X)), f"must divide the {len(X)} rows that a device has at a time, got {2 * len(X)}"),
        (MinibatchStd(4, channels=3), "channels"),
        (lambda x: MinibatchDiscrimination(0, 2).init(jax.random.key(0), x[:, 0, 0]), "features"),
        (lambda x: MinibatchDiscrimination(2, 0).init(jax.random.key(0), x[:, 0, 0]), "kernel_dim"),
    ],
)
def test_impossible_settings_are_named(layer, words):
    with pytest.raises(UserError, match=words):
        layer.apply({}, X) if isinstance(layer, MinibatchStd) else layer(X)
