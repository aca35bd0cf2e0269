"""Every loss and regulariser in all parallel modes and in half precision.

Oracle: one device, float32. Values by their equations are the other files' matter.
"""

from functools import partial
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxgan.game import parallel
from jaxgan.losses import adversarial, batches, critics, information, labels, penalties, regularizers
from jaxgan.losses.reduce import example_means

WEIGHTS = jnp.array([[0.5, -1.0], [1.0, 0.3]])
REAL, FAKE = jax.random.normal(jax.random.key(0), (2, 8, 2))
BATCH = {"real": REAL, "fake": FAKE, "rng": jax.random.split(jax.random.key(1), 8)}
ANCHORS = regularizers.Anchors(jnp.float32(0.1), jnp.float32(0.2))


def games(real, fake, axis_name):
    for name in get_args(adversarial.Name):
        game = adversarial.named(name, axis_name)
        yield f"{name} d", adversarial.mean(game.d(real, fake))
        yield f"{name} g", adversarial.mean(game.g(fake, real) if game.relative else game.g(fake))
    for how in ("mean", "max", "softmax"):
        against = [jax.nn.softplus(real), jax.nn.softplus(fake)[:, 0]]
        yield f"{how} of critics", critics.several_critics(against, how, 2.0, axis_name).mean()


def terms(weights, batch, axis_name):
    """The mean of every loss of two logits an example, by name."""
    x, x_fake = batch["real"], batch["fake"]

    def judge(x):
        return jnp.tanh(x @ weights.astype(x.dtype))

    real, fake = judge(x), judge(x_fake)
    swapped = labels.exchange_labels(batch["rng"], real, fake, 0.4)
    kept = batches.top_k_weights(fake, 0.5, axis_name)
    fresh = regularizers.update_anchors(ANCHORS, real, fake)
    classes = (x[:, 0] > 0).astype(jnp.int32)
    values = {
        **dict(games(real, fake, axis_name)),
        "smoothed": adversarial.mean(adversarial.smoothed(0.9).d(*swapped)),
        "top k": kept * example_means(jax.nn.softplus(fake)),
        "packs": jnp.square(batches.pack(real, 2)).astype(jnp.float32),
        "consistency": regularizers.consistency(real, judge(2 * x)),
        "balanced": regularizers.balanced_consistency(real, fake, fake, judge(2 * x)),
        "lecam": regularizers.lecam(real, fake, ANCHORS),
        "anchors": jnp.stack(fresh),
        "mode seeking": regularizers.mode_seeking(real, fake, x, x_fake),
        "feature matching": regularizers.feature_matching([real], [fake], axis_name),
        "paired features": regularizers.paired_features([real], [fake]),
        "orthogonal": penalties.orthogonal({"w": weights.astype(x.dtype)}),
        "auxiliary": information.auxiliary_d(real, fake, classes) - information.auxiliary_g(fake, classes),
        "information": information.continuous_information(x, real, fake),
    }
    return {name: value.mean() for name, value in values.items()}


def step(weights, batch, _, axis_name):
    """Every value, and the gradient of all of them together, each with a weight of its own."""
    if axis_name is not None:
        weights = lax.pcast(weights, axis_name, to="varying")

    def whole(weights):
        found = terms(weights, batch, axis_name)
        return sum((1 + 0.1 * i) * value for i, value in enumerate(found.values())), found

    found = jax.grad(whole, has_aux=True)(weights)
    return found if axis_name is None else lax.pmean(found, axis_name)


@pytest.mark.parametrize("mode", ["jit", "pmap", "shard_map"])
def test_four_devices_agree_with_one(mode):
    expected = jax.jit(partial(step, axis_name=None))(WEIGHTS, BATCH, None)
    mapped = partial(step, axis_name=parallel.axis_name_of(mode))
    run = parallel.parallelize(mapped, mode, parallel.make_mesh(jax.devices()[:4]), donate=False)
    found = run(WEIGHTS, BATCH, jax.random.key(0))
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-5), found, expected)


def test_half_precision_is_reduced_in_single():
    half = {**BATCH, "real": REAL.astype(jnp.bfloat16), "fake": FAKE.astype(jnp.bfloat16)}
    found, expected = (jax.jit(partial(terms, axis_name=None))(WEIGHTS, batch) for batch in (half, BATCH))
    assert {value.dtype for value in found.values()} == {jnp.dtype("float32")}
    jax.tree.map(partial(np.testing.assert_allclose, rtol=0.03, atol=0.03), found, expected)
