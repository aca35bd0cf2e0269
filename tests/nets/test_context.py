"""The context encoder. Oracles: counts of the published code, and the definitions in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.nets.context import ChannelwiseDense, ContextEncoder, halved, middle
from jaxgan.nets.dcgan import DCGANDiscriminator
from tests.nets.weights import drawn

KEY = jax.random.key(0)
X, MASK = jnp.zeros((1, 128, 128, 3)), jnp.zeros((1, 128, 128, 1))


# Oracle: the counts of the published code, less a bias for each channel that is normalised: it has 5,920 (and 2,020
# with a bottleneck of 100) in the generator, 896 in the discriminator of the hole's 64 pixels.
@pytest.mark.parametrize(
    ("net", "inputs", "count"),
    [
        (ContextEncoder(3, bottleneck=4000), (X, MASK), 71_130_531 - 5_920),
        (ContextEncoder(3, bottleneck=100), (X, MASK), 7_221_231 - 2_020),
        (DCGANDiscriminator(biases=True), (X[:, :64, :64],), 2_766_529 - 896),
    ],
)
def test_parameter_counts(net, inputs, count):
    made = jax.eval_shape(lambda: net.init(KEY, *inputs, train=True))
    assert sum(leaf.size for leaf in jax.tree.leaves(made["params"])) == count


# Oracle: the definition, in NumPy: n maps of m x m pixels have n m^4 weights (section 3.1).
def test_channels_are_connected_each_by_itself():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, 2, 3, 4)).astype(np.float32))
    net = ChannelwiseDense()
    variables = drawn(net, x)
    kernel = np.asarray(variables["params"]["kernel"])
    assert kernel.shape == (4, 6, 6)
    made = np.asarray(net.apply(variables, x))
    for c in range(4):
        wanted = np.asarray(x)[..., c].reshape(2, 6) @ kernel[c]
        np.testing.assert_allclose(made[..., c].reshape(2, 6), wanted, atol=1e-5)


@pytest.mark.parametrize(("whole", "bottleneck"), [(False, 0), (True, 3)])
def test_the_hole_is_not_looked_at_and_the_middle_is_made(whole, bottleneck):
    rng = np.random.default_rng(0)
    x, mask = rng.uniform(-1, 1, (2, 28, 20, 2)).astype(np.float32), np.zeros((2, 28, 20, 1), np.float32)
    mask[:, 7:21, 5:15] = 1
    net = ContextEncoder(2, width=2, bottleneck=bottleneck, whole=whole)
    variables = drawn(net, jnp.asarray(x), jnp.asarray(mask), train=True)
    run = jax.jit(lambda x: net.apply(variables, x, jnp.asarray(mask), train=False))
    made, again = run(x)
    assert made is again or np.array_equal(made, again)
    assert made.shape == x.shape
    assert np.any(np.asarray(made) * (1 - mask)) == whole
    assert np.std(middle(made)) > 0.01
    np.testing.assert_array_equal(run(np.where(mask > 0, 0.5, x))[0], made)
    assert not np.allclose(run(np.where(mask > 0, x, -x))[0], made, atol=1e-3)


def test_halvings():
    assert halved(128, 128) == (5, (4, 4))
    assert halved(28, 28) == (2, (7, 7))
    assert halved(8, 16) == (2, (2, 4))
    with pytest.raises(UserError, match="sides can be halved two times, got 30 x 28; --image-size 64 or 128 can"):
        halved(30, 28)
