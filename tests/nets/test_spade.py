import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.nets.spade import Spade, SpadeGenerator, edges, levels_for, nearest, planes_of
from jaxgan.nets.spade_critic import SpadeDiscriminator, halved
from jaxgan.nets.spade_style import StyledGenerator, StyleEncoder, halvings
from tests.nets import weights

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)


def drawn(net, *args, **options):
    return jax.tree.map(jnp.asarray, weights.drawn(net, *args, **options))


def _count(net, *shapes):
    given = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    made = jax.eval_shape(lambda *given: net.init(KEY, *given, train=True), *given)
    return sum(leaf.size for leaf in jax.tree.leaves(made["params"]))


# Oracle: the published networks' counts (labels, edges among them; G, G with a style, D).
@pytest.mark.parametrize(
    ("planes", "levels", "size", "g", "styled", "d"),
    [
        (35, 5, (256, 256), 93_018_051, 109_537_219, 5_599_362),
        (36, 6, (256, 512), 93_048_003, None, 5_601_410),
        (151, 5, (256, 256), 96_492_483, None, 5_836_930),
        (182, 5, (256, 256), 97_420_995, None, 5_900_418),
        (184, 5, (256, 256), 97_480_899, 112_626_883, 5_904_514),
    ],
)
def test_parameter_counts(planes, levels, size, g, styled, d):
    net = SpadeGenerator(3, levels=levels)
    assert _count(net, (1, *size, planes)) == g
    assert styled is None or _count(net, (1, *size, planes), (1, 256)) == styled
    assert _count(SpadeDiscriminator(), (1, *size, planes + 3)) == d


# Oracle: the published encoders' counts.
def test_parameter_counts_of_the_encoder():
    assert [_count(StyleEncoder(), (1, side, side, 3)) for side in (256, 128)] == [10_463_424, 8_104_128]
    assert [halvings(side) for side in (256, 128, 28, 4, 1)] == [6, 5, 3, 1, 1]


def _padded_conv(x, kernel, bias):
    """3x3, zeros around, in NumPy."""
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    height, width = x.shape[1:3]
    kernel, bias = np.asarray(kernel, np.float64), np.asarray(bias, np.float64)
    windows = [padded[:, i : i + height, j : j + width] @ kernel[i, j] for i in range(3) for j in range(3)]
    return sum(windows) + bias


# Oracle: equation 1 in NumPy, float64.
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_the_layer_is_equation_1(norm):
    x = jnp.asarray(RNG.normal(2.0, 3.0, (2, 4, 6, 3)), jnp.float32)
    planes = jnp.asarray(np.eye(5)[RNG.integers(0, 5, (2, 8, 12))], jnp.float32)
    layer = Spade(hidden=4, norm=norm)
    variables = drawn(layer, x, planes, train=True)
    made, _ = layer.apply(variables, x, planes, train=True, mutable=["batch_stats"])
    axes = (0, 1, 2) if norm == "batch" else (1, 2)
    wide = np.asarray(x, np.float64)
    plain = (wide - wide.mean(axes, keepdims=True)) / np.sqrt(wide.var(axes, keepdims=True) + 1e-5)
    p = variables["params"]
    hidden = np.maximum(_padded_conv(planes[:, ::2, ::2], p["shared"]["kernel"], p["shared"]["bias"]), 0)
    gamma, beta = np.split(_padded_conv(hidden, p["gamma_beta"]["kernel"], p["gamma_beta"]["bias"]), 2, axis=-1)
    np.testing.assert_allclose(made, (1 + gamma) * plain + beta, rtol=1e-4, atol=1e-4)


# Oracle: PyTorch's rule floor(i * in / out), written out; JAX's own takes other pixels.
def test_maps_shrink_by_the_first_of_each_k_pixels():
    x = jnp.arange(64.0).reshape(1, 8, 8, 1).repeat(2, 0)
    small = nearest(x, 2, 2)
    np.testing.assert_array_equal(small[0, :, :, 0], [[0, 4], [32, 36]])
    assert (jax.image.resize(x, (2, 2, 2, 1), "nearest") != small).all()
    with pytest.raises(UserError, match="a map of 8x8 is not whole times as large as 3x3"):
        nearest(x, 3, 3)
    with pytest.raises(UserError, match="not whole times"):
        nearest(x, 2, 4)


