"""Oracle throughout: the papers' formulas in numpy, one example at a time."""

from functools import partial
from inspect import unwrap

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.errors import UserError
from jaxgan.game import Aux, Move, Round, init_state, make_train_step, parallel
from jaxgan.losses import regularizers
from jaxgan.losses.regularizers import Anchors


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape)


def numbers(x):
    return np.asarray(x, np.float64)


def test_consistency_is_the_squared_distance_of_each_example():
    a = {"patch": normal(0, 3, 2, 2, 1), "whole": normal(1, 3)}
    b = {"patch": normal(2, 3, 2, 2, 1), "whole": normal(3, 3)}
    expected = [sum(np.sum((numbers(a[k][i]) - numbers(b[k][i])) ** 2) for k in a) for i in range(3)]
    np.testing.assert_allclose(regularizers.consistency(a, b), expected, rtol=1e-5)
    half = normal(0, 3).astype(jnp.bfloat16)
    assert regularizers.consistency(half, 2 * half).dtype == jnp.float32
    np.testing.assert_array_equal(regularizers.consistency(a, a), 0)


def test_balanced_consistency_weighs_real_images_and_fakes():
    real, moved_real, fake, moved_fake = numbers(normal(0, 4, 3))
    value = regularizers.balanced_consistency(*(jnp.float32(x) for x in (real, moved_real, fake, moved_fake)), 2.0, 0.5)
    np.testing.assert_allclose(value, 2 * (real - moved_real) ** 2 + 0.5 * (fake - moved_fake) ** 2, rtol=1e-5)


