import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.nets.restore import Restorer

X = jax.random.uniform(jax.random.key(1), (2, 9, 14, 1))


# Oracle: the picture itself, where the network makes 0; a colour that the last bias adds.
@pytest.mark.parametrize("fold", [1, 2, 4])
def test_what_it_makes_is_added_to_a_picture_of_any_size(fold):
    network = Restorer(3, width=4, blocks=1, fold=fold)
    params = jax.jit(lambda: network.init(jax.random.key(0), X, train=True))()
    still = jax.tree.map(jnp.zeros_like, params)
    still["params"]["SRResNet_0"]["last"]["bias"] = jnp.array([0.1, 0.2, -0.3])
    run = jax.jit(lambda params: network.apply(params, X, train=False))
    np.testing.assert_allclose(run(still), X + jnp.array([0.1, 0.2, -0.3]), atol=1e-6)
    assert np.abs(run(params) - X).max() > 1e-3


def test_it_costs_less_where_more_pixels_are_taken_together():
    """The residual blocks at a quarter of the pixels; the first layer has four times the input and the last doubles."""

    def work(fold):
        network, x = Restorer(3, width=16, blocks=4, fold=fold), jnp.zeros((1, 32, 32, 3))
        params = jax.eval_shape(lambda: network.init(jax.random.key(0), x, train=True))
        return jax.jit(lambda p: network.apply(p, x, train=False)).lower(params).cost_analysis()["flops"]

    assert work(2) < 0.6 * work(1)
