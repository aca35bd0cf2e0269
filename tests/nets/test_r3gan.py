import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.layers.conv.grouped import grouped_conv
from jaxgan.nets.r3gan import R3GANBlock, R3GANDiscriminator, R3GANGenerator, stage_widths

KEY = jax.random.key(0)
TINY = {"width": 4, "max_width": 6}


def _size(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def _moved(variables, scale=0.1):
    """Away from the start, where every block is the identity."""
    leaves, treedef = jax.tree.flatten(variables)
    keys = jax.random.split(jax.random.key(9), len(leaves))
    return treedef.unflatten([x + scale * jax.random.normal(k, x.shape) for x, k in zip(leaves, keys, strict=True)])


# Oracle: the authors' widths from the base to 256 x 256, which are 3/4 of 1024, 1024, 1024, 1024, 512, 256, 128.
def test_widths_of_the_stages():
    assert stage_widths(96, 2, 768, 6) == [96, 192, 384, 768, 768, 768, 768]
    assert stage_widths(8, 2, 64, 2) == [8, 16, 32]
    assert stage_widths(8, 4, 100, 2) == [8, 32, 100]


# Oracle: the weights counted by hand: of a block of w channels 2 w w + 2 w 9 16 + 2 w w and 4 w biases; a matrix where
# the width changes; basis, latent map and image layer.
def test_parameter_counts_of_the_networks_for_ffhq():
    widths = [96, 192, 384, 768, 768, 768, 768]
    blocks = sum(2 * (4 * w * w + 2 * w * 9 * 16 + 4 * w) for w in widths)
    changes = 96 * 192 + 192 * 384 + 384 * 768
    settings = {"width": 96, "max_width": 768, "blocks": 2}
    g = R3GANGenerator((256, 256, 3), **settings)
    d = R3GANDiscriminator(**settings)
    g = jax.eval_shape(lambda: g.init(KEY, jnp.zeros((1, 64)), train=True))
    d = jax.eval_shape(lambda: d.init(KEY, jnp.zeros((1, 256, 256, 3)), train=True))
    assert _size(g) == blocks + changes + 768 * 16 + 64 * 768 + 96 * 3 == 23_057_952
    assert _size(d) == blocks + changes + 768 * 16 + 768 + 3 * 96 == 23_009_568


# Oracle: the block spelled out in the paper's order, from its parameters.
def test_block_is_expand_mix_project():
    block = R3GANBlock(group_size=4, depth=3)
    x = jax.random.normal(KEY, (2, 3, 4, 4))
    params = _moved(block.init(KEY, x))["params"]
    y = x @ params["Dense_0"]["kernel"] + params["Dense_0"]["bias"]
    y = (
        grouped_conv(jnp.where(y > 0, y, 0.2 * y), params["GroupedConv_0"]["kernel"], 2)
        + params["GroupedConv_0"]["bias"]
    )
    y = jnp.where(y > 0, y, 0.2 * y) @ params["Dense_1"]["kernel"]
    np.testing.assert_allclose(block.apply({"params": params}, x), x + y, atol=1e-5)


# Oracle: Zhang et al. 2019, section 3: the last layer zero, the others N(0, gain^2 / fan-in) times L^(-1 / (2 m - 2)),
# with L blocks of m = 3 layers and the leaky ReLU's gain^2 = 2 / (1 + 0.2^2); the deviation's own error.
def test_initial_weights_of_a_block():
    block = R3GANBlock(group_size=16, depth=16)
    x = jax.random.normal(KEY, (1, 4, 4, 64))
    variables = block.init(KEY, x)
    np.testing.assert_array_equal(block.apply(variables, x), x)
    kernels = {name: layer["kernel"] for name, layer in variables["params"].items()}
    for name, fan_in in (("Dense_0", 64), ("GroupedConv_0", 9 * 16)):
        wanted = np.sqrt(2 / 1.04 / fan_in) * 16**-0.25
        assert abs(float(kernels[name].std()) / wanted - 1) < 5 / np.sqrt(2 * kernels[name].size)
    assert (kernels["Dense_1"] == 0).all()


@pytest.mark.parametrize("size", [(28, 28), (32, 16), (8, 8), (20, 12)])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_of_any_base_times_a_power_of_two(size, channels):
    g, d = R3GANGenerator((*size, channels), **TINY), R3GANDiscriminator(**TINY)
    x, _ = jax.eval_shape(lambda: g.init_with_output(KEY, jnp.zeros((2, 5)), train=True))
    logits, _ = jax.eval_shape(lambda: d.init_with_output(KEY, jnp.zeros((2, *size, channels)), train=True))
    assert (x.shape, logits.shape) == ((2, *size, channels), (2,))


# Oracle: before training G is linear: the basis, scaled, brought to size and to the image's channels by matrices.
def test_the_first_images_are_the_basis():
    g = R3GANGenerator((8, 8, 1), width=4, max_width=4)
    z = jax.random.normal(KEY, (2, 5))
    x, variables = g.init_with_output(KEY, z, train=True)
    params = variables["params"]
    small = (z @ params["scales"]["kernel"])[:, None, None, :] * params["basis"] @ params["Dense_0"]["kernel"]
    inner = jax.image.resize(small, (2, 8, 8, 1), "bilinear")[:, 1:-1, 1:-1]
    np.testing.assert_allclose(x[:, 1:-1, 1:-1], inner, atol=1e-5)
    np.testing.assert_array_equal(g.apply(variables, z, train=False), jnp.clip(x, -1, 1))


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_ranges_and_precision(dtype):
    g, d = R3GANGenerator((16, 8, 3), **TINY, dtype=dtype), R3GANDiscriminator(**TINY, dtype=dtype)
    x, g_variables = jax.jit(lambda z: g.init_with_output(KEY, z, train=True))(jax.random.normal(KEY, (6, 5)))
    d_variables = jax.jit(lambda x: d.init(KEY, x, train=True))(x)
    # Compiled as a whole, XLA would leave out the last rounding.
    logits = d.apply(d_variables, x, train=True)
    assert {leaf.dtype for leaf in jax.tree.leaves((x, logits, g_variables, d_variables))} == {jnp.dtype("float32")}
    # Numbers that bfloat16 cannot hold are there exactly when the computation was not done in it.
    assert bool((logits == logits.astype(jnp.bfloat16)).all()) == (dtype == jnp.bfloat16)


# Oracle: each image and each latent vector alone: nothing in these networks looks at the rest of the batch.
def test_examples_do_not_see_each_other():
    g, d = R3GANGenerator((8, 8, 1), **TINY), R3GANDiscriminator(**TINY)
    z = jax.random.normal(KEY, (3, 5))
    g_variables = _moved(g.init(KEY, z, train=True))
    x = g.apply(g_variables, z, train=True)
    d_variables = _moved(d.init(KEY, x, train=True))
    np.testing.assert_allclose(g.apply(g_variables, z[1:2], train=True), x[1:2], atol=1e-5)
    np.testing.assert_allclose(
        d.apply(d_variables, x[1:2], train=True), d.apply(d_variables, x, train=True)[1:2], atol=1e-5
    )


# Oracle: the logit by hand from D's last layers: the product of the image's features with the label's embedding.
def test_labels_reach_a_conditional_network():
    g, d = R3GANGenerator((8, 8, 1), **TINY, classes=3), R3GANDiscriminator(**TINY, classes=3)
    z, x, label = jnp.ones((3, 5)), jnp.ones((3, 8, 8, 1)), jnp.arange(3)
    images, _ = g.init_with_output(KEY, z, label, train=True)
    logits, variables = d.init_with_output(KEY, x, label, train=True)
    assert len(np.unique(np.asarray(images).reshape(3, -1), axis=0)) == 3
    one, two = (variables["params"]["embedding"]["kernel"][c] for c in (0, 1))
    features = jnp.linalg.lstsq(jnp.stack([one, two]), logits[:2])[0]
    np.testing.assert_allclose(jnp.stack([one, two]) @ features, logits[:2], atol=1e-5)
    assert abs(float(logits[0] - logits[1])) > 1e-3
    for net, given in ((g, z), (d, x)):
        with pytest.raises(UserError, match="no label"):
            net.init(KEY, given, train=True)
        with pytest.raises(UserError, match="classes=0"):
            net.clone(classes=0).init(KEY, given, label, train=True)
