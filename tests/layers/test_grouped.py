from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from jaxgan.errors import UserError
from jaxgan.layers.conv.grouped import GroupedConv
from tests.layers.test_conv import _all_orders, _assert_close, _in_cond, _in_jit, _in_scan, _naive_convolutions, _setup

# groups, features, kernel, image. Among them: one group, depthwise, more outputs than inputs, groups that fill several
# bundles and groups that fit into none, no square.
CASES = [
    (1, 6, (3, 3), (5, 6, 4)),
    (4, 4, (3, 3), (5, 6, 4)),
    (2, 12, (3, 3), (4, 7, 6)),
    (6, 96, (3, 3), (7, 5, 48)),
    (2, 80, (1, 3), (4, 4, 80)),
    (3, 6, (5, 1), (6, 4, 9)),
]


def _pair(groups, features, kernel, **options):
    ours = GroupedConv(features, kernel, groups, **options)
    return ours, nn.Conv(features, kernel, feature_group_count=groups, padding="SAME", **options)


# Oracle: the Flax layer with `feature_group_count`, whose gradients of both orders JAX derives.
@pytest.mark.parametrize(("groups", "features", "kernel", "image"), CASES)
def test_same_parameters_values_and_derivatives_as_flax(groups, features, kernel, image):
    ours, theirs = _pair(groups, features, kernel)
    variables, x = _setup(theirs, image)
    chosen, _ = _setup(ours, image)
    jax.tree.map(np.testing.assert_array_equal, chosen, variables)
    _assert_close(_all_orders(ours, variables, x), _all_orders(theirs, variables, x))


# Oracle: the same kernel without its groups, zeros between them, in float64 numpy.
def test_each_group_sees_its_own_channels_only():
    layer = GroupedConv(4, (1, 1), 2, use_bias=False)
    variables, x = _setup(layer, (2, 3, 6))
    kernel = np.asarray(variables["params"]["kernel"], np.float64)[0, 0]
    dense = np.zeros((6, 4))
    dense[:3, :2], dense[3:, 2:] = kernel[:, :2], kernel[:, 2:]
    np.testing.assert_allclose(layer.apply(variables, x), np.asarray(x, np.float64) @ dense, atol=1e-5)


# Oracle: the Flax layer in the same precision; the sums differ in their last bits.
def test_bfloat16_compute_with_float32_parameters():
    ours, theirs = _pair(2, 8, (3, 3), dtype=jnp.bfloat16)
    variables, x = _setup(theirs, (6, 5, 4))
    value, gradient = _all_orders(ours, variables, x)
    assert value.dtype == jnp.bfloat16
    assert gradient[0]["params"]["kernel"].dtype == jnp.float32
    _assert_close((value, gradient), _all_orders(theirs, variables, x), tolerance=5e-2)


# Oracle: one seed at a time.
def test_vmap_over_seeds():
    layer = GroupedConv(8, (3, 3), 2)
    x = jax.random.normal(jax.random.key(1), (2, 3, 4, 5, 4))
    seeds = jax.vmap(lambda key: layer.init(key, x[0]))(jax.random.split(jax.random.key(0), 2))
    together = jax.vmap(partial(_all_orders, layer))(seeds, x)
    apart = [_all_orders(layer, jax.tree.map(lambda a, i=i: a[i], seeds), x[i]) for i in range(2)]
    _assert_close(together, jax.tree.map(lambda *a: jnp.stack(a), *apart))


# Oracle: one device. A kernel's gradient that was not summed over the devices would not trace.
def test_gradients_under_shard_map():
    layer = GroupedConv(8, (3, 3), 2)
    variables, x = _setup(layer, (4, 5, 4), batch=8)

    @partial(
        jax.shard_map,
        mesh=Mesh(np.array(jax.devices()), ("data",)),
        in_specs=(PartitionSpec(), PartitionSpec("data")),
        out_specs=(PartitionSpec(), PartitionSpec("data")),
    )
    def gradients(variables, x):
        return _all_orders(layer, variables, x, (2,))[1]

    _assert_close(jax.jit(gradients)(variables, x), _all_orders(layer, variables, x, (2,))[1])


# Oracle: the count of slow convolutions in the compiled program; the Flax layer is the negative control.
def test_no_naive_convolution_in_the_compiled_program():
    ours, theirs = _pair(4, 64, (3, 3))

    def count(layer, wrap):
        return _naive_convolutions(wrap(partial(_all_orders, layer)), *_setup(layer, (6, 6, 64)))

    assert [count(ours, wrap) for wrap in (_in_jit, _in_scan, _in_cond)] == [0, 0, 0]
    assert count(theirs, _in_jit) > 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"groups": 3}, "groups must divide 4 input and 6 output channels, got 3"),
        ({"groups": 4}, "groups must divide 4 input and 6 output channels, got 4"),
        ({"groups": 0}, "groups must divide 4 input and 6 output channels, got 0"),
        ({"kernel_size": (2, 3)}, r"kernel_size must be two odd numbers, got \(2, 3\)"),
    ],
)
def test_impossible_arguments_are_named(arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        GroupedConv(6, **arguments).init(jax.random.key(0), jnp.zeros((1, 5, 5, 4)))
