from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import Mesh, PartitionSpec

from jaxgan import layers
from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv, ConvTranspose
from jaxgan.layers.conv.plain import plain_convolutions
from tests.layers.test_conv import _all_orders, _assert_close, _objective, _slow

# name: kernel, strides, padding, dilation, groups, input without its batch. Among them: even and odd sizes and kernels,
# kernels smaller than the stride, phases of a dilation of unequal length, dilations larger than the input, strides that
# do and do not divide the dilation, few and many values in a block (the forms differ), no cube.
FORWARD = {
    "1d": ((25,), 4, "SAME", 1, 1, (32, 3)),
    "1d dilated in groups": ((3,), 1, "SAME", 4, 2, (9, 6)),
    "2d dilated": ((3, 3), 1, "SAME", 2, 1, (7, 6, 4)),
    "2d dilated far": ((3, 3), 1, 4, 4, 1, (4, 3, 4)),
    "2d dilated strided": ((3, 2), (2, 3), ((1, 2), (0, 1)), (3, 2), 1, (10, 9, 2)),
    "2d groups strided": ((4, 3), (2, 1), ((1, 1), (2, 0)), 1, 2, (6, 5, 8)),
    "2d depthwise": ((3, 3), 2, "VALID", 1, 4, (7, 5, 4)),
    "3d": ((3, 3, 3), 1, "SAME", 1, 1, (3, 4, 2, 3)),
    "3d strided": ((4, 4, 4), 2, 1, 1, 1, (4, 6, 4, 3)),
    "3d one channel": ((5, 4, 3), (4, 2, 1), ((2, 1), (0, 3), (1, 0)), 1, 1, (6, 5, 3, 1)),
    "3d dilated in groups": ((3, 2, 1), 1, "SAME", 2, 2, (3, 3, 2, 4)),
    "3d cut": ((1, 2, 2), 2, ((-1, 0), (0, -1), (0, 0)), 1, 1, (5, 5, 4, 2)),
}
BACK = {
    "1d": ((25,), 4, "SAME", (5, 4)),
    "1d odd": ((5,), 2, ((1, 4),), (4, 3)),
    "3d": ((4, 4, 4), 2, "SAME", (2, 3, 2, 5)),
    "3d odd": ((3, 4, 5), (1, 2, 4), ((0, 3), (2, 2), (3, 4)), (3, 2, 3, 4)),
    "3d beyond": ((1, 2, 2), (2, 1, 1), ((3, 0), (1, 1), (0, 2)), (2, 3, 2, 2)),
}
FEATURES = 4
TWICE = ["2d groups strided", "3d strided", "back 3d odd"]


def _pairs(**options):
    """Name to (this package's layer, Flax's, the shape of 2 examples)."""
    pairs = {}
    for name, (kernel, strides, padding, dilation, groups, image) in FORWARD.items():
        ours = Conv(FEATURES, kernel, strides, padding, dilation=dilation, groups=groups, **options)
        theirs = nn.Conv(
            FEATURES, kernel, strides, padding, kernel_dilation=dilation, feature_group_count=groups, **options
        )
        pairs[name] = ours, theirs, jax.ShapeDtypeStruct((2, *image), jnp.float32)
    for name, (kernel, strides, padding, image) in BACK.items():
        each = (strides,) * len(kernel) if isinstance(strides, int) else strides
        both = (layer(FEATURES, kernel, each, padding, **options) for layer in (ConvTranspose, nn.ConvTranspose))
        pairs[f"back {name}"] = *both, jax.ShapeDtypeStruct((2, *image), jnp.float32)
    return pairs


