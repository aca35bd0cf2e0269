"""StyleGAN2's networks: published counts of parameters, and both of them written out in float64 NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.game import parameter_count
from jaxgan.nets.stylegan2 import Mapping, StyleGAN2Generator, level_channels, styles_of
from jaxgan.nets.stylegan2_critic import StyleGAN2Discriminator

KEY = jax.random.key(0)
SMALL = {"channel_base": 24, "channel_max": 5}
ROOT = np.sqrt(2)


def moved(variables):
    """Away from the start, where biases and strengths are 0."""
    leaves, treedef = jax.tree.flatten(variables)
    keys = jax.random.split(jax.random.key(9), len(leaves))
    return treedef.unflatten([x + 0.3 * jax.random.normal(k, x.shape) for x, k in zip(leaves, keys, strict=True)])


def count(side, base, layers, channels=3, classes=0, d="resnet"):
    label = {"label": jnp.zeros(1, jnp.int32)} if classes else {}
    G = StyleGAN2Generator((side, side, channels), 512, layers, base, classes=classes)
    D = StyleGAN2Discriminator(base, classes=classes, architecture=d)
    of_g = jax.eval_shape(lambda: G.init(KEY, jnp.zeros((1, 512)), train=True, **label))
    of_d = jax.eval_shape(lambda: D.init(KEY, jnp.zeros((1, side, side, channels)), train=True, **label))
    return parameter_count(of_g["params"]), parameter_count(of_d["params"])


# Oracle: parameters of the authors' networks, counted there.
@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ((1024, 32768, 8), (30_370_060, 29_012_513)),  # configuration F
        ((1024, 16384, 8), (24_900_764, 24_038_161)),  # configuration E
        ((32, 32768, 2, 3, 0, "orig"), (19_947_539, 20_720_641)),  # cifar
        ((32, 32768, 2, 3, 10, "orig"), (20_215_315, 23_089_664)),
        ((64, 16384, 2, 1), (22_238_990, 23_406_849)),
        ((128, 16384, 2), (22_949_277, 23_882_369)),  # auto
    ],
)
def test_parameter_counts(settings, wanted):
    assert count(*settings) == wanted


def test_sizes():
    assert styles_of((1024, 1024, 3)) == 18
    assert styles_of((28, 28, 1)) == 6
    assert level_channels(32768, 512, 8) == [512] * 5 + [256, 128, 64, 32]


class Numbers:
    """The layers in float64, from parameters as they are stored."""

    def __init__(self, tree):
        self.tree = jax.tree.map(lambda x: np.asarray(x, np.float64), tree)

    def of(self, *path):
        found = self.tree
        for name in path:
            found = found[name]
        return found

    def dense(self, x, *path, m=1.0):
        kernel = self.of(*path, "kernel")
        return x @ kernel * m / np.sqrt(len(kernel)) + m * self.of(*path, "bias")


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def normal(x):
    return x / np.sqrt(np.square(x).mean(-1, keepdims=True) + 1e-8)


def correlate(x, kernel, pad, stride=1):
    x = np.pad(x, ((0, 0), pad, pad, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))
    return np.einsum("bhwikl,klio->bhwo", windows, kernel)[:, ::stride, ::stride]


def blur(x, pad, gain=1.0):
    """The filter [1, 3, 3, 1] of both axes, summing to `gain`, as a convolution of each channel."""
    taps = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) * gain / 64
    x = np.pad(x, ((0, 0), pad, pad, (0, 0)))
    return np.einsum("bhwckl,kl->bhwc", np.lib.stride_tricks.sliding_window_view(x, (4, 4), (1, 2)), taps)


def spread(x):
    b, h, w, c = x.shape
    y = np.zeros((b, 2 * h, 2 * w, c))
    y[:, ::2, ::2] = x
    return y


# Oracle: section 2.2 of the paper in float64: each image with a kernel of its own, modulated, divided by its norm.
def test_the_generator_is_its_equations():
    G = StyleGAN2Generator((8, 8, 2), 4, 2, **SMALL)
    variables = moved(G.init(KEY, jnp.zeros((1, 6)), train=True))
    z = jax.random.normal(KEY, (3, 6))
    n, noise = Numbers(variables["params"]), jax.tree.map(np.asarray, variables["noise"]["synthesis"])
    w = normal(np.asarray(z, np.float64))
    for i in range(2):
        w = ROOT * leaky(n.dense(w, "mapping", f"EqualizedDense_{i}", m=0.01))

    def modulated(x, path, demodulate, up=False):
        style, kernel = n.dense(w, *path, "style"), n.of(*path, "kernel")
        kernel = kernel / np.sqrt(np.prod(kernel.shape[:-1]))
        made = []
        for image, s in zip(x, style, strict=True):
            own = kernel * s[:, None]
            own = own / np.sqrt(np.square(own).sum((0, 1, 2)) + 1e-8) if demodulate else own
            pad = (kernel.shape[0] // 2,) * 2
            if up:
                made.append(blur(correlate(spread(image[None])[:, :-1, :-1], own, (2, 2)), (1, 1), 4.0)[0])
            else:
                made.append(correlate(image[None], own, pad)[0])
        return np.stack(made)

    def layer(x, number, up=False):
        path = ("synthesis", f"layer_{number}")
        x = modulated(x, (*path, "conv"), True, up)
        x = x + n.of(*path, "noise", "strength") * noise[f"layer_{number}"]["noise"]["constant"][:, :, None]
        return ROOT * leaky(x + n.of(*path, "bias"))

    def rgb(x, level):
        path = ("synthesis", f"rgb_{level}")
        return modulated(x, path, False) + n.of(*path, "bias")

    x = layer(np.repeat(n.of("synthesis", "constant")[None], 3, 0), 0)
    picture = blur(spread(rgb(x, 0)), (2, 1), 4.0)
    x = layer(layer(x, 1, up=True), 2)
    wanted = picture + rgb(x, 1)
    np.testing.assert_allclose(G.apply(variables, z, train=True), wanted, rtol=1e-4, atol=1e-5)
    clipped = G.apply(variables, z, train=False)
    np.testing.assert_allclose(clipped, np.clip(wanted, -1, 1), rtol=1e-4, atol=1e-5)


# Oracle: section 4 of the paper in float64, with classes by ADA's projection.
@pytest.mark.parametrize("classes", [0, 3])
def test_the_discriminator_is_its_equations(classes):
    D = StyleGAN2Discriminator(**SMALL, classes=classes, group_size=2, mapping_layers=1)
    x, label = jax.random.normal(KEY, (4, 8, 8, 2)), jnp.array([0, 2, 1, 2])
    given = {"label": label} if classes else {}
    variables = moved(D.init(KEY, x, train=True, **given))
    n = Numbers(variables["params"])

    def conv(x, name, down=False, bias=True):
        kernel = n.of(name, "kernel")
        k = kernel.shape[0]
        kernel = kernel / np.sqrt(np.prod(kernel.shape[:-1]))
        if down:
            x = blur(x, (k // 2 + 1,) * 2)
        y = correlate(x, kernel, (0, 0) if down else (k // 2,) * 2, 2 if down else 1)
        return y + n.of(name, "bias") if bias else y

    y = ROOT * leaky(conv(np.asarray(x, np.float64), "pixels_0"))
    inner = ROOT * leaky(conv(ROOT * leaky(conv(y, "EqualizedConv_0")), "EqualizedConv_1", down=True))
    y = (inner + conv(y, "EqualizedConv_2", down=True, bias=False)) / ROOT
    spreads = np.sqrt(y.reshape(2, 2, *y.shape[1:]).var(1) + 1e-8).mean((1, 2, 3)).repeat(2)
    y = np.concatenate([y, np.broadcast_to(spreads[:, None, None, None], (*y.shape[:3], 1))], -1)
    y = ROOT * leaky(conv(y, "last")).reshape(4, -1)
    y = n.dense(ROOT * leaky(n.dense(y, "features")), "logit")
    if classes:
        wanted = normal(n.dense(np.eye(3)[np.asarray(label)], "classes", "embed"))
        wanted = ROOT * leaky(n.dense(wanted, "classes", "EqualizedDense_0", m=0.01))
        y = (y * wanted).sum(1, keepdims=True) / np.sqrt(y.shape[1])
    np.testing.assert_allclose(D.apply(variables, x, train=True, **given), y[:, 0], rtol=1e-4, atol=1e-5)


# Oracle: parameters of the shortcuts, and of the layers to and from pixels that each form has.
@pytest.mark.parametrize(("form", "beside", "pixels"), [("orig", 0, 1), ("skip", 0, 2), ("resnet", 1, 1)])
def test_forms_of_both_networks(form, beside, pixels):
    settings = {**SMALL, "architecture": form}
    G, D = StyleGAN2Generator((8, 8, 1), 4, 1, **settings), StyleGAN2Discriminator(**settings)
    z, x = jax.random.normal(KEY, (4, 4)), jax.random.normal(KEY, (4, 8, 8, 1))
    g, d = moved(G.init(KEY, z, train=True)), moved(D.init(KEY, x, train=True))
    made = g["params"]["synthesis"]
    assert [sum(name.startswith(kind) for name in made) for kind in ("beside", "rgb")] == [beside, pixels]
    found = [sum(name.startswith(kind) for name in d["params"]) for kind in ("Equalized", "pixels")]
    assert found == [2 + beside, pixels]
    assert np.isfinite(G.apply(g, z, train=True)).all()
    assert np.isfinite(D.apply(d, x, train=True)).all()


# Oracle: the formulas: a moving mean, and styles on a line through it.
def test_the_mean_of_w_and_truncation():
    G = StyleGAN2Generator((8, 8, 1), 4, 2, **SMALL, psi=0.0)
    z = jax.random.normal(KEY, (5, 4))
    variables = G.init(KEY, z, train=True)
    w, after = G.apply(variables, z, train=True, method="styles", mutable=["w_avg"])
    np.testing.assert_allclose(after["w_avg"]["mean"], 0.005 * w.mean(0), rtol=1e-4)
    variables = {**variables, "w_avg": {"mean": jnp.arange(4.0)}}
    nearer = G.apply(variables, w, 0.25, method="nearer")
    np.testing.assert_allclose(nearer, np.arange(4.0) + 0.25 * (w - np.arange(4.0)), rtol=1e-4, atol=1e-6)
    same = G.apply(variables, z, train=False)
    np.testing.assert_allclose(same, jnp.broadcast_to(same[:1], same.shape), atol=1e-6)


def test_bfloat16_keeps_parameters_and_pictures_in_float32():
    """Oracle: the float32 networks, within the rounding of activations."""
    G, D = StyleGAN2Generator((8, 8, 1), 4, 2, **SMALL), StyleGAN2Discriminator(**SMALL)
    z = jax.random.normal(KEY, (4, 4))
    g = moved(G.init(KEY, z, train=True))
    x = G.apply(g, z, train=True)
    d = moved(D.init(KEY, x, train=True))
    rounded = G.clone(dtype=jnp.bfloat16).apply(g, z, train=True)
    logits = D.clone(dtype=jnp.bfloat16).apply(d, x, train=True)
    assert rounded.dtype == logits.dtype == jnp.float32
    np.testing.assert_allclose(rounded, x, atol=0.05 * float(x.std()) + 0.02)
    np.testing.assert_allclose(logits, D.apply(d, x, train=True), atol=0.1)


def test_labels_alone_have_a_mapping():
    label = jnp.array([0, 1, 0])
    layer = Mapping(4, 1, 2)
    y = layer.apply(layer.init(KEY, None, label), None, label)
    np.testing.assert_array_equal(y[0], y[2])
    assert not np.allclose(y[0], y[1])
