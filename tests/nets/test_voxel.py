"""3D-GAN's networks: published counts, shapes, ranges, batch statistics, labels. The cubes are as small as they get."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from jaxgan.errors import UserError
from jaxgan.nets.voxel import VoxelDiscriminator, VoxelGenerator, pyramid

KEY = jax.random.key(0)
SMALL = (4, 4, 4)


def _size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def _params(net, *shape):
    return jax.eval_shape(lambda: net.init(KEY, jnp.zeros((2, *shape)), train=True))["params"]


def _norms(params):
    return [params[f"BatchNorm_{layer}"]["scale"].size for layer in range(4)]


# Oracle: counts of public ports of the paper's networks, and Wu et al. 2016: no biases, batch normalisation between all
# layers of G and behind all convolutions of D.
@pytest.mark.parametrize(("side", "g_size", "d_size"), [(64, 17_569_664, 11_048_832), (32, 6_032_320, 2_771_904)])
def test_the_published_networks(side, g_size, d_size):
    g, d = _params(VoxelGenerator((side,) * 3), 200), _params(VoxelDiscriminator(), *(side,) * 3)
    assert (_size(g), _size(d)) == (g_size, d_size)
    assert _norms(g) == _norms(d)[::-1] == [side * 8, side * 4, side * 2, side]
    assert not [name for net in (g, d) for name in net if "Norm" not in name and "bias" in net[name]]


# Oracle: closed form: 2^3 of the 4^3 cells meet the base.
def test_networks_without_spare_weights():
    g, d = VoxelGenerator((16, 16, 16), spare=False), VoxelDiscriminator(spare=False)
    assert _params(g, 200)["Dense_0"]["kernel"].shape == (200, 8 * 64)
    assert _params(d, 16, 16, 16)["Dense_0"]["kernel"].shape == (8 * 64, 1)


# Oracle: the sides by hand.
@pytest.mark.parametrize(
    ("side", "base", "doublings"),
    [(64, 4, 4), (32, 2, 4), (16, 2, 3), (4, 2, 1), (6, 3, 1), (24, 3, 3), (48, 3, 4), (128, 8, 4)],
)
def test_the_base_of_a_cube(side, base, doublings):
    assert pyramid((side,) * 3) == (base, doublings)


def test_a_base_of_odd_side():
    g, d = VoxelGenerator((6, 6, 6), width=2), VoxelDiscriminator(width=2, norm="none")
    made, variables = jax.eval_shape(lambda: g.init_with_output(KEY, jnp.zeros((2, 5)), train=True))
    assert made.shape == (2, 6, 6, 6)
    assert variables["params"]["Dense_0"]["kernel"].shape == (5, 27 * 2)
    assert "bias" in _params(d, 6, 6, 6)["Conv_0"]


@pytest.mark.parametrize("shape", [(2, 2, 2), (20, 20, 20), (30, 30, 30), (16, 16, 8), (40, 40, 40)])
def test_an_impossible_shape_is_one_sentence(shape):
    size = " x ".join(map(str, shape))
    with pytest.raises(UserError, match=f"voxels of {size} .* 24, or a multiple of 16 from 32 on; the dense"):
        VoxelGenerator(shape).init(KEY, jnp.zeros((2, 5)), train=True)


# Oracle: the logistic function of the constant, as the convolutions' own logits are near 0 at first; and numbers that
# bfloat16 cannot hold are there exactly when the computation was not done in it.
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_ranges_and_precision(dtype):
    g, d = VoxelGenerator(SMALL, width=2, occupancy_logit=-2.0, dtype=dtype), VoxelDiscriminator(width=2, dtype=dtype)

    def play(z):
        x, g_variables = g.init_with_output(KEY, z, train=True)
        return x, *d.init_with_output(KEY, x, train=True), g_variables

    x, logits, *variables = jax.jit(play)(jax.random.normal(KEY, (6, 5)))
    assert {leaf.dtype for leaf in jax.tree.leaves((x, logits, variables))} == {jnp.dtype("float32")}
    assert 0 < float(x.min()) < float(x.max()) < 1
    assert abs(float((jnp.log(x) - jnp.log1p(-x)).mean()) + 2) < 0.1
    assert bool((logits == logits.astype(jnp.bfloat16)).all()) == (dtype == jnp.bfloat16)


# Oracle: Radford et al. 2016, whose weights the ports take: N(0, 0.02); the normal's own errors.
def test_initial_weights():
    g = jax.jit(lambda: VoxelGenerator(SMALL, width=16).init(KEY, jnp.zeros((1, 50)), train=True))()["params"]
    for path, leaf in jax.tree_util.tree_flatten_with_path(g)[0]:
        mean = {"kernel": 0.0, "scale": 1.0, "bias": 0.0}[path[-1].key]
        assert abs(float(leaf.mean()) - mean) < 0.1 / np.sqrt(leaf.size), path
        assert path[-1].key == "bias" or abs(float(leaf.std()) - 0.02) < 0.1 / np.sqrt(leaf.size), path


# Oracle: the whole batch on one device.
@pytest.mark.parametrize("net", [VoxelGenerator(SMALL, width=2), VoxelDiscriminator(width=2)])
def test_batch_statistics_are_those_of_all_devices(net):
    x = jax.random.normal(KEY, (8, 5) if isinstance(net, VoxelGenerator) else (8, *SMALL))

    def run(axis_name, variables, x):
        return net.clone(axis_name=axis_name).apply(variables, x, train=True, mutable=["batch_stats"])

    split = jax.shard_map(
        functools.partial(run, "data"),
        mesh=Mesh(np.array(jax.devices()[:2]), ("data",)),
        in_specs=(PartitionSpec(), PartitionSpec("data")),
        out_specs=(PartitionSpec("data"), PartitionSpec()),
    )

    def both(x):
        variables = net.init(KEY, x, train=True)
        return split(variables, x), run(None, variables, x)

    ours, whole = jax.jit(both)(x)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), ours, whole)


# Oracle: each shape alone: without batch normalisation none looks at the others.
def test_a_discriminator_without_batch_normalisation_judges_each_shape_alone():
    def play(norm, x):
        logits, variables = VoxelDiscriminator(width=2, norm=norm).init_with_output(KEY, x, train=True)
        alone = VoxelDiscriminator(width=2, norm=norm).apply(variables, x[1:2], train=True)
        return logits, alone, variables

    x = jax.random.normal(KEY, (3, *SMALL))
    played = jax.jit(lambda x: {norm: play(norm, x) for norm in ("layer", "none")})(x)
    for norm, (logits, alone, variables) in played.items():
        assert set(variables) == {"params"}
        np.testing.assert_allclose(alone, logits[1:2], atol=1e-6)
        assert ("LayerNorm_0" in variables["params"]) == (norm == "layer")


# Oracle: the same network with the spare cells at 0: neither voxels nor logits move, as with the others at 0 they do.
@pytest.mark.parametrize("net", [VoxelGenerator(SMALL, width=2, classes=3), VoxelDiscriminator(width=2, classes=3)])
def test_labels_matter_and_spare_weights_do_not(net):
    given = jnp.ones((3, 5)) if isinstance(net, VoxelGenerator) else jnp.ones((3, *SMALL))
    inner = jnp.zeros((4, 4, 4, 2)).at[1:3, 1:3, 1:3].set(1).reshape(-1)

    def play(given):
        made, variables = net.init_with_output(KEY, given, jnp.arange(3), train=False)
        kernel = variables["params"]["Dense_0"]["kernel"]

        def masked(mask):
            mask = mask if isinstance(net, VoxelGenerator) else mask[:, None]
            layers = {**variables["params"], "Dense_0": {"kernel": kernel * mask}}
            return net.apply({**variables, "params": layers}, given, jnp.arange(3), train=False)

        return made, masked(inner), masked(1 - inner)

    made, same, other = jax.jit(play)(given)
    assert len(np.unique(np.asarray(made).reshape(3, -1), axis=0)) == 3
    np.testing.assert_allclose(same, made, atol=1e-7)
    assert not np.allclose(other, made, atol=1e-7)
    with pytest.raises(UserError, match="no label"):
        net.init(KEY, given, train=False)
