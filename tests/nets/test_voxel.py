"""Networks of voxels: published counts, shapes, ranges, symmetric and conditional forms, batch statistics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from jaxgan.errors import UserError
from jaxgan.nets.voxel import (
    DenseVoxelDiscriminator,
    DenseVoxelGenerator,
    VoxelDiscriminator,
    VoxelGenerator,
    pyramid,
)

KEY = jax.random.key(0)
SMALL = (8, 8, 8)


def _size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def _params(net, *shape):
    return jax.eval_shape(lambda: net.init(KEY, jnp.zeros((2, *shape)), train=True))["params"]


# Oracle: counts of public ports of the paper's networks, without biases; the spare weights in closed form: of 4^3 cells
# 2^3 meet the base.
@pytest.mark.parametrize(("side", "g_size", "d_size"), [(64, 17_569_664, 11_048_832), (32, 6_032_320, 2_771_904)])
def test_parameter_counts_of_the_published_networks(side, g_size, d_size):
    shape = (side,) * 3
    assert _size(_params(VoxelGenerator(shape), 200)) == g_size
    assert _size(_params(VoxelDiscriminator(), *shape)) == d_size
    spare = (64 - 8) * 256 if side == 32 else 0
    assert _size(_params(VoxelGenerator(shape, spare=False), 200)) == g_size - 200 * spare
    assert _size(_params(VoxelDiscriminator(spare=False), *shape)) == d_size - spare


# Oracle: by hand, 64-256-512-4096 and 4096-512-256-1 with biases, and two numbers a unit for layer normalisation.
def test_parameter_counts_of_the_dense_networks():
    g = 65 * 256 + 257 * 512 + 513 * 4096 + 2 * (256 + 512)
    assert _size(_params(DenseVoxelGenerator((16, 16, 16)), 64)) == g == 2_251_008
    d = 4097 * 512 + 513 * 256 + 257
    assert _size(_params(DenseVoxelDiscriminator(), 16, 16, 16)) == d == 2_229_249


# Oracle: the sides by hand.
@pytest.mark.parametrize(
    ("side", "base", "doublings"),
    [(64, 4, 4), (32, 2, 4), (16, 2, 3), (4, 2, 1), (6, 3, 1), (24, 3, 3), (48, 3, 4), (128, 8, 4)],
)
def test_shapes_of_cubes(side, base, doublings):
    shape = (side,) * 3
    assert pyramid(shape) == (base, doublings)
    g, d = VoxelGenerator(shape, width=2), VoxelDiscriminator(width=2)
    made = jax.eval_shape(lambda: g.init_with_output(KEY, jnp.zeros((2, 5)), train=True))[0]
    logits = jax.eval_shape(lambda: d.init_with_output(KEY, jnp.zeros((2, *shape)), train=True))[0]
    assert (made.shape, logits.shape) == ((2, *shape), (2,))


@pytest.mark.parametrize("shape", [(2, 2, 2), (20, 20, 20), (30, 30, 30), (16, 16, 8), (40, 40, 40)])
def test_an_impossible_shape_is_one_sentence(shape):
    size = " x ".join(map(str, shape))
    with pytest.raises(UserError, match=f"voxels of {size} .* 24, or a multiple of 16 from 32 on; the dense"):
        VoxelGenerator(shape).init(KEY, jnp.zeros((2, 5)), train=True)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize(
    ("g", "d"),
    [
        (VoxelGenerator(SMALL, width=2), VoxelDiscriminator(width=2)),
        (DenseVoxelGenerator((3, 4, 6), widths=(8,)), DenseVoxelDiscriminator(widths=(8,))),
    ],
)
def test_ranges_and_precision(g, d, dtype):
    g, d = g.clone(dtype=dtype), d.clone(dtype=dtype)
    z = jax.random.normal(KEY, (6, 5))
    x, g_variables = jax.jit(lambda z: g.init_with_output(KEY, z, train=True))(z)
    logits, d_variables = jax.jit(lambda x: d.init_with_output(KEY, x, train=True))(x)
    assert {leaf.dtype for leaf in jax.tree.leaves((x, logits, g_variables, d_variables))} == {jnp.dtype("float32")}
    assert x.shape == (6, *g.shape)
    assert 0 < float(x.min()) < float(x.max()) < 1
    # Numbers that bfloat16 cannot hold are there exactly when the computation was not done in it.
    assert bool((logits == logits.astype(jnp.bfloat16)).all()) == (dtype == jnp.bfloat16)


# Oracle: the logistic function of the logit, where the last layer's own logits are near 0.
@pytest.mark.parametrize(
    "net",
    [
        VoxelGenerator(SMALL, width=2, occupancy_logit=-2.0),
        DenseVoxelGenerator(SMALL, widths=(512,), occupancy_logit=-2.0),
    ],
)
def test_voxels_begin_at_the_occupancy_of_the_data(net):
    x, _ = net.init_with_output(KEY, jax.random.normal(KEY, (16, 5)), train=True)
    logits = jnp.log(x) - jnp.log1p(-x)
    assert abs(float(logits.mean()) + 2) < 0.2


# Oracle: Wu et al. 2016: batch normalisation between all layers of G, and behind all convolutions of D.
def test_where_normalisation_and_biases_are():
    g, d = _params(VoxelGenerator((32, 32, 32), width=2), 5), _params(VoxelDiscriminator(width=2), 32, 32, 32)
    assert [g[f"BatchNorm_{layer}"]["scale"].size for layer in range(4)] == [16, 8, 4, 2]
    assert [d[f"BatchNorm_{layer}"]["scale"].size for layer in range(4)] == [2, 4, 8, 16]
    assert not [name for name in (*g, *d) if "Norm" not in name and "bias" in {**g, **d}[name]]
    plain = _params(VoxelDiscriminator(width=2, norm="none"), *SMALL)
    assert sorted(plain) == ["Conv_0", "Conv_1", "Dense_0"]
    assert "bias" in plain["Conv_1"]


# Oracle: Radford et al. 2016, whose weights the ports take: N(0, 0.02); the normal's own errors.
def test_initial_weights():
    g = jax.jit(lambda: VoxelGenerator(SMALL, width=16).init(KEY, jnp.zeros((1, 50)), train=True))()["params"]
    for path, leaf in jax.tree_util.tree_flatten_with_path(g)[0]:
        mean = {"kernel": 0.0, "scale": 1.0, "bias": 0.0}[path[-1].key]
        assert abs(float(leaf.mean()) - mean) < 0.1 / np.sqrt(leaf.size), path
        assert path[-1].key == "bias" or abs(float(leaf.std()) - 0.02) < 0.1 / np.sqrt(leaf.size), path


# Oracle: the whole batch on one device; and each shape alone, which batch statistics forbid.
@pytest.mark.parametrize("net", [VoxelGenerator(SMALL, width=2), VoxelDiscriminator(width=2)])
def test_batch_statistics_are_those_of_all_devices(net):
    x = jax.random.normal(KEY, (8, 5) if isinstance(net, VoxelGenerator) else (8, *SMALL))

    def run(net):
        return lambda variables, x: net.apply(variables, x, train=True, mutable=["batch_stats"])

    variables = jax.jit(lambda: net.init(KEY, x, train=True))()
    split = jax.shard_map(
        run(net.clone(axis_name="data")),
        mesh=Mesh(np.array(jax.devices()), ("data",)),
        in_specs=(PartitionSpec(), PartitionSpec("data")),
        out_specs=(PartitionSpec("data"), PartitionSpec()),
    )
    ours, whole = jax.jit(split)(variables, x), jax.jit(run(net))(variables, x)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), ours, whole)
    assert not np.allclose(jax.jit(run(net))(variables, x[:4])[0], whole[0][:4], atol=1e-6)


# Oracle: each shape alone: without batch normalisation none looks at the others.
@pytest.mark.parametrize("norm", ["layer", "none"])
def test_a_discriminator_without_batch_normalisation_judges_each_shape_alone(norm):
    d = VoxelDiscriminator(width=2, norm=norm)
    x = jax.random.normal(KEY, (3, *SMALL))
    logits, variables = jax.jit(lambda: d.init_with_output(KEY, x, train=True))()
    assert set(variables) == {"params"}
    np.testing.assert_allclose(d.apply(variables, x[1:2], train=True), logits[1:2], atol=1e-6)
    assert ("LayerNorm_1" in variables["params"]) == (norm == "layer")


@pytest.mark.parametrize(
    "net",
    [
        VoxelGenerator(SMALL, width=2, classes=3),
        VoxelDiscriminator(width=2, classes=3),
        DenseVoxelGenerator(SMALL, widths=(4,), classes=3),
        DenseVoxelDiscriminator(widths=(4,), classes=3),
    ],
)
def test_labels_reach_a_conditional_network(net):
    x = jnp.ones((3, 5)) if hasattr(net, "shape") else jnp.ones((3, *SMALL))
    y = jax.jit(lambda: net.init_with_output(KEY, x, jnp.arange(3), train=False)[0])()
    assert len(np.unique(np.asarray(y).reshape(3, -1), axis=0)) == 3
    with pytest.raises(UserError, match="no label"):
        net.init(KEY, x, train=False)


# Oracle: the same network with the unused cells changed: neither voxels nor logits move.
def test_spare_weights_meet_no_voxel():
    g, d = VoxelGenerator(SMALL, width=2), VoxelDiscriminator(width=2)
    z, x = jax.random.normal(KEY, (3, 5)), jax.random.uniform(KEY, (3, *SMALL))
    inner = jnp.zeros((4, 4, 4, 1)).at[1:3, 1:3, 1:3].set(1)
    for net, given, axis in ((g, z, 1), (d, x, 0)):
        made, variables = jax.jit(lambda net=net, given=given: net.init_with_output(KEY, given, train=False))()
        kernel = variables["params"]["Dense_0"]["kernel"]
        mask = jnp.broadcast_to(inner, (4, 4, 4, kernel.shape[axis] // 64)).reshape(-1)
        variables["params"]["Dense_0"]["kernel"] = kernel * (mask if axis else mask[:, None])
        np.testing.assert_allclose(net.apply(variables, given, train=False), made, atol=1e-7)
