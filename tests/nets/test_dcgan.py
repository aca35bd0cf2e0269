import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from jaxgan.errors import UserError
from jaxgan.nets.dcgan import DCGANDiscriminator, DCGANGenerator, pyramid
from jaxgan.nets.infogan import InfoGANDiscriminator, InfoGANGenerator

KEY = jax.random.key(0)


def _size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


# Oracle: the published counts of the 64-pixel networks without biases.
def test_parameter_counts_of_the_64_pixel_networks():
    g, d = DCGANGenerator((64, 64, 3)), DCGANDiscriminator()
    g = jax.eval_shape(lambda: g.init(KEY, jnp.zeros((2, 100)), train=True))
    d = jax.eval_shape(lambda: d.init(KEY, jnp.zeros((2, 64, 64, 3)), train=True))
    assert _size(g["params"]) == 3_576_704
    assert _size(d["params"]) == 2_765_568


# Oracle: the factors by hand.
@pytest.mark.parametrize(
    ("size", "base", "doublings"),
    [
        ((28, 28), (7, 7), 2),
        ((32, 32), (4, 4), 3),
        ((64, 64), (4, 4), 4),
        ((48, 32), (6, 4), 3),
        ((96, 64), (6, 4), 4),
        ((20, 44), (5, 11), 2),
        ((8, 8), (4, 4), 1),
    ],
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_shapes_of_any_base_times_a_power_of_two(size, base, doublings, channels):
    assert pyramid(*size) == (base, doublings)
    g, d = DCGANGenerator((*size, channels), width=4), DCGANDiscriminator(width=4)
    x, _ = jax.eval_shape(lambda: g.init_with_output(KEY, jnp.zeros((2, 5)), train=True))
    logits, d_variables = jax.eval_shape(lambda: d.init_with_output(KEY, jnp.zeros((2, *size, channels)), train=True))
    assert x.shape == (2, *size, channels)
    assert logits.shape == (2,)
    assert d_variables["params"]["Dense_0"]["kernel"].shape == (base[0] * base[1] * 4 * 2 ** (doublings - 1), 1)


@pytest.mark.parametrize(
    ("size", "nearby"),
    [
        ((29, 31), "28x28 and 32x32"),
        ((3, 3), "8x8"),
        ((100, 100), "96x96 and 112x112"),
        ((218, 178), "176x176 and 224x192"),
    ],
)
def test_an_impossible_size_is_named_with_sizes_that_work(size, nearby):
    with pytest.raises(UserError, match=f"image size {size[0]}x{size[1]} .* nearby that work: {nearby}"):
        DCGANGenerator((*size, 1)).init(KEY, jnp.zeros((2, 5)), train=True)
    for sides in nearby.split(" and "):
        pyramid(*map(int, sides.split("x")))


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_ranges_and_precision(dtype):
    g, d = DCGANGenerator((16, 8, 3), width=4, dtype=dtype), DCGANDiscriminator(width=4, dtype=dtype)
    x, g_variables = jax.jit(lambda z: g.init_with_output(KEY, z, train=True))(jax.random.normal(KEY, (6, 5)))
    logits, d_variables = jax.jit(lambda x: d.init_with_output(KEY, x, train=True))(x)
    assert {leaf.dtype for leaf in jax.tree.leaves((x, logits, g_variables, d_variables))} == {jnp.dtype("float32")}
    assert 0 < float(jnp.abs(x).max()) <= 1
    # Numbers that bfloat16 cannot hold are there exactly when the computation was not done in it.
    assert bool((logits == logits.astype(jnp.bfloat16)).all()) == (dtype == jnp.bfloat16)


# Oracle: Radford et al. 2016: N(0, 0.02) for all weights, N(1, 0.02) for batch normalisation's scale; the normal's own
# errors.
def test_initial_weights():
    g, d = DCGANGenerator((16, 16, 3), width=32), DCGANDiscriminator(width=32)
    made = jax.jit(
        lambda: (g.init(KEY, jnp.zeros((1, 50)), train=True), d.init(KEY, jnp.zeros((1, 16, 16, 3)), train=True))
    )()
    named = jax.tree_util.tree_flatten_with_path([variables["params"] for variables in made])[0]
    for path, leaf in named:
        name = path[-1].key
        assert name in ("kernel", "scale") or ("BatchNorm" in path[-2].key and (leaf == 0).all())
        if name != "bias":
            mean, error = {"kernel": 0.0, "scale": 1.0}[name], 0.02 / np.sqrt(leaf.size)
            assert abs(float(leaf.mean()) - mean) < 5 * error, path
            assert abs(float(leaf.std()) - 0.02) < 5 * error, path


# Oracle: running statistics by hand from the first normalised layer's input, momentum 0.9, biased variance.
def test_batch_statistics_move_in_training_and_serve_in_inference():
    g = DCGANGenerator((8, 8, 1), width=4)
    z = jax.random.normal(KEY, (6, 5))
    variables = g.init(KEY, z, train=True)
    _, updated = g.apply(variables, z, train=True, mutable=["batch_stats"])
    inner = np.asarray(z @ variables["params"]["Dense_0"]["kernel"]).reshape(-1, 4)
    running = updated["batch_stats"]["BatchNorm_0"]
    np.testing.assert_allclose(running["mean"], 0.1 * inner.mean(0), atol=1e-6)
    np.testing.assert_allclose(running["var"], 0.9 + 0.1 * inner.var(0), rtol=1e-5)
    trained = {**variables, **updated}
    still, unchanged = g.apply(trained, z, train=False, mutable=["batch_stats"])
    jax.tree.map(
        np.testing.assert_array_equal, unchanged.get("batch_stats", updated["batch_stats"]), updated["batch_stats"]
    )
    # In inference an image does not depend on the others of its batch; in training it does.
    np.testing.assert_allclose(g.apply(trained, z[:2], train=False), still[:2], atol=1e-6)
    assert float(jnp.abs(g.apply(trained, z[:2], train=True, mutable=["batch_stats"])[0] - still[:2]).max()) > 1e-3


# Oracle: the whole batch on one device.
@pytest.mark.parametrize("net", [DCGANGenerator((8, 16, 3), width=4), DCGANDiscriminator(width=4)])
def test_batch_statistics_are_those_of_all_devices(net):
    x = jax.random.normal(KEY, (8, 5) if isinstance(net, DCGANGenerator) else (8, 16, 16, 3))
    variables = net.init(KEY, x, train=True)
    split = jax.shard_map(
        lambda variables, x: net.clone(axis_name="data").apply(variables, x, train=True, mutable=["batch_stats"]),
        mesh=Mesh(np.array(jax.devices()), ("data",)),
        in_specs=(PartitionSpec(), PartitionSpec("data")),
        out_specs=(PartitionSpec("data"), PartitionSpec()),
    )
    ours = jax.jit(split)(variables, x)
    whole = jax.jit(lambda variables, x: net.apply(variables, x, train=True, mutable=["batch_stats"]))(variables, x)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), ours, whole)


