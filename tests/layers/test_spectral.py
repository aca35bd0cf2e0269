from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import Mesh, PartitionSpec

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv
from jaxgan.layers.spectral import SpectralConv, SpectralDense, SpectralEmbed, spectral_norm

IMAGE = jax.random.normal(jax.random.key(1), (4, 6, 6, 3))
LAYERS = [
    (SpectralConv(5, (3, 3), 2), IMAGE, "kernel"),
    (SpectralDense(5), IMAGE, "kernel"),
    (SpectralEmbed(7, 5), jnp.array([3, 0, 6, 3]), "embedding"),
]


def start(shape=(3, 3, 4, 6), seed=0):
    kernel, u = (
        jax.random.normal(key, size) for key, size in zip(jax.random.split(jax.random.key(seed)), (shape, shape[-1:]))
    )
    return kernel, u / jnp.linalg.norm(u)


def svd(kernel):
    return np.linalg.svd(np.asarray(kernel, np.float64).reshape(-1, kernel.shape[-1]), full_matrices=False)


# Oracle: the singular value decomposition of numpy in float64.
@pytest.mark.parametrize("shape", [(3, 3, 4, 6), (5, 8), (2, 1, 3, 16)])
def test_converges_to_the_largest_singular_value(shape):
    kernel, u = start(shape)
    u = lax.fori_loop(0, 150, lambda _, u: spectral_norm(kernel, u, 1)[1], u)
    normal, found = spectral_norm(kernel, u, 1)
    _, values, right = svd(kernel)
    np.testing.assert_allclose(normal * values[0], kernel, rtol=1e-6)
    np.testing.assert_allclose(np.abs(found @ right[0]), 1, rtol=1e-6)
    np.testing.assert_allclose(svd(normal)[1][0], 1, rtol=1e-6)


# Oracle: the closed form in numpy, (G - <G, W / sigma> v u^T) / sigma, at any u: u and v are constants.
@pytest.mark.parametrize("iterations", [0, 1, 20])
def test_gradient_is_the_papers(iterations):
    kernel, u = start()
    weight = jax.random.normal(jax.random.key(5), kernel.shape)
    gradient = jax.grad(lambda k: jnp.vdot(spectral_norm(k, u, iterations)[0], weight))(kernel)
    w, g = (np.asarray(a, np.float64).reshape(-1, 6) for a in (kernel, weight))
    right = np.asarray(u, np.float64)
    for _ in range(iterations):
        right = w.T @ (w @ right)
        right /= np.linalg.norm(right)
    sigma = np.linalg.norm(w @ right)
    left = w @ right / sigma
    expected = (g - np.sum(g * w) / sigma * np.outer(left, right)) / sigma
    np.testing.assert_allclose(gradient.reshape(-1, 6), expected, rtol=1e-4, atol=1e-6)


# Oracle: torch 2.13, `torch.nn.utils.parametrizations.spectral_norm(Linear(2, 3), eps=1e-12)`: weight W.T, its right
# vector (their _u) set to (2, -1, 2) / 3 and the left one (their _v) to W u / |W u|, a forward pass in training mode
# and the gradient of sum(W_bar.T * G).
def test_one_step_and_its_gradient_equal_torchs():
    kernel = jnp.array([[1.0, -2.0, 0.5], [0.0, 1.5, 3.0]])
    weight = jnp.array([[0.3, -0.1, 0.7], [-0.4, 0.2, 0.6]])
    u = jnp.array([2.0, -1.0, 2.0]) / 3
    normal, moved = spectral_norm(kernel, u, 1)
    gradient = jax.grad(lambda k: jnp.vdot(spectral_norm(k, u, 1)[0], weight))(kernel)
    expected = [[0.360778218, -0.721556436, 0.180389109], [0.0, 0.541167327, 1.082334653]]
    np.testing.assert_allclose(normal, expected, rtol=1e-6)
    np.testing.assert_allclose(moved, [0.292822316, -0.190334506, 0.937031412], rtol=1e-6)
    expected = [[0.061908416, -0.00596654, 0.104304594], [-0.246760916, 0.138747902, -0.111371882]]
    np.testing.assert_allclose(gradient, expected, rtol=1e-5)


@pytest.mark.parametrize(("layer", "x", "name"), LAYERS)
def test_moves_in_training_and_never_in_evaluation(layer, x, name):
    variables = layer.init(jax.random.key(0), x, train=True)
    u, kernel = variables["spectral"]["u"], variables["params"][name]
    _, moved = layer.apply(variables, x, train=True, mutable=["spectral"])
    np.testing.assert_array_equal(moved["spectral"]["u"], spectral_norm(kernel, u, 1)[1])
    assert np.abs(moved["spectral"]["u"] - u).max() > 1e-7
    _, kept = layer.apply(variables, x, train=False, mutable=["spectral"])
    np.testing.assert_array_equal(kept["spectral"]["u"], u)
    # What a step has left divides by the same sigma in evaluation as it did in the step.
    trained = layer.apply(variables, x, train=True)
    again = layer.apply({**variables, **moved}, x, train=False)
    np.testing.assert_allclose(trained, again, rtol=1e-6, atol=1e-7)


