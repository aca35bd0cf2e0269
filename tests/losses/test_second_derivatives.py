"""Penalties through every layer: the gradient by all parameters of penalties on slopes, by central differences.

Oracle: (f(p + h d) - f(p - h d)) / 2 h in float64 along a random direction d of all parameters, f being the mean of R1
and of the gradient penalty, added, of a critic made of the layer. Kinks (of ReLU, of absolute values) have no second
derivative where they bend; at these points and with this h no difference meets one.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxgan.layers.conditional import (
    AdaIN,
    ConditionalBatchNorm,
    JoinedLabel,
    LabelPlane,
    Projection,
    SelfModulation,
)
from jaxgan.layers.conv.grouped import GroupedConv
from jaxgan.layers.conv.layers import Conv, ConvTranspose
from jaxgan.layers.minibatch import MinibatchDiscrimination, MinibatchStd
from jaxgan.layers.resample import downsample, upsample
from jaxgan.layers.spectral import SpectralConv, SpectralDense, SpectralEmbed
from jaxgan.losses import penalties

F64 = {"dtype": jnp.float64, "param_dtype": jnp.float64}
H = 1e-6


LABEL = jnp.array([0, 2, 1, 2])


def vectors(x):
    return x.reshape(x.shape[0], -1)


LAYERS = {
    "conv": lambda x: Conv(3, (3, 3), 2, **F64)(x),
    "conv_transpose": lambda x: ConvTranspose(3, (4, 4), 2, **F64)(x),
    "spectral_conv": lambda x: SpectralConv(3, (3, 3), 2, **F64)(x, train=False),
    "spectral_dense": lambda x: SpectralDense(5, **F64)(vectors(x), train=False),
    "dense": lambda x: nn.Dense(5, **F64)(vectors(x)),
    "minibatch_std": lambda x: MinibatchStd(2)(x),
    "minibatch_discrimination": lambda x: MinibatchDiscrimination(3, 2, **F64)(vectors(x)),
    "batch_norm": lambda x: nn.BatchNorm(use_running_average=False, **F64)(x),
    "layer_norm": lambda x: nn.LayerNorm(**F64)(x),
    "grouped_conv": lambda x: GroupedConv(4, (3, 3), 2, dtype=jnp.float64)(x),
    "resample": lambda x: downsample(upsample(x) ** 2),
    "conditional_batch_norm": lambda x: ConditionalBatchNorm(3, dtype=jnp.float64)(x, LABEL, train=True),
    "adain": lambda x: AdaIN(dtype=jnp.float64)(x, x[:, 0, 0]),
    "label_plane": lambda x: LabelPlane(3, dtype=jnp.float64)(x, LABEL),
    "projection": lambda x: Projection(3, dtype=jnp.float64)(vectors(x), LABEL, train=False)[:, None],
    "plain_projection": lambda x: Projection(3, False, dtype=jnp.float64)(vectors(x), LABEL, train=False)[:, None],
    "spectral_embed": lambda x: vectors(x)[:, :5] * SpectralEmbed(3, 5, **F64)(LABEL, train=False),
    "self_modulation": lambda x: SelfModulation(7, dtype=jnp.float64)(x, x[:, 0, 0], train=True),
    "joined_label": lambda x: JoinedLabel(3, 2, dtype=jnp.float64)(vectors(x), LABEL),
    "leaky_relu": lambda x: jax.nn.leaky_relu(Conv(3, (3, 3), **F64)(x), 0.2),
    "softplus": lambda x: jax.nn.softplus(Conv(3, (3, 3), **F64)(x)),
}


class Critic(nn.Module):
    """One layer between two smooth ones, so that its slope depends on all parameters."""

    layer: str

    @nn.compact
    def __call__(self, x):
        x = jnp.tanh(nn.Dense(4, **F64)(x))
        x = jnp.tanh(LAYERS[self.layer](x))
        return nn.Dense(1, **F64)(vectors(x))[:, 0]


@pytest.mark.parametrize("layer", LAYERS)
def test_parameter_gradients_of_penalties_by_finite_differences(layer):
    with jax.enable_x64(True):
        x = jax.random.normal(jax.random.key(1), (4, 4, 4, 2), jnp.float64)
        critic, rng = Critic(layer), jax.random.split(jax.random.key(2), 4)
        variables = critic.init(jax.random.key(0), x)
        rest = {name: value for name, value in variables.items() if name != "params"}

        @jax.jit
        @jax.value_and_grad
        def f(params):
            def judge(x):
                return critic.apply({"params": params, **rest}, x, mutable=["batch_stats"])[0]

            return (penalties.r1(judge, x) + penalties.gradient_penalty(judge, x, x[::-1], rng)).mean()

        params = jax.tree.map(lambda p: p.astype(jnp.float64), variables["params"])
        seeds = iter(jax.random.split(jax.random.key(7), 20))
        direction = jax.tree.map(lambda p: jax.random.normal(next(seeds), p.shape, p.dtype), params)
        ahead, behind = (jax.tree.map(lambda p, d, h=h: p + h * d, params, direction) for h in (H, -H))
        numeric = (f(ahead)[0] - f(behind)[0]) / (2 * H)
        exact = sum(jax.tree.leaves(jax.tree.map(jnp.vdot, f(params)[1], direction)))
        assert abs(numeric) > 1e-3
        np.testing.assert_allclose(exact, numeric, rtol=1e-6)
