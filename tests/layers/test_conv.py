import re
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import Mesh, PartitionSpec

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv, ConvTranspose

PAIRS = [(Conv, nn.Conv), (ConvTranspose, nn.ConvTranspose)]
# kernel, strides, padding, image. Among them: kernels that are and are not multiples of the stride and smaller than it,
# rows that no window reaches, pads larger than the kernel, few and many channels and positions (the forms differ), no
# square.
CASES = [
    ((4, 4), (2, 2), "SAME", (6, 8, 5)),
    ((4, 4), (2, 2), "SAME", (8, 10, 5)),
    ((3, 3), (1, 1), "SAME", (5, 6, 5)),
    ((5, 3), (2, 2), "SAME", (9, 10, 5)),
    ((3, 3), (2, 3), 1, (9, 12, 2)),
    ((1, 1), (2, 2), "VALID", (6, 5, 5)),
    ((2, 3), (3, 2), ((0, 3), (2, 0)), (8, 9, 5)),
    ((3, 2), (2, 1), ((4, 1), (0, 3)), (5, 11, 5)),
]


def _objective(layer, variables, x):
    return jnp.sum(jnp.sin(layer.apply(variables, x)))


def _penalized(layer, variables, x, slopes_by=(1, 2)):
    """A loss whose gradient needs second derivatives, as a gradient penalty's does; and the layer's value."""
    slopes = jax.tree.leaves(jax.grad(_objective, slopes_by)(layer, variables, x))
    penalty = sum(jnp.sum(slope**2) for slope in slopes)
    return _objective(layer, variables, x) + penalty, layer.apply(variables, x)


@partial(jax.jit, static_argnums=(0, 3))
def _all_orders(layer, variables, x, slopes_by=(1, 2)):
    gradient, value = jax.grad(_penalized, (1, 2), has_aux=True)(layer, variables, x, slopes_by)
    return value, gradient


def _setup(layer, image, batch=2, dtype=jnp.float32):
    x = jax.random.normal(jax.random.key(1), (batch, *image), dtype)
    return layer.init(jax.random.key(0), x), x


def _assert_close(ours, theirs, tolerance=1e-4):
    """To a fraction of the largest number of each array: what float32 sums in another order leave."""
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(float(np.abs(b).max()), 1e-6))


# Oracle: the Flax layers, whose gradients of both orders JAX derives from `lax.conv_general_dilated`.
@pytest.mark.parametrize(("kernel", "strides", "padding", "image"), CASES)
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_same_parameters_values_and_derivatives_as_flax(ours, theirs, kernel, strides, padding, image):
    ours, theirs = (layer(6, kernel, strides, padding) for layer in (ours, theirs))
    variables, x = _setup(theirs, image)
    chosen, _ = _setup(ours, image)
    jax.tree.map(np.testing.assert_array_equal, chosen, variables)
    _assert_close(_all_orders(ours, variables, x), _all_orders(theirs, variables, x))


# Oracle: the Flax layers.
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("shape", [(6, 4, 3), (2, 3, 6, 4, 3)])
def test_any_number_of_batch_axes(ours, theirs, shape):
    x = jax.random.normal(jax.random.key(1), shape)
    ours, theirs = (layer(5, (3, 3), 2, use_bias=False) for layer in (ours, theirs))
    variables = theirs.init(jax.random.key(0), x)
    _assert_close(ours.apply(variables, x), theirs.apply(variables, x))


# Oracle: central differences in float64.
@pytest.mark.parametrize("case", [1, 5])
@pytest.mark.parametrize("layer", [Conv, ConvTranspose])
def test_derivatives_against_finite_differences(layer, case):
    kernel, strides, padding, image = CASES[case]
    with jax.enable_x64(True):
        layer = layer(3, kernel, strides, padding, param_dtype=jnp.float64)
        variables, x = _setup(layer, image, dtype=jnp.float64)
        f = jax.jit(lambda point: _penalized(layer, *point)[0])
        point = (variables, x)
        keys = iter(jax.random.split(jax.random.key(7), 3))
        direction = jax.tree.map(lambda a: jax.random.normal(next(keys), a.shape, a.dtype), point)

        def move(step):
            return jax.tree.map(lambda a, d: a + step * d, point, direction)

        numeric = (f(move(1e-6)) - f(move(-1e-6))) / 2e-6
        exact = sum(jax.tree.leaves(jax.tree.map(jnp.vdot, _all_orders(layer, *point)[1], direction)))
        np.testing.assert_allclose(exact, numeric, rtol=1e-6)


# Oracle: the Flax layers in the same precision; the sums differ in their last bits.
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_bfloat16_compute_with_float32_parameters(ours, theirs):
    ours, theirs = (layer(6, (4, 4), (2, 2), dtype=jnp.bfloat16) for layer in (ours, theirs))
    variables, x = _setup(theirs, (8, 6, 3))
    value, gradient = _all_orders(ours, variables, x)
    assert value.dtype == jnp.bfloat16
    assert gradient[0]["params"]["kernel"].dtype == jnp.float32
    _assert_close((value, gradient), _all_orders(theirs, variables, x), tolerance=5e-2)


