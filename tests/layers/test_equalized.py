import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.game.random import normal
from jaxgan.layers.equalized import EqualizedConv, EqualizedDense, leaky, pixel_norm
from jaxgan.layers.modulated import ModulatedConv, Noise, modulated

KEY = jax.random.key(0)
X = jax.random.normal(jax.random.key(1), (3, 6, 4, 8))
W = jax.random.normal(jax.random.key(2), (3, 5))
KERNEL = jax.random.normal(jax.random.key(3), (3, 3, 8, 2))


# Oracle: the formula in float64; stored weights of variance 1 / multiplier^2.
@pytest.mark.parametrize(("gain", "multiplier"), [(1.0, 1.0), (2**0.5, 0.01)])
def test_a_dense_layer_scales_its_weights_when_it_uses_them(gain, multiplier):
    layer = EqualizedDense(200, gain, multiplier, bias=0.5)
    params = layer.init(KEY, W)["params"]
    np.testing.assert_allclose(params["kernel"].std() * multiplier, 1, rtol=0.05)
    np.testing.assert_allclose(params["bias"], 0.5 / multiplier, rtol=1e-6)
    kernel = np.asarray(params["kernel"], np.float64) * multiplier * gain / np.sqrt(5)
    np.testing.assert_allclose(layer.apply({"params": params}, W), W @ kernel + 0.5, rtol=1e-4, atol=1e-5)


# Oracle: Adam's step, which is of one size: used weights move by the rate times the multiplier.
def test_the_multiplier_is_one_of_the_learning_rate():
    kernels = {m: EqualizedDense(1, multiplier=m).init(KEY, W)["params"]["kernel"] for m in (1.0, 0.01)}
    moved = {m: (m * (kernel + 1e-3) - m * kernel).mean() for m, kernel in kernels.items()}
    np.testing.assert_allclose(moved[0.01] / moved[1.0], 0.01, rtol=0.02)
    np.testing.assert_allclose(0.01 * kernels[0.01], kernels[1.0], rtol=1e-5)


@pytest.mark.parametrize(("resample", "size"), [("none", (6, 4)), ("up", (12, 8)), ("down", (3, 2))])
def test_a_convolution_keeps_the_second_moment(resample, size):
    """Oracle: the variance of a sum; filters smooth white noise, so those are only near."""
    layer = EqualizedConv(512, 1, resample)
    y = layer.apply(layer.init(KEY, X), X)
    assert y.shape == (3, *size, 512)
    if resample == "none":
        np.testing.assert_allclose(y.std(), X.std(), rtol=0.1)


# Oracle: the mean square of channels, and of a normal number behind the activation: (1 + 0.2^2) / 2 times 2.
def test_norm_and_activation():
    np.testing.assert_allclose(jnp.square(pixel_norm(X)).mean(-1), 1, rtol=1e-5)
    many = jax.random.normal(KEY, (200_000,))
    np.testing.assert_allclose(jnp.square(leaky(many)).mean(), 1.04, rtol=0.02)


# Oracle: a kernel of its own for each image, normalised, in float64; the convolution of that.
@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("resample", ["none", "up", "down"])
def test_modulation_is_a_kernel_of_each_image(demodulate, resample):
    with jax.enable_x64(True):
        x, kernel, style = (np.asarray(a, np.float64) for a in (X, KERNEL, X[:, 0, 0]))
        own = style[:, None, None, :, None] * kernel
        if demodulate:
            own = own / np.sqrt(np.square(own).sum((1, 2, 3), keepdims=True) + 1e-8)
        ones = jnp.ones((1, 8))
        x, kernel, style = map(jnp.asarray, (x, kernel, style))
        wanted = [
            modulated(x[i : i + 1], jnp.asarray(own[i]), ones, demodulate=False, resample=resample)[0] for i in range(3)
        ]
        got = modulated(x, kernel, style, demodulate=demodulate, resample=resample)
        np.testing.assert_allclose(got, np.stack(wanted), rtol=1e-10, atol=1e-12)


# Oracle: a demodulated kernel keeps white noise's variance, whatever the style's scale.
def test_demodulation_takes_the_scale_out():
    layer = ModulatedConv(64, 3)
    params = layer.init(KEY, X, W)
    y = layer.apply(params, X, W)
    larger = modulated(X, KERNEL, 5 * X[:, 0, 0])
    np.testing.assert_allclose(larger, modulated(X, KERNEL, X[:, 0, 0]), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(y[:, 1:-1, 1:-1].std(), 1, rtol=0.2)
    np.testing.assert_array_equal(params["params"]["style"]["bias"], 1)


# Oracle: finite differences in float64 of the square of a slope, the path length's form.
def test_second_derivatives_of_modulation():
    with jax.enable_x64(True):
        x, kernel, style = (jnp.asarray(a, jnp.float64) for a in (X, KERNEL, X[:, 0, 0]))

        def length(kernel):
            def value(style):
                return jnp.sin(modulated(x, kernel, style, resample="up")).sum()

            return jnp.square(jax.grad(value)(style)).sum()

        along, step = kernel[::-1], 1e-4
        wanted = (length(kernel + step * along) - length(kernel - step * along)) / (2 * step)
        np.testing.assert_allclose(jnp.vdot(jax.jit(jax.grad(length))(kernel), along), wanted, rtol=1e-4)


def test_noise():
    layer, keys = Noise(), jax.random.split(KEY, 3)
    variables = layer.init(KEY, X, "none")
    assert variables["params"]["strength"] == 0
    variables["params"]["strength"] = jnp.float32(2)
    added = {mode: layer.apply(variables, X, mode, keys) - X for mode in ("random", "constant", "none")}
    np.testing.assert_array_equal(added["none"], 0)
    constant = 2 * variables["noise"]["constant"][None, :, :, None]
    np.testing.assert_allclose(added["constant"], jnp.broadcast_to(constant, X.shape), atol=1e-5)
    wanted = 2 * normal(keys, (6, 4))[..., None]
    np.testing.assert_allclose(added["random"], jnp.broadcast_to(wanted, X.shape), atol=1e-5)
    with pytest.raises(UserError, match="a key for each image"):
        layer.apply(variables, X, "random")
