"""Self-attention. Oracle: its definition in NumPy, float64, one query after the other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.layers.attention import SelfAttention

X = jax.random.normal(jax.random.key(1), (2, 4, 6, 8))


def variables(layer, gamma):
    made = layer.init(jax.random.key(0), X, train=True)
    return {**made, "params": {**made["params"], "gamma": jnp.float32(gamma)}}


def by_hand(kernels, gamma):
    x = np.asarray(X, np.float64)
    flat = {name: x @ kernel for name, kernel in kernels.items() if name != "out"}
    y = np.zeros_like(x)
    for image, row, column in np.ndindex(x.shape[:3]):
        pooled = {
            name: [flat[name][image, i : i + 2, j : j + 2].max((0, 1)) for i in range(0, 4, 2) for j in range(0, 6, 2)]
            for name in ("key", "value")
        }
        scores = np.array([flat["query"][image, row, column] @ key for key in pooled["key"]])
        weights = np.exp(scores) / np.exp(scores).sum()
        y[image, row, column] = weights @ np.array(pooled["value"]) @ kernels["out"]
    return x + gamma * y


@pytest.mark.parametrize("spectral", [False, True])
def test_values_are_those_of_the_definition(spectral):
    layer = SelfAttention(spectral=spectral)
    given = variables(layer, 0.7)
    kernels = {
        name: np.asarray(given["params"][name]["kernel"][0, 0], np.float64) for name in ("query", "key", "value", "out")
    }
    if spectral:
        u = given["spectral"]
        kernels = {name: w / np.linalg.norm(w @ np.asarray(u[name]["u"])) for name, w in kernels.items()}
    # Kernels begin orthogonal, so that spectral normalisation would change nothing: larger ones here.
    scaled = jax.tree.map(lambda x: 3 * x if x.ndim == 4 else x, given["params"])
    kernels = kernels if spectral else {name: 3 * w for name, w in kernels.items()}
    y = layer.apply({**given, "params": scaled}, X, train=False)
    np.testing.assert_allclose(y, by_hand(kernels, 0.7), atol=1e-5)


def test_it_begins_as_the_identity():
    layer = SelfAttention()
    np.testing.assert_array_equal(layer.apply(layer.init(jax.random.key(0), X, train=True), X, train=False), X)


@pytest.mark.parametrize("shape", [(1, 3, 4, 8), (1, 4, 5, 8), (1, 4, 4, 12)])
def test_sizes_that_do_not_go_are_one_sentence(shape):
    with pytest.raises(UserError, match="even sides and a multiple of 8 channels, got"):
        SelfAttention().init(jax.random.key(0), jnp.zeros(shape), train=True)


def test_it_has_second_derivatives_and_takes_spectral_steps():
    layer = SelfAttention()
    given = variables(layer, 0.7)
    slope = jax.grad(lambda x: layer.apply(given, x, train=False).sum())
    assert np.abs(jax.grad(lambda x: (slope(x) ** 2).sum())(X)).max() > 0
    _, moved = layer.apply(given, X, train=True, mutable=["spectral"])
    assert set(moved["spectral"]) == {"query", "key", "value", "out"}