# Oracle: one seed at a time.
@pytest.mark.parametrize("layer", [Conv, ConvTranspose])
def test_vmap_over_seeds_and_over_images(layer):
    layer = layer(6, (4, 4), (2, 2))
    x = jax.random.normal(jax.random.key(1), (2, 3, 8, 6, 5))
    seeds = jax.vmap(lambda key: layer.init(key, x[0]))(jax.random.split(jax.random.key(0), 2))

    def one(i):
        return jax.tree.map(lambda a: a[i], seeds)

    for axes, pairs in [((0, 0), [(0, 0), (1, 1)]), ((0, None), [(0, 0), (1, 0)]), ((None, 0), [(0, 0), (0, 1)])]:
        together = jax.vmap(partial(_all_orders, layer), axes)(
            seeds if axes[0] == 0 else one(0), x if axes[1] == 0 else x[0]
        )
        apart = [_all_orders(layer, one(i), x[j]) for i, j in pairs]
        _assert_close(together, jax.tree.map(lambda *a: jnp.stack(a), *apart))


# Oracle: one device. The varying-axes check of `shard_map` stands at its default, on: a gradient of the kernel that was
# not summed over the devices would not even trace. The penalty is on the image's slopes alone: a sum over examples.
@pytest.mark.parametrize("cast", [False, True])
@pytest.mark.parametrize("layer", [Conv, ConvTranspose])
def test_gradients_under_shard_map(layer, cast):
    layer = layer(6, (4, 4), (2, 2))
    variables, x = _setup(layer, (6, 8, 3), batch=8)

    @partial(
        jax.shard_map,
        mesh=Mesh(np.array(jax.devices()), ("data",)),
        in_specs=(PartitionSpec(), PartitionSpec("data")),
        out_specs=(PartitionSpec(), PartitionSpec("data")),
    )
    def gradients(variables, x):
        if cast:
            variables = lax.pcast(variables, "data", to="varying")
        kernel, image = _all_orders(layer, variables, x, (2,))[1]
        return (lax.psum(kernel, "data") if cast else kernel), image

    _assert_close(jax.jit(gradients)(variables, x), _all_orders(layer, variables, x, (2,))[1])


def _naive_convolutions(f, *arguments):
    """How many convolutions of the compiled program XLA's CPU backend runs as a naive loop.

    It gives a convolution to Eigen if input, kernel and output are laid out NHWC, HWIO, NHWC ("b01f_01io->b01f") and
    the window is not reversed; any other becomes a loop over single numbers. What it can it transposes into that form,
    but in the entry computation only and before the text that is read here is printed. Grouped convolutions are Eigen's
    but slow, and counted too.
    """
    return _slow(jax.jit(f).lower(*arguments).compile().as_text())


def _slow(text):
    """The same of a compiled program's text."""
    lines = re.findall(r"^.* convolution\(.*$", text, re.MULTILINE)
    slow = [line for line in lines if "b01f_01io->b01f" not in line or "reversal" in line or "group_count" in line]
    return len(slow)


def _in_jit(f):
    return f


def _in_scan(f):
    return lambda variables, x: lax.scan(lambda total, _: (total, f(variables, x)), 0.0, None, length=2)


def _in_cond(f):
    return lambda variables, x: lax.cond(
        jnp.sum(x) > 0, f, lambda *a: jax.tree.map(jnp.zeros_like, f(*a)), variables, x
    )


def _over_seeds(f):
    two = partial(jax.tree.map, lambda a: jnp.stack([a, a]))
    return lambda variables, x: jax.vmap(f)(two(variables), two(x))


# Oracle: the count above. The Flax layers are the negative control: it must find their slow gradients.
@pytest.mark.parametrize("image", [(8, 8, 3), (8, 16, 32)])
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_no_naive_convolution_in_the_compiled_program(ours, theirs, image):
    ours, theirs = (layer(8, (4, 4), (2, 2)) for layer in (ours, theirs))

    def count(layer, wrap):
        return _naive_convolutions(wrap(partial(_all_orders, layer)), *_setup(layer, image))

    assert [count(ours, wrap) for wrap in (_in_jit, _in_scan, _in_cond, _over_seeds)] == [0, 0, 0, 0]
    assert [count(theirs, wrap) > 0 for wrap in (_in_scan, _over_seeds)] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"kernel_size": ()}, "kernel_size"),
        ({"kernel_size": (3, 3), "strides": (1, 0)}, "strides"),
        ({"kernel_size": (3, 3), "padding": "CIRCULAR"}, "padding"),
        ({"kernel_size": (3, 3), "padding": ((1, 1),)}, "padding"),
    ],
)
@pytest.mark.parametrize("layer", [Conv, ConvTranspose])
def test_impossible_arguments_are_named(layer, arguments, named):
    with pytest.raises(UserError, match=named):
        layer(4, **arguments).init(jax.random.key(0), jnp.zeros((1, 8, 8, 3)))