# Oracle: the plain layers with a kernel that numpy's singular value divided.
@pytest.mark.parametrize(
    ("index", "plain"),
    [
        (0, lambda kernel, x: Conv(5, (3, 3), 2, use_bias=False).apply({"params": {"kernel": kernel}}, x)),
        (1, lambda kernel, x: x @ kernel),
        (2, lambda kernel, x: kernel[x]),
    ],
)
def test_layers_are_the_plain_ones_with_another_kernel(index, plain):
    layer, x, name = LAYERS[index]
    variables = layer.init(jax.random.key(0), x, train=False)
    train = jax.jit(lambda variables: layer.apply(variables, x, train=True, mutable=["spectral"])[1])
    for _ in range(60):
        variables = {**variables, **train(variables)}
    kernel = variables["params"][name]
    expected = plain(np.asarray(kernel / svd(kernel)[1][0], np.float32), x)
    np.testing.assert_allclose(layer.apply(variables, x, train=False), expected, rtol=1e-4, atol=1e-5)


def test_initialisation_is_nearly_the_true_value():
    layer, x, _ = LAYERS[1]
    kernel = layer.init(jax.random.key(0), x, train=False)
    np.testing.assert_allclose(
        svd(spectral_norm(kernel["params"]["kernel"], kernel["spectral"]["u"], 0)[0])[1][0], 1, rtol=1e-2
    )


# Oracle: the float32 layer. sigma is that of the float32 kernel, whatever the layer computes in.
@pytest.mark.parametrize(("layer", "x", "name"), LAYERS)
def test_bfloat16(layer, x, name):
    variables = layer.init(jax.random.key(0), x, train=True)
    half = layer.clone(dtype=jnp.bfloat16)
    y, moved = half.apply(variables, x, train=True, mutable=["spectral"])
    exact, expected = layer.apply(variables, x, train=True, mutable=["spectral"])
    assert y.dtype == jnp.bfloat16
    assert moved["spectral"]["u"].dtype == jnp.float32
    np.testing.assert_array_equal(moved["spectral"]["u"], expected["spectral"]["u"])
    np.testing.assert_allclose(y.astype(jnp.float32), exact, atol=0.03)


def gradients(layer, variables, x):
    def loss(params):
        y, moved = layer.apply({**variables, "params": params}, x, train=True, mutable=["spectral"])
        return jnp.sin(y).mean(), moved

    return jax.grad(loss, has_aux=True)(variables["params"])


# Oracle: one seed at a time.
@pytest.mark.parametrize(("layer", "x", "name"), LAYERS[:2])
def test_vmap_over_seeds(layer, x, name):
    seeds = jax.vmap(lambda key: layer.init(key, x, train=True))(jax.random.split(jax.random.key(0), 2))
    together = jax.jit(jax.vmap(partial(gradients, layer), (0, None)))(seeds, x)
    for i in range(2):
        alone = gradients(layer, jax.tree.map(lambda a, i=i: a[i], seeds), x)
        for a, b in zip(jax.tree.leaves(together), jax.tree.leaves(alone), strict=True):
            np.testing.assert_allclose(a[i], b, rtol=1e-4, atol=1e-6)


# Oracle: one device. The varying-axes check stands at its default; the parameters are cast, as the engine does.
@pytest.mark.parametrize(("layer", "x", "name"), LAYERS)
def test_shard_map(layer, x, name):
    variables = layer.init(jax.random.key(0), x, train=True)

    @partial(
        jax.shard_map,
        mesh=Mesh(np.array(jax.devices()[:4]), ("data",)),
        in_specs=(PartitionSpec(), PartitionSpec("data")),
        out_specs=PartitionSpec(),
    )
    def mapped(variables, x):
        return lax.pmean(gradients(layer, lax.pcast(variables, "data", to="varying"), x), "data")

    for a, b in zip(
        jax.tree.leaves(jax.jit(mapped)(variables, x)), jax.tree.leaves(gradients(layer, variables, x)), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_kernel_of_zeros_stays_finite_and_keeps_its_vector():
    _, u = start()
    normal, kept = spectral_norm(jnp.zeros((3, 3, 4, 6)), u)
    np.testing.assert_array_equal(normal, 0)
    np.testing.assert_array_equal(kept, u)


def test_a_row_that_does_not_exist_is_nan():
    layer, index, _ = LAYERS[2]
    variables = layer.init(jax.random.key(0), index, train=False)
    rows = layer.apply(variables, jnp.array([-1, 7, 6]), train=False)
    np.testing.assert_array_equal(np.isnan(rows).all(1), [True, True, False])
    narrow = SpectralEmbed(128, 2)
    rows = narrow.init_with_output(jax.random.key(0), jnp.array([-1, 127], jnp.int8), train=False)[0]
    np.testing.assert_array_equal(np.isnan(rows).all(1), [True, False])


def test_no_iterations_is_named():
    with pytest.raises(UserError, match="iterations"):
        SpectralDense(3, iterations=0).init(jax.random.key(0), jnp.zeros((1, 2)), train=True)


# Oracle: the definition: a singular value below epsilon is taken for epsilon.
@pytest.mark.parametrize("layer", [SpectralDense(3, use_bias=False, epsilon=0.01), SpectralEmbed(2, 3, epsilon=0.01)])
def test_a_singular_value_is_at_least_epsilon(layer):
    x = jnp.eye(2) if isinstance(layer, SpectralDense) else jnp.arange(2)
    variables = layer.init(jax.random.key(0), x, train=False)
    (kernel,) = jax.tree.leaves(variables["params"])
    small = jax.tree.map(lambda k: 1e-3 * k / svd(k)[1][0], variables["params"])
    y = layer.apply({**variables, "params": small}, x, train=True, mutable=["spectral"])[0]
    np.testing.assert_allclose(y, 0.1 * kernel / svd(kernel)[1][0], rtol=1e-5)
