import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from jaxgan.errors import UserError
from jaxgan.nets.resnet import ResNetDiscriminator, ResNetGenerator, UpBlock

KEY = jax.random.key(0)
LABEL = jnp.arange(3)
NORMS = ["batch", "conditional", "self", "adain"]
CONDITIONS = ["projection", "auxiliary", "concat"]


def _size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def _made(net, x, label=None):
    return jax.eval_shape(lambda: net.init(KEY, jnp.zeros((2, *x)), label, train=True))


# Oracle: the generator's count is mimicry's, the discriminator's is the sum over the layers of its network, which are
# the paper's: 3 -> 128 with shortcut, halving 128 -> 128 with shortcut, two blocks without one, 128 -> 1.
def test_parameter_counts_of_the_32_pixel_networks():
    def conv(k, i, o):
        return k * k * i * o + o

    d = conv(3, 3, 128) + conv(1, 3, 128) + 7 * conv(3, 128, 128) + conv(1, 128, 128) + 128 + 1
    assert d == 1_053_825
    assert _size(_made(ResNetDiscriminator(), (32, 32, 3))["params"]) == d
    assert _size(_made(ResNetGenerator((32, 32, 3)), (128,))["params"]) == 4_276_739


# Oracle: by hand: 10 classes add a row of `psi`'s length, or 10 outputs, or a channel and its pictures to D; rows of
# gains and biases in place of one of each to G.
def test_parameters_that_classes_add():
    label = jnp.zeros(2, jnp.int32)
    added = {"projection": 1280, "auxiliary": 1290, "concat": 9 * 128 + 128 + 10 * 32 * 32}
    for condition, more in added.items():
        d = ResNetDiscriminator(classes=10, condition=condition)
        assert _size(_made(d, (32, 32, 3), label)["params"]) == 1_053_825 + more
    g = ResNetGenerator((32, 32, 3), classes=10, norm="conditional")
    assert _size(_made(g, (128,), label)["params"]) == 4_276_739 + 7 * 2 * 9 * 256


# Oracle: the tables for 128x128: G 1024 -> 1024, 512, 256, 128, 64; D 64, 128, 256, 512, 1024 halving, 1024.
def test_channels_of_the_128_pixel_networks():
    g = _made(ResNetGenerator((128, 128, 3), width=64, layout="doubling"), (128,))["params"]
    d = _made(ResNetDiscriminator(width=64, layout="doubling"), (128, 128, 3))["params"]
    assert g["Dense_0"]["kernel"].shape == (128, 4 * 4 * 1024)
    assert [g[f"UpBlock_{i}"]["Conv_1"]["kernel"].shape[-1] for i in range(5)] == [1024, 512, 256, 128, 64]
    blocks = [d[f"DownBlock_{i}"] for i in range(6)]
    assert [block["SpectralConv_1"]["kernel"].shape[-1] for block in blocks] == [64, 128, 256, 512, 1024, 1024]
    assert ["SpectralConv_2" in block for block in blocks] == [True] * 5 + [False]


# Oracle: the factors by hand (tests/nets/test_dcgan.py); two halvings at most in the table for small images.
@pytest.mark.parametrize("layout", ["constant", "doubling"])
@pytest.mark.parametrize("size", [(28, 28), (48, 32), (8, 8), (64, 64)])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_of_any_base_times_a_power_of_two(size, channels, layout):
    g = ResNetGenerator((*size, channels), width=4, layout=layout)
    d = ResNetDiscriminator(width=4, layout=layout)
    x, _ = jax.eval_shape(lambda: g.init_with_output(KEY, jnp.zeros((2, 5)), train=True))
    logits, _ = jax.eval_shape(lambda: d.init_with_output(KEY, jnp.zeros((2, *size, channels)), train=True))
    assert x.shape == (2, *size, channels)
    assert logits.shape == (2,)


