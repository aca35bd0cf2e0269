import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.nets.mlp import MLPDiscriminator, MLPGenerator


def _size(variables):
    return sum(leaf.size for leaf in jax.tree.leaves(variables))


# Oracle: a count by hand, weights and biases of 100-256-512-784 and 784-512-256-1.
def test_the_course_networks_have_their_parameters():
    g = jax.eval_shape(MLPGenerator((28, 28, 1)).init, jax.random.key(0), jnp.zeros((1, 100)))
    d = jax.eval_shape(MLPDiscriminator().init, jax.random.key(0), jnp.zeros((1, 28, 28, 1)))
    assert _size(g) == 101 * 256 + 257 * 512 + 513 * 784
    assert _size(d) == 785 * 512 + 513 * 256 + 257 * 1


# Oracle: the layers written out in numpy.
def test_values_are_those_of_the_layers_written_out():
    g, d = MLPGenerator((3, 2, 1), widths=(5, 4)), MLPDiscriminator(widths=(4, 5), negative_slope=0.2)
    z = jax.random.normal(jax.random.key(1), (6, 7))
    g_variables = g.init(jax.random.key(0), z)
    x = g.apply(g_variables, z)
    d_variables = d.init(jax.random.key(2), x)

    def written_out(layers, x, slope):
        last = len(layers) - 1
        for i in range(len(layers)):
            layer = layers[f"Dense_{i}"]
            x = x @ np.asarray(layer["kernel"]) + np.asarray(layer["bias"])
            x = x if i == last else np.where(x > 0, x, slope * x)
        return x

    image = np.tanh(written_out(g_variables["params"], np.asarray(z), 0.0)).reshape(6, 3, 2, 1)
    np.testing.assert_allclose(x, image, atol=1e-6)
    logits = written_out(d_variables["params"], image.reshape(6, 6), 0.2)[:, 0]
    np.testing.assert_allclose(d.apply(d_variables, x), logits, atol=1e-6)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_parameters_and_outputs_are_float32_in_any_precision(dtype):
    g, d = MLPGenerator((4, 5, 3), widths=(8,), dtype=dtype), MLPDiscriminator(widths=(8,), dtype=dtype)
    z = 5 * jax.random.normal(jax.random.key(1), (6, 7))
    x, g_variables = g.init_with_output(jax.random.key(0), z)
    logits, d_variables = d.init_with_output(jax.random.key(0), x)
    assert {leaf.dtype for leaf in jax.tree.leaves((x, logits, g_variables, d_variables))} == {jnp.dtype("float32")}
    assert x.shape == (6, 4, 5, 3)
    assert logits.shape == (6,)
    assert float(jnp.abs(x).max()) <= 1
    # Numbers that bfloat16 cannot hold are there exactly when the computation was not done in it.
    assert bool((logits == logits.astype(jnp.bfloat16)).all()) == (dtype == jnp.bfloat16)


@pytest.mark.parametrize(
    "net", [MLPGenerator((2, 2, 1), widths=(8,), classes=3), MLPDiscriminator(widths=(8,), classes=3)]
)
def test_labels_reach_a_conditional_network(net):
    x = jnp.ones((3, 4)) if isinstance(net, MLPGenerator) else jnp.ones((3, 2, 2, 1))
    y, _ = net.init_with_output(jax.random.key(0), x, jnp.arange(3))
    assert len(np.unique(np.asarray(y).reshape(3, -1), axis=0)) == 3
    with pytest.raises(UserError, match="no label"):
        net.init(jax.random.key(0), x)
    with pytest.raises(UserError, match="classes=0"):
        net.clone(classes=0).init(jax.random.key(0), x, jnp.arange(3))
