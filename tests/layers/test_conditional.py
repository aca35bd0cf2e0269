"""Conditioning layers against their equations, written in numpy and float64."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax.sharding import Mesh, PartitionSpec

from jaxgan.errors import UserError
from jaxgan.layers import conditional
from jaxgan.layers.conditional import (
    AdaIN,
    ConditionalBatchNorm,
    JoinedLabel,
    LabelPlane,
    LinearBatchNorm,
    Projection,
    SelfModulation,
)

KEY = jax.random.key(0)
RNG = np.random.default_rng(1)
X = (RNG.normal(size=(8, 4, 6, 3)) * [1, 2, 3] + [0, 1, -2]).astype(np.float32)
Z = RNG.normal(size=(8, 5)).astype(np.float32)
LABEL = np.array([0, 2, 1, 1, 0, 2, 2, 0])
# Each normalising layer with its condition and the axes of its statistics.
NORMS = {
    "class": (ConditionalBatchNorm(3), jnp.asarray(LABEL), (0, 1, 2)),
    "self": (SelfModulation(hidden=7), jnp.asarray(Z), (0, 1, 2)),
    "adain": (AdaIN(), jnp.asarray(Z), (1, 2)),
}
every_norm = pytest.mark.parametrize("name", NORMS)


def call(layer, *inputs, train=True):
    """`(variables, *inputs) -> outputs`, for layers with and without batch statistics."""
    options = {} if isinstance(layer, AdaIN) else {"train": train, "mutable": ["batch_stats"]}
    made = layer.apply(*inputs, **options)
    return made[0] if options else made


def scrambled(layer, *inputs):
    """Variables with no parameter at its initial value."""
    options = {} if isinstance(layer, AdaIN | JoinedLabel | LabelPlane) else {"train": True}
    variables = layer.init(KEY, *inputs, **options)
    leaves, tree = jax.tree.flatten(variables["params"])
    keys = jax.random.split(jax.random.key(3), len(leaves))
    params = [p + 0.3 * jax.random.normal(key, p.shape) for p, key in zip(leaves, keys, strict=True)]
    return {**variables, "params": jax.tree.unflatten(tree, params)}


def dense(params, x):
    return x @ np.asarray(params["kernel"], np.float64) + np.asarray(params["bias"])


def gain_and_bias(name, params):
    """By the definitions: rows of two tables; a network with one hidden layer; an affine map."""
    if name == "class":
        return (np.asarray(params[part]["embedding"])[LABEL] for part in ("gain", "bias"))
    inner = np.maximum(0, dense(params["hidden"], Z)) if name == "self" else Z
    return 1 + dense(params["gain"], inner), dense(params["bias"], inner)


# Oracle: (x - mean) / sqrt(var + 1e-5), times the gain, plus the bias of the example's condition.
@every_norm
def test_normalising_layers_equal_their_equations(name):
    layer, condition, axes = NORMS[name]
    variables = scrambled(layer, jnp.asarray(X), condition)
    x = X.astype(np.float64)
    standard = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    gain, bias = gain_and_bias(name, variables["params"])
    expected = gain[:, None, None] * standard + bias[:, None, None]
    np.testing.assert_allclose(call(layer, variables, jnp.asarray(X), condition), expected, rtol=1e-4, atol=1e-4)


# Oracle: the definition: they start as plain normalisation (the gains of a vector only nearly so).
def test_a_class_means_nothing_at_first():
    layer, label, _ = NORMS["class"]
    variables = layer.init(KEY, jnp.asarray(X), label, train=True)
    plain = nn.BatchNorm(use_running_average=False, use_bias=False, use_scale=False)
    expected, _ = plain.apply({"batch_stats": variables["batch_stats"]}, X, mutable=["batch_stats"])
    np.testing.assert_allclose(call(layer, variables, jnp.asarray(X), label), expected, rtol=1e-6)


# Oracle: running statistics by hand: momentum 0.9, biased variance; of the whole batch, whatever its classes.
@pytest.mark.parametrize("name", ["class", "self"])
def test_batch_statistics_move_in_training_and_serve_in_inference(name):
    layer, condition, _ = NORMS[name]
    variables = scrambled(layer, jnp.asarray(X), condition)
    _, updated = layer.apply(variables, jnp.asarray(X), condition, train=True, mutable=["batch_stats"])
    (running,) = updated["batch_stats"].values()
    np.testing.assert_allclose(running["mean"], 0.1 * X.mean((0, 1, 2)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(running["var"], 0.9 + 0.1 * X.var((0, 1, 2)), rtol=1e-4)
    trained = {**variables, **updated}
    whole = layer.apply(trained, jnp.asarray(X), condition, train=False)
    part = layer.apply(trained, jnp.asarray(X[:3]), condition[:3], train=False)
    np.testing.assert_allclose(part, whole[:3], rtol=1e-5, atol=1e-6)
    gain, bias = gain_and_bias(name, variables["params"])
    standard = (X - np.asarray(running["mean"])) / np.sqrt(np.asarray(running["var"]) + 1e-5)
    np.testing.assert_allclose(whole, gain[:, None, None] * standard + bias[:, None, None], rtol=1e-4, atol=1e-4)


# Oracle: a style's gain and bias are the deviation and the mean that each channel of each image then has.
def test_adain_gives_an_image_the_mean_and_the_deviation_of_its_style():
    layer, style, _ = NORMS["adain"]
    variables = scrambled(layer, jnp.asarray(X), style)
    y = np.asarray(call(layer, variables, jnp.asarray(X), style))
    gain, bias = gain_and_bias("adain", variables["params"])
    np.testing.assert_allclose(y.mean((1, 2)), bias, atol=1e-4)
    np.testing.assert_allclose(y.std((1, 2)), np.abs(gain), rtol=1e-3)


# Oracle: y^T V phi + psi(phi), with numpy's largest singular values where the layer normalises.
@pytest.mark.parametrize("spectral", [True, False])
def test_projection_equals_its_equation(spectral):
    layer = Projection(3, spectral=spectral)
    variables = layer.init(KEY, jnp.asarray(Z), jnp.asarray(LABEL), train=True)
    params = variables["params"]
    if spectral:  # power iteration until sigma is exact
        for _ in range(60):
            _, moved = layer.apply(variables, jnp.asarray(Z), jnp.asarray(LABEL), train=True, mutable=["spectral"])
            variables = {**variables, **moved}
    v, w = (np.asarray(params[a][b], np.float64) for a, b in (("classes", "embedding"), ("psi", "kernel")))
    if spectral:
        v, w = (m / np.linalg.svd(m)[1][0] for m in (v, w))
    expected = np.einsum("by,yn,bn->b", np.eye(3)[LABEL], v, Z) + (Z @ w)[:, 0] + np.asarray(params["psi"]["bias"])
    logits = layer.apply(variables, jnp.asarray(Z), jnp.asarray(LABEL), train=False)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


# Oracle: rows of the table beside the vector; the same rows, as a picture, behind the image's channels.
def test_joined_labels_are_rows_of_a_table():
    label = jnp.asarray(LABEL)
    joined, plane = JoinedLabel(3, 2), LabelPlane(3)
    of_z, of_x = scrambled(joined, jnp.asarray(Z), label), scrambled(plane, jnp.asarray(X), label)
    rows = np.asarray(of_z["params"]["classes"]["embedding"])[LABEL]
    np.testing.assert_array_equal(joined.apply(of_z, jnp.asarray(Z), label), np.concatenate([Z, rows], 1))
    pictures = np.asarray(of_x["params"]["classes"]["embedding"])[LABEL].reshape(8, 4, 6, 1)
    np.testing.assert_array_equal(plane.apply(of_x, jnp.asarray(X), label), np.concatenate([X, pictures], -1))


LAYERS = {
    **{name: (layer, jnp.asarray(X), condition) for name, (layer, condition, _) in NORMS.items()},
    "projection": (Projection(3, spectral=False), jnp.asarray(Z), jnp.asarray(LABEL)),
    "joined": (JoinedLabel(3, 2), jnp.asarray(Z), jnp.asarray(LABEL)),
    "plane": (LabelPlane(3), jnp.asarray(X), jnp.asarray(LABEL)),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def forward(layer, params, *inputs):
    """Outputs of a layer in training that has just been made, whatever collections it keeps."""
    if isinstance(layer, Projection):
        return layer.apply({"params": params}, *inputs, train=True)
    if isinstance(layer, JoinedLabel | LabelPlane):
        return layer.apply({"params": params}, *inputs)
    statistics = {"BatchNorm_0": {"mean": jnp.zeros(3), "var": jnp.ones(3)}}
    return call(layer, {"params": params, "batch_stats": statistics}, *inputs)


def objective(layer, params, *inputs):
    return jnp.sum(jnp.sin(forward(layer, params, *inputs)), axis=tuple(range(1, forward(layer, params, *inputs).ndim)))


# Oracle: central differences in float64, of the value and of its slope along a line (second derivatives).
@every_layer
def test_derivatives_against_finite_differences(name):
    with jax.enable_x64(True):
        layer, *inputs = LAYERS[name]
        layer = layer.clone(dtype=jnp.float64)
        params = scrambled(LAYERS[name][0], *inputs)["params"]
        params, *inputs = jax.tree.map(
            lambda a: jnp.asarray(a, jnp.float64) if jnp.issubdtype(a.dtype, jnp.floating) else a, (params, *inputs)
        )
        floats = [x for x in inputs if jnp.issubdtype(x.dtype, jnp.floating)]
        rest = inputs[len(floats) :]

        def value(t, moved=(params, floats)):
            own, xs = jax.tree.map(lambda a: a + t * jnp.cos(jnp.arange(a.size)).reshape(a.shape), moved)
            return objective(layer, own, *xs, *rest).sum()

        slope = jax.jit(jax.grad(value))
        step = 1e-5
        numeric = (jax.jit(value)(step) - jax.jit(value)(-step)) / (2 * step)
        np.testing.assert_allclose(slope(0.0), numeric, rtol=1e-6)
        curvature = (slope(step) - slope(-step)) / (2 * step)
        np.testing.assert_allclose(jax.jit(jax.grad(slope))(0.0), curvature, rtol=1e-5)


# Oracle: one device. Statistics are those of all devices; gradients of parameters are sums over them.
@every_layer
@pytest.mark.parametrize("mapped", ["shard_map", "pmap"])
def test_devices_agree_with_one(name, mapped):
    layer, *inputs = LAYERS[name]
    shared = layer.clone(axis_name="data") if hasattr(layer, "axis_name") else layer
    params = scrambled(layer, *inputs)["params"]

    def slopes(layer, params, *inputs):
        return jax.grad(lambda own: objective(layer, own, *inputs).sum())(params), objective(layer, params, *inputs)

    def on_devices(params, *inputs):
        own, value = slopes(shared, jax.lax.pcast(params, "data", to="varying"), *inputs)
        return jax.lax.psum(own, "data"), value

    if mapped == "pmap":
        cut = [x.reshape(4, 2, *x.shape[1:]) for x in inputs]
        run = jax.pmap(
            on_devices, axis_name="data", in_axes=(None, 0, 0), out_axes=(None, 0), devices=jax.devices()[:4]
        )
        own, value = run(params, *cut)
        value = value.reshape(8)
    else:
        spec = PartitionSpec("data")
        run = jax.shard_map(
            on_devices,
            mesh=Mesh(np.array(jax.devices()[:4]), ("data",)),
            in_specs=(PartitionSpec(), spec, spec),
            out_specs=(PartitionSpec(), spec),
        )
        own, value = jax.jit(run)(params, *inputs)
    expected = jax.jit(partial(slopes, layer))(params, *inputs)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), (own, value), expected)


# Oracle: the same layer in float32; parameters and statistics stay float32.
@every_layer
def test_bfloat16_computes_in_half_with_whole_parameters(name):
    layer, *inputs = LAYERS[name]
    params = scrambled(layer, *inputs)["params"]
    half = forward(layer.clone(dtype=jnp.bfloat16), params, *inputs)
    assert half.dtype == jnp.bfloat16
    np.testing.assert_allclose(half.astype(jnp.float32), forward(layer, params, *inputs), rtol=0.05, atol=0.1)
    made = scrambled(layer.clone(dtype=jnp.bfloat16), *inputs)
    assert {leaf.dtype for leaf in jax.tree.leaves(made)} == {jnp.dtype("float32")}


# Oracle: none needed: a class that does not exist must show.
@pytest.mark.parametrize("name", ["class", "projection", "joined", "plane"])
def test_a_class_that_does_not_exist_gives_nan(name):
    layer, x, label = LAYERS[name]
    params = scrambled(layer, x, label)["params"]
    for missing in (3, -1):
        y = forward(layer, params, x, label.at[0].set(missing))
        assert bool(jnp.isnan(y[0]).any())
        assert bool(jnp.isfinite(y[1:]).all())


@pytest.mark.parametrize("name", ["class", "projection", "joined", "plane"])
def test_a_layer_without_classes_is_named(name):
    layer, x, label = LAYERS[name]
    with pytest.raises(UserError, match="at least 1 class, got 0"):
        scrambled(layer.clone(classes=0), x, label)
    if name == "projection":
        with pytest.raises(UserError, match="at least 1 class, got 0"):
            scrambled(layer.clone(classes=0, spectral=True), x, label)


def test_labels_of_another_shape_are_named():
    with pytest.raises(UserError, match=r"one an example, 4 here, got labels of shape \(4, 1\)"):
        conditional._check_labels(3, jnp.zeros((4, 1), int), jnp.zeros((4, 2)))


# Oracle: the same image less its mean, which instance normalisation takes away.
def test_adain_of_a_mean_far_above_the_deviation():
    x, style = jax.random.normal(KEY, (2, 16, 16, 3)), jnp.zeros((2, 4))
    around_zero, far = (AdaIN().init_with_output(KEY, x + mean, style)[0] for mean in (0.0, 1e3))
    np.testing.assert_allclose(far, around_zero, atol=1e-3)


# Oracle: one seed at a time.
@every_layer
def test_vmap_over_seeds(name):
    layer, *inputs = LAYERS[name]
    one = scrambled(layer, *inputs)["params"]
    two = jax.tree.map(lambda a: jnp.stack([a, -a]), one)
    together = jax.vmap(lambda params: forward(layer, params, *inputs))(two)
    apart = [forward(layer, jax.tree.map(lambda a, i=i: a[i], two), *inputs) for i in range(2)]
    np.testing.assert_allclose(together, jnp.stack(apart), rtol=1e-5, atol=1e-5)


# Oracle: the definition, with running statistics; kernels are divided by |W u|.
def test_linear_maps_of_a_condition_are_gain_and_bias():
    layer = LinearBatchNorm()
    made = scrambled(layer, jnp.asarray(X), jnp.asarray(Z))
    stats = {"mean": jnp.array([0.5, -1.0, 2.0]), "var": jnp.array([2.0, 0.3, 5.0])}
    y = layer.apply({**made, "batch_stats": {"BatchNorm_0": stats}}, jnp.asarray(X), jnp.asarray(Z), train=False)
    gain, bias = (
        Z @ w / np.linalg.norm(w @ np.asarray(made["spectral"][name]["u"], np.float64))
        for name in ("gain", "bias")
        for w in [np.asarray(made["params"][name]["kernel"], np.float64)]
    )
    standard = (X - np.asarray(stats["mean"])) / np.sqrt(np.asarray(stats["var"]) + 1e-5)
    np.testing.assert_allclose(y, (1 + gain)[:, None, None] * standard + bias[:, None, None], rtol=1e-4, atol=1e-5)
    assert set(made["params"]["gain"]) == {"kernel"}