def _numpy_conv(x, params):
    kernel, bias = (np.asarray(params[name], np.float64) for name in ("kernel", "bias"))
    reach = kernel.shape[0] // 2
    padded = np.pad(x, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    y = np.zeros((*x.shape[:3], kernel.shape[-1]))
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            y += padded[:, i : i + x.shape[1], j : j + x.shape[2]] @ kernel[i, j]
    return y + bias


def _relu(x):
    return np.maximum(x, 0)


def _standard(x):
    return (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)


# Oracle: the whole networks of the paper's figures in numpy, for one doubling and one halving, spectral norms by SVD.
def test_networks_equal_their_figures():
    g, d = ResNetGenerator((8, 8, 1), width=3), ResNetDiscriminator(width=3)
    z = jax.random.normal(KEY, (4, 5))
    g_variables = g.init(KEY, z, train=True)
    x_fake, _ = g.apply(g_variables, z, train=True, mutable=["batch_stats"])
    p = g_variables["params"]
    h = (np.asarray(z) @ np.asarray(p["Dense_0"]["kernel"], np.float64)).reshape(4, 4, 4, 3)
    block = p["UpBlock_0"]
    up = _numpy_conv(_relu(_standard(h)).repeat(2, 1).repeat(2, 2), block["Conv_0"])
    up = _numpy_conv(_relu(_standard(up)), block["Conv_1"])
    h = up + _numpy_conv(h.repeat(2, 1).repeat(2, 2), block["Conv_2"])
    expected = np.tanh(_numpy_conv(_relu(_standard(h)), p["Conv_0"]))
    np.testing.assert_allclose(x_fake, expected, rtol=1e-3, atol=1e-4)

    d_variables = d.init(KEY, x_fake, train=True)
    iterate = jax.jit(lambda variables: d.apply(variables, x_fake, train=True, mutable=["spectral"])[1])
    for _ in range(80):
        d_variables = {**d_variables, **iterate(d_variables)}

    def normal(params):
        kernel = np.asarray(params["kernel"], np.float64)
        return {**params, "kernel": kernel / np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]))[1][0]}

    p = jax.tree.map(normal, d_variables["params"], is_leaf=lambda x: "kernel" in x)

    def halve(x):
        return x.reshape(4, x.shape[1] // 2, 2, x.shape[2] // 2, 2, -1).mean((2, 4))

    h = expected
    for i in range(3):
        block = p[f"DownBlock_{i}"]
        y = _numpy_conv(_relu(_numpy_conv(_relu(h) if i else h, block["SpectralConv_0"])), block["SpectralConv_1"])
        h = h + y if i else halve(y) + halve(_numpy_conv(h, block["SpectralConv_2"]))
    logits = _relu(h).sum((1, 2)) @ p["SpectralDense_0"]["kernel"][:, 0] + np.asarray(p["SpectralDense_0"]["bias"])
    np.testing.assert_allclose(d.apply(d_variables, x_fake, train=False), logits, rtol=1e-3, atol=1e-4)


# Oracle: the program itself: convolutions and products of bfloat16, and of nothing else, exactly when asked for.
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_ranges_and_precision(dtype):
    # Wide enough that convolutions stay convolutions on CPUs.
    g = ResNetGenerator((16, 8, 3), width=8, classes=3, norm="conditional", dtype=dtype)
    d = ResNetDiscriminator(width=8, classes=3, condition="projection", dtype=dtype)

    def make(z, label):
        x, g_variables = g.init_with_output(KEY, z, label, train=True)
        logits, d_variables = d.init_with_output(KEY, x, label, train=True)
        return x, logits, g_variables, d_variables

    made = jax.jit(make).lower(jax.random.normal(KEY, (6, 5)), jnp.arange(6) % 3)
    convolutions = [line for line in made.as_text().splitlines() if "stablehlo.convolution" in line]
    assert convolutions
    assert all(("bf16" in line) == (dtype == jnp.bfloat16) for line in convolutions)
    x, *others = made.compile()(jax.random.normal(KEY, (6, 5)), jnp.arange(6) % 3)
    assert {leaf.dtype for leaf in jax.tree.leaves((x, others))} == {jnp.dtype("float32")}
    assert 0 < float(jnp.abs(x).max()) <= 1


@pytest.mark.parametrize("norm", NORMS)
def test_labels_reach_the_generator(norm):
    """Once its gains are not all 1: those of classes start so."""
    net = ResNetGenerator((8, 8, 1), width=4, classes=3, norm=norm)
    z = jnp.ones((3, 5))
    variables = net.init(KEY, z, LABEL, train=True)
    moved = jax.tree.map(lambda p: p + 0.1 * jax.random.normal(KEY, p.shape), variables["params"])
    x = net.apply({**variables, "params": moved}, z, LABEL, train=False)
    assert len(np.unique(np.asarray(x).reshape(3, -1), axis=0)) == 3
    with pytest.raises(UserError, match="no label"):
        net.init(KEY, z, train=True)
    with pytest.raises(UserError, match="classes=0"):
        net.clone(classes=0).init(KEY, z, LABEL, train=True)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_labels_reach_the_discriminator(condition):
    """But AC-GAN's, which must not see the class that it guesses."""
    net = ResNetDiscriminator(width=4, classes=3, condition=condition)
    x = jnp.ones((3, 8, 8, 1))
    made, _ = net.init_with_output(KEY, x, LABEL, train=True)
    logits, guess = made if condition == "auxiliary" else (made, None)
    assert len(np.unique(logits)) == (1 if condition == "auxiliary" else 3)
    assert guess is None or guess.shape == (3, 3)
    with pytest.raises(UserError, match="no label"):
        net.init(KEY, x, train=True)
    with pytest.raises(UserError, match=f"condition '{condition}' does not go with classes=0"):
        net.clone(classes=0).init(KEY, x, train=True)
    with pytest.raises(UserError, match="condition 'none' does not go with classes=3"):
        net.clone(condition="none").init(KEY, x, LABEL, train=True)


def test_gains_of_classes_need_classes():
    with pytest.raises(UserError, match="norm 'conditional' does not go with classes=0"):
        ResNetGenerator((8, 8, 1), width=4, norm="conditional").init(KEY, jnp.ones((2, 5)), train=True)


def test_an_impossible_size_is_named():
    with pytest.raises(UserError, match="image size 29x31"):
        ResNetGenerator((29, 31, 1), width=4).init(KEY, jnp.ones((2, 5)), train=True)


# Oracle: the definition: batch statistics wherever a norm takes them over the batch, none with AdaIN.
@pytest.mark.parametrize("norm", NORMS)
def test_where_statistics_are_kept(norm):
    net = ResNetGenerator((8, 8, 1), width=4, classes=3, norm=norm)
    stats = _made(net, (5,), jnp.zeros(2, jnp.int32)).get("batch_stats", {})
    assert _size(stats) == (0 if norm == "adain" else 3 * 2 * 4)
    assert UpBlock.__name__ + "_0" in stats or norm == "adain"


# Oracle: the whole batch on one device.
@pytest.mark.parametrize("norm", NORMS)
def test_batch_statistics_are_those_of_all_devices(norm):
    net = ResNetGenerator((8, 8, 1), width=3, classes=3, norm=norm)
    z, label = jax.random.normal(KEY, (8, 5)), jnp.arange(8) % 3
    variables = net.init(KEY, z, label, train=True)
    split = jax.shard_map(
        lambda variables, z, label: net.clone(axis_name="data").apply(
            variables, z, label, train=True, mutable=["batch_stats"]
        ),
        mesh=Mesh(np.array(jax.devices()[:4]), ("data",)),
        in_specs=(PartitionSpec(), PartitionSpec("data"), PartitionSpec("data")),
        out_specs=(PartitionSpec("data"), PartitionSpec()),
    )
    ours = jax.jit(split)(variables, z, label)
    whole = jax.jit(lambda *a: net.apply(*a, train=True, mutable=["batch_stats"]))(variables, z, label)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), ours, whole)
