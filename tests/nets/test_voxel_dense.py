"""Dense networks of voxels: counts, ranges, the first occupancy, mirror images, labels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.nets.voxel_dense import DenseVoxelDiscriminator, DenseVoxelGenerator

KEY = jax.random.key(0)
SHAPE = (3, 4, 6)


def _size(net, given):
    return sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(lambda: net.init(KEY, given))))


# Oracle: by hand, 64-256-512-4096 and 4096-512-256-1 with biases, and two numbers a unit for layer normalisation; half
# of the voxels with mirror images.
@pytest.mark.parametrize(("mirror", "voxels", "g_size"), [(False, 4096, 2_251_008), (True, 2048, 1_200_384)])
def test_parameter_counts(mirror, voxels, g_size):
    g, d = DenseVoxelGenerator((16, 16, 16), mirror=mirror), DenseVoxelDiscriminator(mirror=mirror)
    by_hand = 65 * 256 + 257 * 512 + 513 * voxels + 2 * (256 + 512)
    assert _size(g, jnp.zeros((2, 64))) == by_hand == g_size
    assert _size(d, jnp.zeros((2, 16, 16, 16))) == (voxels + 1) * 512 + 513 * 256 + 257


# Oracle: numbers that bfloat16 cannot hold are there exactly when the computation was not done in it.
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_shapes_ranges_and_precision(dtype):
    g = DenseVoxelGenerator(SHAPE, widths=(8,), dtype=dtype)
    d = DenseVoxelDiscriminator(widths=(8,), dtype=dtype)

    def play(z):
        x, g_variables = g.init_with_output(KEY, z, train=True)
        return x, *d.init_with_output(KEY, x, train=True), g_variables

    x, logits, *variables = jax.jit(play)(jax.random.normal(KEY, (6, 5)))
    assert {leaf.dtype for leaf in jax.tree.leaves((x, logits, variables))} == {jnp.dtype("float32")}
    assert (x.shape, logits.shape) == ((6, *SHAPE), (6,))
    assert 0 < float(x.min()) < float(x.max()) < 1
    assert bool((logits == logits.astype(jnp.bfloat16)).all()) == (dtype == jnp.bfloat16)


# Oracle: the logistic function of the bias, as the weights' mean is 0.
def test_voxels_begin_at_the_occupancy_of_the_data():
    g = DenseVoxelGenerator((8, 8, 8), occupancy_logit=-2.0)
    x, _ = jax.jit(lambda: g.init_with_output(KEY, jax.random.normal(KEY, (16, 5))))()
    assert abs(float((jnp.log(x) - jnp.log1p(-x)).mean()) + 2) < 0.05


def test_mirror_images():
    """Voxels equal their mirror images; the judge sees the right half, and nothing of the left one."""
    g, d = DenseVoxelGenerator(SHAPE, widths=(8,), mirror=True), DenseVoxelDiscriminator(widths=(8,), mirror=True)

    def play(z):
        x, _ = g.init_with_output(KEY, z)
        logits, variables = d.init_with_output(KEY, x)
        left, right = x.at[..., :3].set(0), x.at[..., 3].set(0)
        return x, logits, d.apply(variables, left), d.apply(variables, right)

    x, logits, without_left, without_right = map(np.asarray, jax.jit(play)(jax.random.normal(KEY, (2, 5))))
    np.testing.assert_array_equal(x, x[..., ::-1])
    assert len(np.unique(x[..., 3:])) == 2 * 3 * 4 * 3
    np.testing.assert_array_equal(without_left, logits)
    assert not np.allclose(without_right, logits)


def test_an_odd_width_has_no_mirror_image():
    with pytest.raises(UserError, match="even width, got 5"):
        _size(DenseVoxelGenerator((2, 2, 5), mirror=True), jnp.zeros((1, 3)))
    with pytest.raises(UserError, match="even width, got 5"):
        _size(DenseVoxelDiscriminator(mirror=True), jnp.zeros((1, 2, 2, 5)))


@pytest.mark.parametrize(
    "net", [DenseVoxelGenerator(SHAPE, widths=(4,), classes=3), DenseVoxelDiscriminator(widths=(4,), classes=3)]
)
def test_labels_reach_a_conditional_network(net):
    x = jnp.ones((3, 5)) if isinstance(net, DenseVoxelGenerator) else jnp.ones((3, *SHAPE))
    y = jax.jit(lambda: net.init_with_output(KEY, x, jnp.arange(3), train=False)[0])()
    assert len(np.unique(np.asarray(y).reshape(3, -1), axis=0)) == 3
    with pytest.raises(UserError, match="no label"):
        net.init(KEY, x, train=False)