# Oracle: the definition: no batch normalisation at the generator's output and at the discriminator's two ends.
def test_where_batch_normalisation_is():
    g = jax.eval_shape(lambda: DCGANGenerator((32, 32, 1), width=4).init(KEY, jnp.zeros((2, 5)), train=True))
    d = jax.eval_shape(lambda: DCGANDiscriminator(width=4).init(KEY, jnp.zeros((2, 32, 32, 1)), train=True))

    def widths(net):
        return [net["params"][f"BatchNorm_{i}"]["scale"].size for i in range(len(net["batch_stats"]))]

    assert widths(g) == [16, 8, 4]
    assert widths(d) == [8, 16]


@pytest.mark.parametrize("net", [DCGANGenerator((8, 8, 1), width=4, classes=3), DCGANDiscriminator(width=4, classes=3)])
def test_labels_reach_a_conditional_network(net):
    x = jnp.ones((3, 5)) if isinstance(net, DCGANGenerator) else jnp.ones((3, 8, 8, 1))
    y, _ = net.init_with_output(KEY, x, jnp.arange(3), train=False)
    assert len(np.unique(np.asarray(y).reshape(3, -1), axis=0)) == 3
    with pytest.raises(UserError, match="no label"):
        net.init(KEY, x, train=False)
    with pytest.raises(UserError, match="classes=0"):
        net.clone(classes=0).init(KEY, x, jnp.arange(3), train=False)


