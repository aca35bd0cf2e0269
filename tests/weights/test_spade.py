"""Oracle: the published names and shapes, written out; and PyTorch's rules (CHW, W u) in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.nets.spade import SpadeGenerator
from jaxgan.nets.spade_critic import SpadeDiscriminator
from jaxgan.nets.spade_style import StyleEncoder
from jaxgan.weights.spade import spade_variables

RNG = np.random.default_rng(0)
KEY = jax.random.key(0)


def draw(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def conv(name, out, inside, side, *, spectral=False, bias=True):
    weight = draw(out, inside, side, side)
    made = {f"{name}.weight_orig" if spectral else f"{name}.weight": weight}
    if spectral:
        made |= {f"{name}.weight_u": draw(out), f"{name}.weight_v": draw(inside * side * side)}
    return made | ({f"{name}.bias": draw(out)} if bias else {})


def spade(name, channels, labels):
    made = {f"{name}.param_free_norm.running_mean": draw(channels)}
    made |= {f"{name}.param_free_norm.running_var": draw(channels) ** 2}
    made |= {f"{name}.param_free_norm.num_batches_tracked": np.array(3)}
    made |= conv(f"{name}.mlp_shared.0", 4, labels, 3)
    return made | conv(f"{name}.mlp_gamma", channels, 4, 3) | conv(f"{name}.mlp_beta", channels, 4, 3)


def block(name, inside, out, labels):
    middle = min(inside, out)
    made = spade(f"{name}.norm_0", inside, labels) | spade(f"{name}.norm_1", middle, labels)
    made |= conv(f"{name}.conv_0", middle, inside, 3, spectral=True)
    made |= conv(f"{name}.conv_1", out, middle, 3, spectral=True)
    if inside != out:
        made |= spade(f"{name}.norm_s", inside, labels)
        made |= conv(f"{name}.conv_s", out, inside, 1, spectral=True, bias=False)
    return made


def generator(labels, z=None):
    made = conv("fc", 16, labels, 3) if z is None else {"fc.weight": draw(16 * 4, z), "fc.bias": draw(16 * 4)}
    for name in ("head_0", "G_middle_0", "G_middle_1"):
        made |= block(name, 16, 16, labels)
    for i in range(4):
        made |= block(f"up_{i}", 16 >> i, 8 >> i, labels)
    return made | conv("conv_img", 3, 1, 3)


def fits(found, net, *inputs):
    """The tree that the network asks for, whatever its values."""
    wanted = jax.eval_shape(lambda: net.init(KEY, *inputs, train=True))
    assert jax.tree.map(np.shape, found) == jax.tree.map(lambda x: x.shape, wanted)


def test_a_generator_with_and_without_a_style():
    net, maps = SpadeGenerator(3, width=1, hidden=4), jnp.zeros((1, 64, 64, 5))
    tensors = generator(5)
    found = spade_variables(tensors, "generator")
    fits(found, net, maps)
    at = found["params"]["up_0"]["norm_s"]["gamma_beta"]
    gamma, beta = (tensors[f"up_0.norm_s.mlp_{name}.weight"] for name in ("gamma", "beta"))
    np.testing.assert_array_equal(at["kernel"][1, 2, 3, :16], gamma[:, 3, 1, 2])
    np.testing.assert_array_equal(at["kernel"][0, 2, 1, 16:], beta[:, 1, 0, 2])
    styled = generator(5, z=6)
    found = spade_variables(styled, "generator")
    z = draw(6)
    fits(found, net, maps, jnp.zeros((1, 6)))
    chw = (styled["fc.weight"] @ z + styled["fc.bias"]).reshape(16, 2, 2)
    first = found["params"]["first"]
    made = (z @ first["kernel"] + first["bias"]).reshape(2, 2, 16)
    np.testing.assert_allclose(made, chw.transpose(1, 2, 0), rtol=1e-5, atol=1e-5)


def test_a_discriminator():
    tensors = {}
    for scale in (0, 1):
        name = f"discriminator_{scale}"
        tensors |= conv(f"{name}.model0.0", 2, 8, 4)
        for i in (1, 2, 3):
            tensors |= conv(f"{name}.model{i}.0.0", 2 << i, 1 << i, 4, spectral=True, bias=False)
        tensors |= conv(f"{name}.model4.0", 1, 16, 4)
    found = spade_variables(tensors, "discriminator")
    fits(found, SpadeDiscriminator(width=2), jnp.zeros((1, 32, 32, 8)))
    u, kernel = (found[each]["scale1"]["conv2"] for each in ("spectral", "params"))
    w = kernel["kernel"].reshape(-1, 8)
    largest = np.linalg.norm(w, 2)
    np.testing.assert_allclose(np.linalg.norm(w @ u["u"]), largest, rtol=1e-4)


def test_an_encoder():
    tensors = {}
    for i, (inside, out) in enumerate([(3, 1), (1, 2), (2, 4)]):
        tensors |= conv(f"layer{i + 1}.0", out, inside, 3, spectral=True, bias=False)
    for name in ("fc_mu", "fc_var"):
        tensors |= {f"{name}.weight": draw(6, 4 * 16), f"{name}.bias": draw(6)}
    found = spade_variables(tensors, "encoder")
    fits(found, StyleEncoder(6, 1), jnp.zeros((1, 32, 32, 3)))
    chw = draw(4, 4, 4)
    wanted = tensors["fc_var.weight"] @ chw.ravel() + tensors["fc_var.bias"]
    dense = found["params"]["log_variance"]
    np.testing.assert_allclose(chw.transpose(1, 2, 0).ravel() @ dense["kernel"] + dense["bias"], wanted, rtol=1e-4)


def test_a_tensor_of_another_network_is_named():
    with pytest.raises(UserError, match=r"layer1.0.weight_orig is no tensor of SPADE's generator"):
        spade_variables({"layer1.0.weight_orig": draw(2, 2, 3, 3)}, "generator")