# Oracle: by hand.
def test_edges_of_instances_are_marked_on_both_sides():
    instance = jnp.array([[[7, 7, 2, 2], [7, 7, 2, 2], [7, 7, 7, 7], [7, 7, 7, 7]]])
    wanted = [[0, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]]
    np.testing.assert_array_equal(edges(instance)[0], np.array(wanted, bool))
    planes = planes_of(jnp.zeros((1, 4, 4), jnp.int32), 3, instance)
    np.testing.assert_array_equal(planes[0, :, :, 3], wanted)
    np.testing.assert_array_equal(planes[0, :, :, :3], np.broadcast_to([1, 0, 0], (4, 4, 3)))


def test_a_label_that_is_no_class_gives_nan():
    planes = planes_of(jnp.array([[[0, 3, -1]]]), 3, None)
    assert np.isnan(planes).any(-1).tolist() == [[[False, True, True]]]


# Oracle: the published sizes at 256 pixels.
def test_sizes_of_the_discriminators_features():
    x = jax.ShapeDtypeStruct((1, 256, 256, 38), jnp.float32)
    judged = jax.eval_shape(lambda x: SpadeDiscriminator(width=1).init_with_output(KEY, x, train=True)[0], x)
    sides = [[each.shape[1] for each in (*scale.features, scale.logits)] for scale in judged]
    assert sides == [[129, 65, 33, 34, 35], [65, 33, 17, 18, 19]]
    assert [each.shape[-1] for each in judged[0].features] == [1, 2, 4, 8]
    with pytest.raises(UserError, match="at least 2 layers, got 1"):
        jax.eval_shape(lambda x: SpadeDiscriminator(layers=1).init(KEY, x, train=True), x)


# Oracle: means over the pixels of each window that lie inside, by hand.
def test_a_picture_is_halved_without_what_lies_outside():
    x = jnp.arange(9.0).reshape(1, 3, 3, 1)
    np.testing.assert_allclose(halved(x)[0, :, :, 0], [[2, 3], [5, 6]])


@pytest.mark.parametrize(("levels", "size"), [(1, (9, 8)), (2, (28, 28)), (3, (11, 20)), (6, (64, 64))])
def test_maps_of_any_size(levels, size):
    planes = jax.ShapeDtypeStruct((2, *size, 4), jnp.float32)
    net = SpadeGenerator(3, width=1, levels=levels, hidden=1)
    made = jax.eval_shape(lambda planes: net.init_with_output(KEY, planes, train=True)[0], planes)
    assert made.shape == (2, *size, 3)


def test_levels():
    assert [levels_for(side, side) for side in (8, 28, 32, 64, 128, 256, 512, 4096)] == [1, 2, 2, 3, 4, 5, 6, 6]
    with pytest.raises(UserError, match="takes 1 to 6 levels, got 7"):
        SpadeGenerator(3, levels=7).init(KEY, jnp.zeros((1, 8, 8, 2)), train=True)


# Oracle: the definition: one label's map is one map for every pixel, so that without it no place differs but at edges.
def test_the_map_says_what_is_where():
    net = SpadeGenerator(1, width=2, levels=1, hidden=3, norm="instance")
    maps = jnp.zeros((1, 8, 8, 2)).at[..., 0].set(1.0)
    other = maps.at[:, 3:5, 3:5].set(jnp.array([0.0, 1.0]))
    variables = drawn(net, maps, train=True)
    run = jax.jit(lambda planes: net.apply(variables, planes, train=False))
    assert not np.allclose(run(maps), run(other))


# Oracle: the definition of a style: the mean without noise, mean + deviation * noise with it.
def test_styles_are_drawn_from_what_the_encoder_says():
    net = StyledGenerator(SpadeGenerator(1, 2, 1, 3), StyleEncoder(5, 2))
    planes, picture = jnp.zeros((2, 8, 8, 2)).at[..., 0].set(1.0), jax.random.normal(KEY, (2, 8, 8, 1))
    noise = jax.random.normal(KEY, (2, 5))
    variables = drawn(net, planes, picture, noise, train=True)

    @jax.jit
    def run(variables):
        made, style = net.apply(variables, planes, picture, noise, train=False)
        z = style.mean + jnp.exp(0.5 * style.log_variance) * noise
        wanted = net.apply(variables, planes, z, train=False, method="decode")
        plain = net.apply(variables, planes, picture, train=False)[0]
        return made, wanted, plain, net.apply(variables, planes, style.mean, train=False, method="decode")

    made, wanted, plain, mean = run(variables)
    np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(plain, mean, rtol=1e-5, atol=1e-6)
    assert not np.allclose(made, plain)