# Oracle: the definition: layer normalisation over all numbers of an image by hand, from the layer's own input.
def test_layer_normalisation_in_the_discriminator():
    d = DCGANDiscriminator(width=4, norm="layer")
    x = jax.random.normal(KEY, (3, 16, 16, 1))
    variables = d.init(KEY, x, train=True)
    assert set(variables) == {"params"}
    _, seen = d.apply(variables, x, train=True, capture_intermediates=True, mutable=["intermediates"])
    seen = seen["intermediates"]
    inner, outer = (np.asarray(seen[name]["__call__"][0]) for name in ("Conv_1", "LayerNorm_0"))
    centred = inner - inner.mean((1, 2, 3), keepdims=True)
    wanted = centred / np.sqrt((centred**2).mean((1, 2, 3), keepdims=True) + 1e-5)
    np.testing.assert_allclose(outer, wanted, atol=1e-4)


# Oracle: each image alone: without batch normalisation no image looks at the others.
@pytest.mark.parametrize("norm", ["layer", "none"])
def test_a_discriminator_without_batch_normalisation_judges_each_image_alone(norm):
    d = DCGANDiscriminator(width=4, norm=norm)
    x = jax.random.normal(KEY, (3, 16, 16, 1))
    logits, variables = d.init_with_output(KEY, x, train=True)
    np.testing.assert_allclose(d.apply(variables, x[1:2], train=True), logits[1:2], atol=1e-6)
    biases = [name for name, layer in variables["params"].items() if name.startswith("Conv") and "bias" in layer]
    assert len(biases) == (2 if norm == "none" else 0)


# Oracle: InfoGAN's networks, an implementation of their own; G's output has a bias there, which is 0 at the start.
def test_with_dense_layers_and_biases_they_are_infogans():
    z, x = jax.random.normal(KEY, (6, 5)), jax.random.uniform(KEY, (6, 8, 16, 3), minval=-1)
    g, d = (
        DCGANGenerator((8, 16, 3), width=4, units=7),
        DCGANDiscriminator(width=4, units=7, biases=True, negative_slope=0.1),
    )
    other_g, other_d = InfoGANGenerator((8, 16, 3), width=4, units=7), InfoGANDiscriminator(2, 1, width=4, units=7)
    for net, other, given in ((g, other_g, z), (d, other_d, x)):
        variables = net.init(KEY, given, train=True)
        if net is d:
            variables["params"]["Conv_0"]["bias"] = jnp.linspace(-1, 1, 4)
            variables["params"]["Dense_1"]["bias"] = jnp.ones(1)
        found, _ = net.apply(variables, given, train=True, mutable=["batch_stats"])
        shapes = other.init(KEY, given, train=True)
        params = {**shapes["params"], **_joined(shapes["params"], variables["params"])}
        wanted, _ = other.apply({**shapes, "params": params}, given, train=True, mutable=["batch_stats"])
        wanted = wanted[0] if isinstance(wanted, tuple) else wanted
        assert float(jnp.abs(found).max()) > 1e-3
        np.testing.assert_allclose(found, wanted, atol=1e-6)


# Oracle: the algebra: without biases all in front of the first normalisation is of degree 1.
def test_without_biases_batches_of_any_contrast_are_one_to_the_discriminator():
    x = jax.random.uniform(KEY, (6, 16, 16, 3), minval=-1)
    for d in (DCGANDiscriminator(width=4), DCGANDiscriminator(width=4, biases=True)):
        variables = d.init(KEY, x, train=True)
        if d.biases:
            variables["params"]["Conv_0"]["bias"] = jnp.full(4, 20.0)
        whole, half = (d.apply(variables, scale * x, train=True, mutable=["batch_stats"])[0] for scale in (100, 50))
        apart = float(jnp.abs(whole - half).max() / jnp.abs(whole).max())
        assert (apart > 1e-3) == d.biases, apart


def _joined(theirs, ours):
    """Our parameters by their names, and what is theirs alone."""
    return {name: {**theirs[name], **values} for name, values in ours.items()}