def _points():
    """Name to variables and input; numbers that need no compiled program."""
    points = {}
    for name, (_, theirs, x) in _pairs().items():
        shapes = jax.eval_shape(theirs.init, jax.random.key(0), x)
        draw = np.random.default_rng(len(points))
        points[name] = jax.tree.map(
            lambda a, draw=draw: draw.normal(0, 1 / np.sqrt(max(a.size // FEATURES, 1)), a.shape).astype(a.dtype),
            (shapes, x),
        )
    return points


def _first_order(layer, variables, x):
    """Value and both gradients: each of the three maps once."""
    return layer.apply(variables, x), jax.grad(_objective, (1, 2))(layer, variables, x)


def _orders(pairs, which=0):
    """All orders of some layers, value and gradients of the others: their second derivatives are the same maps."""

    def orders(points):
        return {
            name: (_all_orders if name in TWICE else _first_order)(pairs[name][which], *point)
            for name, point in points.items()
        }

    return orders


def _compiled(f, *arguments):
    """Compiled without LLVM's optimisations: the programs here are large and run once."""
    return jax.jit(f).lower(*arguments).compile({"xla_backend_optimization_level": 0})


def test_same_parameters_as_flax():
    for name in ("3d dilated in groups", "back 1d"):
        ours, theirs, shape = _pairs()[name]
        x = jnp.zeros(shape.shape)
        jax.tree.map(np.testing.assert_array_equal, ours.init(jax.random.key(0), x), theirs.init(jax.random.key(0), x))


# Oracle: the Flax layers, whose gradients of both orders JAX derives from `lax.conv_general_dilated`.
def test_same_values_and_derivatives_as_flax():
    points, pairs = _points(), _pairs()
    both = _compiled(lambda points: (_orders(pairs, 0)(points), _orders(pairs, 1)(points)), points)
    found, expected = both(points)
    for name in points:
        _assert_close(found[name], expected[name])


# Oracle: one seed at a time, outside of any loop; that the program holds no slow convolution is counted in its text.
def test_in_loops_and_over_seeds():
    all_points, orders = _points(), _orders(_pairs())
    points = {name: all_points[name] for name in ("2d dilated", "3d strided", "back 1d")}
    two = jax.tree.map(lambda a: np.stack([a, 0.5 * a]), points)

    def program(points, two):
        return lax.map(orders, two), jax.vmap(orders)(two), orders(points)

    compiled = _compiled(program, points, two)
    assert _slow(compiled.as_text()) == 0
    loop, seeds, alone = compiled(points, two)
    for found in (loop, seeds):
        _assert_close(jax.tree.map(lambda a: a[0], found), alone)


# Oracle: one device; the check of varying axes of `shard_map` is on. For bfloat16, float32.
def test_gradients_under_shard_map_and_in_bfloat16():
    names = ["2d dilated", "2d groups strided", "3d strided"]
    points = {name: point for name, point in _points().items() if name in names}
    exact, half = _pairs(), _pairs(dtype=jnp.bfloat16)

    def gradients(pairs, points):
        found = {name: _first_order(pairs[name][0], *point)[1] for name, point in points.items()}
        return tuple({name: pair[part] for name, pair in found.items()} for part in (0, 1))

    data, everywhere = PartitionSpec("data"), PartitionSpec()
    sharded = jax.shard_map(
        partial(gradients, exact),
        mesh=Mesh(np.array(jax.devices()[:2]), ("data",)),
        in_specs=(dict.fromkeys(names, (everywhere, data)),),
        out_specs=(everywhere, data),
    )
    program = _compiled(lambda points: (sharded(points), gradients(exact, points), gradients(half, points)), points)
    found, expected, rounded = program(points)
    _assert_close(found, expected)
    _assert_close(rounded, expected, tolerance=5e-2)


def _gradients(layer, variables, x):
    return jax.grad(lambda variables, x: jnp.sum(layer.apply(variables, x) ** 2), (0, 1))(variables, x)


# Oracle: a convolution and its two gradients are three; of a plain one in a loop all are to be found, of ours none.
@pytest.mark.parametrize("name", ["1d", "2d dilated", "2d groups strided", "back 3d"])
def test_plain_convolutions_in_loops_are_found(name):
    ours, theirs, _ = _pairs()[name]
    point = _points()[name]

    def count(layer, loop=True, wrap=lambda f: f):
        f = wrap(partial(_gradients, layer))
        step = (lambda variables, x: lax.fori_loop(0, 2, lambda _, p: f(*p), (variables, x))) if loop else f
        return plain_convolutions(jax.make_jaxpr(step)(*point))

    assert [count(theirs), count(theirs, loop=False), count(theirs, wrap=jax.checkpoint)] == [3, 0, 3]
    assert [count(ours), count(ours, wrap=jax.jit), count(ours, wrap=jax.checkpoint)] == [0, 0, 0]


# Oracle: the definition; a plain convolution beside one of ours in a scan of seeds, in the branch of a condition.
def test_plain_convolutions_are_counted_at_any_depth():
    x = jnp.ones((2, 4, 4, 3))
    ours, theirs = Conv(3, (3, 3)), nn.Conv(3, (3, 3))
    variables = ours.init(jax.random.key(0), x)

    def body(x, _):
        return lax.cond(x.sum() > 0, lambda: theirs.apply(variables, ours.apply(variables, x)), lambda: x), None

    step = jax.jit(jax.vmap(lambda x: lax.scan(body, x, None, length=2)[0]))
    assert plain_convolutions(jax.make_jaxpr(step)(jnp.stack([x, x]))) == 1
    assert plain_convolutions(step.trace(jnp.stack([x, x])).jaxpr) == 1


@pytest.mark.parametrize(
    ("arguments", "shape", "named"),
    [
        ({"kernel_size": (3, 3, 3, 3)}, (1, 4, 4, 4, 4, 2), "kernel_size"),
        ({"kernel_size": (3, 3, 3)}, (4, 4, 2), "kernel_size has 3 axes"),
        ({"kernel_size": (3,), "dilation": (1, 2)}, (1, 8, 2), "dilation"),
        ({"kernel_size": (3,), "dilation": 0}, (1, 8, 2), "dilation"),
        ({"kernel_size": (3,), "groups": 2}, (1, 8, 3), "groups"),
        ({"kernel_size": (3, 3), "groups": 3}, (1, 8, 8, 3), "groups"),
        ({"kernel_size": (3, 3, 3), "padding": ((1, 1), (1, 1))}, (1, 4, 4, 4, 2), "padding"),
    ],
)
def test_impossible_arguments_are_named(arguments, shape, named):
    with pytest.raises(UserError, match=named):
        Conv(4, **arguments).init(jax.random.key(0), jnp.zeros(shape))


def test_the_layers_are_where_a_user_looks_for_them():
    assert layers.Conv is Conv
    assert layers.ConvTranspose is ConvTranspose
