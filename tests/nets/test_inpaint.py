import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from scipy.ndimage import sobel
from scipy.special import expit, softmax

from jaxgan.nets.contextual import attend
from jaxgan.nets.inpaint import Coarse, GatedConv, GatedInpainter, PatchCritic, Refined, sketched
from tests.nets.weights import drawn

KEY = jax.random.key(0)
X, MASK = jnp.zeros((1, 64, 64, 3)), jnp.zeros((1, 64, 64, 1))


# Oracle: the counts of the published networks for pictures of 256 pixels.
@pytest.mark.parametrize(
    ("net", "inputs", "options", "count"),
    [
        (Coarse(3), (jnp.zeros((1, 64, 64, 5)),), {}, 1_631_151),
        (Refined(3), (X, MASK), {}, 2_421_327),
        (GatedInpainter(3), (X, MASK), {"train": True}, 4_052_478),
        (PatchCritic(), (jnp.zeros((1, 64, 64, 4)),), {"train": True}, 5_946_816),
    ],
)
def test_parameter_counts(net, inputs, options, count):
    made = jax.eval_shape(lambda: net.init(KEY, *inputs, **options))
    assert sum(leaf.size for leaf in jax.tree.leaves(made["params"])) == count


def test_the_critic_judges_256_pixels_in_4x4x256():
    made = jax.eval_shape(lambda: PatchCritic().init_with_output(KEY, jnp.zeros((1, 256, 256, 4)), train=True)[0])
    assert made.shape == (1, 4, 4, 256)


# Oracle: the definition, in numpy, of a kernel of one pixel.
@pytest.mark.parametrize(
    ("activation", "plain"),
    [(nn.elu, lambda x: np.where(x > 0, x, np.expm1(x))), (nn.relu, lambda x: np.maximum(x, 0))],
)
def test_a_gated_convolution(activation, plain):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    net = GatedConv(6, side=1, activation=activation)
    variables = drawn(net, jnp.asarray(x))
    h = x @ variables["params"]["conv"]["kernel"][0, 0] + variables["params"]["conv"]["bias"]
    y = jax.jit(net.apply)(variables, x)
    np.testing.assert_allclose(y, plain(h[..., :6]) * expit(h[..., 6:]), atol=1e-5)


# Oracle: the definition: what the hole hides changes nothing, what is known does; any size keeps its size.
@pytest.mark.parametrize("attention", [False, True])
def test_the_hole_is_not_looked_at(attention):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (1, 18, 23, 2)).astype(np.float32)
    mask = np.zeros((1, 18, 23, 1), np.float32)
    mask[:, 5:9, 6:11] = 1
    net = GatedInpainter(2, width=2, dilations=(2,), attention=attention)
    variables = drawn(net, jnp.asarray(x), jnp.asarray(mask), train=True)
    run = jax.jit(lambda x: net.apply(variables, x, jnp.asarray(mask), train=False))
    rough, fine = run(x)
    assert rough.shape == fine.shape == x.shape
    for other, same in ((np.where(mask > 0, 0.5, x), True), (np.where(mask > 0, x, -x), False)):
        for before, after in zip((rough, fine), run(other), strict=True):
            assert np.allclose(before, after, atol=1e-6) is same


# Oracle: SciPy's Sobel kernels, whose sums are 8 times a slope.
def test_edges_are_where_the_slope_is_above_a_half():
    x = np.random.default_rng(0).uniform(-1, 1, (2, 9, 12, 3)).astype(np.float32)
    grey = x.mean(-1)
    slopes = np.stack([np.hypot(sobel(each, 0, mode="nearest"), sobel(each, 1, mode="nearest")) / 8 for each in grey])
    made = np.asarray(sketched(jnp.asarray(2 * x)))[..., 0]
    assert 0.05 < made.mean() < 0.95
    np.testing.assert_array_equal(made, 2 * slopes > 0.5)


def test_the_dtype_inside_is_not_that_outside():
    net = GatedInpainter(1, width=2, dilations=(2,), dtype=jnp.bfloat16)
    x = jnp.zeros((1, 8, 8, 1))
    made, variables = jax.eval_shape(lambda: net.init_with_output(KEY, x, x, train=True))
    assert {leaf.dtype for leaf in jax.tree.leaves((made, variables))} == {jnp.dtype("float32")}


def _fused(score, order):
    number = {place: i for i, place in enumerate(order)}

    def at(p, q, k):
        a, b = number[p] + k, number[q] + k
        return score[order[a], order[b]] if min(a, b) >= 0 and max(a, b) < len(order) else 0.0

    return {(p, q): at(p, q, -1) + at(p, q, 0) + at(p, q, 1) for p, q in score}


def _by_hand(x, mask):
    """Contextual attention in loops."""
    h, w = x.shape[0] // 2, x.shape[1] // 2
    places = [(i, j) for i in range(h) for j in range(w)]
    small, hole = np.pad(x[::2, ::2], [(1, 1), (1, 1), (0, 0)]), np.pad(mask[::2, ::2, 0], 1)
    patches = [small[i : i + 3, j : j + 3].ravel() for i, j in places]
    known = np.array([hole[i : i + 3, j : j + 3].sum() == 0 for i, j in places])
    score = {
        (p, q): patches[a] @ patches[b] / max(np.linalg.norm(patches[a]), 1e-4)
        for a, p in enumerate(places)
        for b, q in enumerate(places)
    }
    for order in (sorted(places), sorted(places, key=lambda p: p[::-1])):
        score = _fused(score, order)
    table = np.array([[score[p, q] for q in places] for p in places])
    weights = softmax(10 * table * known[:, None], axis=0) * known[:, None]
    wide = np.pad(x, [(1, 1), (1, 1), (0, 0)])
    out = np.zeros_like(wide)
    for b, (i, j) in enumerate(places):
        for a, (k, m) in enumerate(places):
            out[2 * i : 2 * i + 4, 2 * j : 2 * j + 4] += weights[a, b] * wide[2 * k : 2 * k + 4, 2 * m : 2 * m + 4] / 4
    return out[1:-1, 1:-1]


# Oracle: the same in loops, in float64, each picture with its own mask.
def test_contextual_attention():
    rng = np.random.default_rng(0)
    x, mask = 0.3 * rng.normal(size=(2, 8, 12, 3)), np.zeros((2, 8, 12, 1))
    mask[0, 2:4, 4:7], mask[1, 6:, :2] = 1, 1
    made = jax.jit(attend)(x.astype(np.float32), mask.astype(np.float32))
    np.testing.assert_allclose(made, [_by_hand(*each) for each in zip(x, mask, strict=True)], atol=2e-5)
    nothing = jax.jit(attend)(x[:1].astype(np.float32), np.ones((1, 8, 12, 1), np.float32))
    np.testing.assert_array_equal(nothing, np.zeros((1, 8, 12, 3)))