def test_latent_consistency_of_linear_networks():
    """zCR as its entry in the documentation writes it: with G(z) = z A and D(x) = x b both distances are known."""
    a, b, z, noise = numbers(normal(0, 2, 6)), numbers(normal(1, 6)), normal(2, 3, 2), 0.03 * normal(3, 3, 2)
    moved = numbers(noise) @ a

    def g(z):
        return z @ jnp.float32(a)

    def d(x):
        return x @ jnp.float32(b)

    of_d = regularizers.consistency(d(g(z)), d(g(z + noise)))
    np.testing.assert_allclose(of_d, (moved @ b) ** 2, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(regularizers.consistency(g(z), g(z + noise)), (moved**2).sum(1), rtol=1e-3)


def test_lecam_pulls_each_side_to_the_others_anchor():
    real, fake, anchors = jnp.array([2.0, 3.0]), jnp.array([-1.0, 0.5]), Anchors(jnp.float32(1.5), jnp.float32(-0.5))
    np.testing.assert_allclose(regularizers.lecam(real, fake, anchors), [2.5**2 + 2.5**2, 3.5**2 + 1.0], rtol=1e-6)
    patches = regularizers.lecam([real[:, None] * jnp.array([1.0, 2.0])], [fake[:, None]], anchors)
    np.testing.assert_allclose(patches[0], (2.5**2 + 4.5**2) / 2 + 2.5**2, rtol=1e-6)
    gradient = jax.grad(lambda anchors: regularizers.lecam(real, fake, anchors).sum())(anchors)
    np.testing.assert_array_equal(gradient, 0)


# Oracle: the formula; the same latent twice is no collapse.
def test_mode_seeking_of_the_same_latent_twice_is_zero():
    z = jnp.array([[1.0, 2.0], [0.0, 1.0]])
    value, slope = jax.value_and_grad(lambda x: regularizers.mode_seeking(x, x, z, z).sum())(z)
    assert value == 0
    np.testing.assert_array_equal(slope, 0)


def test_anchors_are_moving_averages_without_gradient():
    real, fake = jnp.array([2.0, 4.0]), jnp.array([-1.0, 0.0])
    anchors = regularizers.update_anchors(Anchors(jnp.float32(1.0), jnp.float32(2.0)), real, fake, decay=0.9)
    np.testing.assert_allclose(anchors, [0.9 + 0.3, 1.8 - 0.05], rtol=1e-6)
    zero = Anchors(jnp.zeros(()), jnp.zeros(()))
    gradient = jax.grad(lambda real: regularizers.update_anchors(zero, real, fake).real)(real)
    np.testing.assert_array_equal(gradient, 0)


def test_mode_seeking():
    x, other_x, z, other_z = normal(0, 3, 2, 2, 1), normal(1, 3, 2, 2, 1), normal(2, 3, 5), normal(3, 3, 5)
    value = regularizers.mode_seeking(x, other_x, z, other_z)
    for i in range(3):
        ratio = np.abs(numbers(x - other_x)[i]).mean() / np.abs(numbers(z - other_z)[i]).mean()
        np.testing.assert_allclose(value[i], 1 / (ratio + 1e-5), rtol=1e-5)
    collapsed = jax.value_and_grad(lambda x: regularizers.mode_seeking(x, x, z, other_z).sum())(x)
    np.testing.assert_allclose(collapsed[0], 3e5, rtol=1e-5)
    assert jnp.isfinite(collapsed[1]).all()


def test_feature_matching_compares_means_of_the_batch():
    real, fake = [normal(0, 4, 3), normal(1, 4, 2, 2)], [normal(2, 4, 3), normal(3, 4, 2, 2)]
    expected = sum(np.sum((numbers(r).mean(0) - numbers(f).mean(0)) ** 2) for r, f in zip(real, fake))
    np.testing.assert_allclose(regularizers.feature_matching(real, fake), expected, rtol=1e-5)
    np.testing.assert_allclose(regularizers.feature_matching(real, [f[::-1] for f in real]), 0, atol=1e-12)


def test_paired_features_compare_each_pair():
    real, fake = [normal(0, 4, 3), normal(1, 4, 2, 2)], [normal(2, 4, 3), normal(3, 4, 2, 2)]
    expected = [sum(np.abs(numbers(r[i] - f[i])).mean() for r, f in zip(real, fake)) for i in range(4)]
    np.testing.assert_allclose(regularizers.paired_features(real, fake), expected, rtol=1e-5)


def outputs_game(axis_name):
    """One step of a game whose whole loss is feature matching, and one that keeps LeCam's anchors."""

    def matching(params, vars, outcome, batch, rng):
        return regularizers.feature_matching(jnp.tanh(batch["x"]), jnp.tanh(batch["z"] * params["g"]), axis_name), Aux()

    def lecam(params, vars, outcome, batch, rng):
        real, fake = batch["x"] @ params["d"], batch["z"] @ params["d"]
        anchors = regularizers.update_anchors(vars["extras"]["anchors"], real, fake)
        return regularizers.lecam(real, fake, vars["extras"]["anchors"]).mean(), Aux(extras={"anchors": anchors})

    rounds = (Round(moves=(Move("g", matching), Move("d", lecam))),)
    sgd = {"g": optax.sgd(1.0), "d": optax.sgd(1.0)}
    players = {"g": {"params": jnp.array([0.5, 2.0])}, "d": {"params": jnp.array([1.0, -1.0])}}
    extras = {"anchors": Anchors(jnp.float32(0.3), jnp.float32(-0.2))}
    return make_train_step(rounds, sgd, axis_name=axis_name), init_state(rounds, sgd, players, extras=extras)


# Oracle: one device. The check that a loss made of means alone has its whole gradient, not one device's share.
@pytest.mark.parametrize("mode", ["pmap", "shard_map"])
def test_four_devices_agree_with_one_in_a_game(mode):
    batch = {"x": normal(0, 8, 2) * 2 + 1, "z": normal(1, 8, 2)}
    step, state = outputs_game(None)
    expected = jax.jit(step)(state, batch, jax.random.key(0))
    step, state = outputs_game(parallel.axis_name_of(mode))
    run = parallel.parallelize(step, mode, parallel.make_mesh(jax.devices()[:4]), donate=False)
    found = run(state, batch, jax.random.key(0))
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6), found, expected)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: regularizers.balanced_consistency(x, x, x, x, real_weight=-1.0), "real_weight"),
        (lambda x: regularizers.balanced_consistency(x, x, x, x, fake_weight=-1.0), "fake_weight"),
        (lambda x: regularizers.update_anchors(Anchors(x[0], x[0]), x, x, decay=1.5), "decay"),
        (lambda x: regularizers.mode_seeking(x, x[:2], x, x), "fakes must have the same shape"),
        (lambda x: regularizers.mode_seeking(x, x, x, x[:2]), "latents must have the same shape"),
        (lambda x: regularizers.balanced_consistency(x, x, x, x, real_weight=float("nan")), "finite, got nan"),
        (lambda x: regularizers.consistency(x, x[:, None]), r"same shape, got \(3,\) and \(3, 1\)"),
        (lambda x: regularizers.consistency({"fine": x}, {"coarse": x}), "same shape, got {'fine'"),
        (lambda x: unwrap(regularizers.lecam)(x, x[:1], Anchors(x[0], x[0])), r"same shape, got \(3,\) and \(1,\)"),
        (lambda x: regularizers.feature_matching([x], [x[:, None]]), "means of real and fake features must have"),
        (lambda x: regularizers.paired_features([x], [x, x]), "real and fake features must have the same"),
    ],
)
def test_impossible_arguments_are_named(call, words):
    with pytest.raises(UserError, match=words):
        call(jnp.arange(3.0))
