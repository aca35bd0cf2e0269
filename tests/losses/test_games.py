"""Every adversarial game against its paper's equations, written out in numpy."""

import dataclasses
from typing import get_args

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.losses import adversarial, critics, labels

REAL = np.array([2.0, -0.5, 0.3, 4.0, -3.0])
FAKE = np.array([-1.0, 0.7, 0.2, -5.0, 1.5])
NAMES = get_args(adversarial.Name)


def bce(logit, target):
    p = 1 / (1 + np.exp(-logit))
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


def relu(x):
    return np.maximum(x, 0)


R, F = REAL - FAKE.mean(), FAKE - REAL.mean()  # against the average of the others
GAP = REAL - FAKE
EQUATIONS = {
    "non_saturating": (bce(REAL, 1) + bce(FAKE, 0), bce(FAKE, 1)),
    "minimax": (bce(REAL, 1) + bce(FAKE, 0), -bce(FAKE, 0)),
    "lsgan": ((REAL - 1) ** 2 / 2 + FAKE**2 / 2, (FAKE - 1) ** 2 / 2),
    "wasserstein": (FAKE - REAL, -FAKE),
    "hinge": (relu(1 - REAL) + relu(1 + FAKE), -FAKE),
    "ra_non_saturating": (bce(R, 1) + bce(F, 0), bce(F, 1) + bce(R, 0)),
    "ra_lsgan": ((R - 1) ** 2 / 2 + (F + 1) ** 2 / 2, (F - 1) ** 2 / 2 + (R + 1) ** 2 / 2),
    "ra_hinge": (relu(1 - R) + relu(1 + F), relu(1 - F) + relu(1 + R)),
    "ra_wasserstein": (F - R, R - F),
    "rp_non_saturating": (bce(GAP, 1), bce(-GAP, 1)),
    "rp_lsgan": ((GAP - 1) ** 2 / 2, (GAP + 1) ** 2 / 2),
    "rp_hinge": (relu(1 - GAP), relu(1 + GAP)),
    "rp_wasserstein": (-GAP, GAP),
}


def both(game, real, fake):
    return game.d(real, fake), game.g(fake, real) if game.relative else game.g(fake)


@pytest.mark.parametrize("name", NAMES)
def test_losses_equal_their_equations(name):
    game = adversarial.named(name)
    d, g = both(game, jnp.asarray(REAL), jnp.asarray(FAKE))
    np.testing.assert_allclose(d, EQUATIONS[name][0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(g, EQUATIONS[name][1], rtol=1e-5, atol=1e-6)
    assert game.relative == (name[:3] in ("ra_", "rp_"))


@pytest.mark.parametrize("name", NAMES)
def test_logits_of_any_shape_and_structure(name):
    """Patches and scales: each array alone, its structure and shape kept, float32 from bfloat16, finite at extremes."""
    game = adversarial.named(name)
    key = jax.random.key(0)
    real = {"coarse": jax.random.normal(key, (5, 2, 3, 1)), "fine": (1e4 * jax.random.normal(key, (5, 4)),)}
    fake = jax.tree.map(lambda x: x[::-1].astype(jnp.bfloat16), real)
    for loss in both(game, real, fake):
        chex.assert_trees_all_equal_shapes(loss, real)
        chex.assert_tree_all_finite(loss)
        assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(loss))
    alone = game.d(real["coarse"], fake["coarse"])
    chex.assert_trees_all_close(game.d(real, fake)["coarse"], alone)
    gradients = jax.grad(lambda fake: adversarial.mean(game.d(real, fake)))(jax.tree.map(jnp.float32, fake))
    chex.assert_tree_all_finite(gradients)


@pytest.mark.parametrize("name", NAMES)
def test_players_pull_apart(name):
    """D lowers its loss by raising D(x) and lowering D(G(z)), G by raising D(G(z)), from where neither is ahead."""
    game, zero = adversarial.named(name), jnp.full(4, 0.5 if name == "lsgan" else 0.0)
    of_d = jax.grad(lambda real, fake: adversarial.mean(game.d(real, fake)), argnums=(0, 1))(zero, zero)
    of_g = jax.grad(lambda fake: adversarial.mean(both(game, zero, fake)[1]))(zero)
    assert (of_d[0] < 0).all()
    assert (of_d[1] > 0).all()
    assert (of_g < 0).all()


def test_averages_are_over_all_devices():
    game = adversarial.named("ra_non_saturating", axis_name="data")
    real, fake = jnp.asarray(REAL[:4]), jnp.asarray(FAKE[:4])
    parts = jax.vmap(game.d, axis_name="data")(real.reshape(2, 2), fake.reshape(2, 2))
    whole = adversarial.named("ra_non_saturating").d(real, fake)
    np.testing.assert_allclose(parts.reshape(-1), whole, rtol=1e-6)


def test_least_squares_constants():
    game = adversarial.least_squares(-1.0, 1.0, 0.0)
    np.testing.assert_allclose(game.d(jnp.asarray(REAL), jnp.asarray(FAKE)), ((REAL - 1) ** 2 + (FAKE + 1) ** 2) / 2)
    np.testing.assert_allclose(game.g(jnp.asarray(FAKE)), FAKE**2 / 2, rtol=1e-6)
    assert (game.boundary, adversarial.least_squares().boundary) == (0.0, 0.5)
    with pytest.raises(UserError, match=r"different targets .* got 1.0 for both"):
        adversarial.least_squares(a=1.0)


def test_smoothed_labels_are_cross_entropy_with_soft_targets():
    d = adversarial.smoothed(0.9, 0.1).d(jnp.asarray(REAL), jnp.asarray(FAKE))
    np.testing.assert_allclose(d, bce(REAL, 0.9) + bce(FAKE, 0.1), rtol=1e-5)
    hard = adversarial.smoothed(1.0, 0.0).d(jnp.asarray(REAL), jnp.asarray(FAKE))
    np.testing.assert_allclose(hard, EQUATIONS["non_saturating"][0], rtol=1e-5)
    with pytest.raises(UserError, match=r"real 0.1 and fake 0.4"):
        adversarial.smoothed(0.1, 0.4)


def test_noisy_labels_change_pairs_with_the_probability_asked_for():
    keys = jax.random.split(jax.random.key(3), 20_000)
    real, fake = jnp.ones((20_000, 2)), jnp.zeros((20_000, 2))
    noisy_real, noisy_fake = labels.exchange_labels(keys, real, fake, 0.1)
    np.testing.assert_array_equal(noisy_real + noisy_fake, 1)  # a pair stays a pair
    np.testing.assert_array_equal(noisy_real[:, 0], noisy_real[:, 1])  # one label an image
    np.testing.assert_allclose(1 - noisy_real.mean(), 0.1, atol=0.01)
    with pytest.raises(UserError, match=r"from 0 to 0.5, got 0.7"):
        labels.exchange_labels(keys, real, fake, 0.7)


def test_several_critics():
    losses = jnp.array([[1.0, 3.0], [0.0, 1.0], [5.0, -1.0]])  # means 2, 0.5, 2
    np.testing.assert_allclose(critics.several_critics(losses, "mean"), [2.0, 1.0])
    harsher = losses.at[0, 1].set(3.5)
    np.testing.assert_allclose(critics.several_critics(harsher, "max"), [1.0, 3.5])
    weights = np.exp([4.0, 1.0, 4.0]) / np.exp([4.0, 1.0, 4.0]).sum()
    np.testing.assert_allclose(critics.several_critics(losses, "softmax", 2.0), weights @ np.asarray(losses), rtol=1e-6)
    np.testing.assert_allclose(critics.several_critics(losses, "softmax", 0.0), [2.0, 1.0], rtol=1e-6)
    halves = jax.vmap(lambda x: critics.several_critics(x, "softmax", 2.0, "data"), 1, axis_name="data")
    np.testing.assert_allclose(halves(losses[:, :, None])[:, 0], weights @ np.asarray(losses), rtol=1e-6)
    for arguments, sentence in ((("median",), "got 'median'"), (("softmax", -1.0), "at least 0 and finite, got -1.0")):
        with pytest.raises(UserError, match=sentence):
            critics.several_critics(losses, *arguments)


# Oracle: the mean of each image's losses, patches first and then scales.
def test_several_critics_of_patches_and_scales():
    patches, scales = jnp.array([[1.0, 3.0], [0.0, 2.0]]), {"fine": jnp.array([4.0, 0.0]), "coarse": jnp.zeros((2, 3))}
    np.testing.assert_allclose(critics.several_critics([patches, scales], "mean"), [2.0, 0.5])
    np.testing.assert_allclose(critics.several_critics([patches, scales], "max"), [2.0, 1.0])
    halves = jax.tree.map(lambda x: x.astype(jnp.bfloat16), [patches, scales])
    assert critics.several_critics(halves, "softmax").dtype == jnp.float32


# Oracle: where both kinds are equally likely, the best D answers the boundary: its loss is flat there, and only there.
@pytest.mark.parametrize(("real_target", "fake_target"), [(0.9, 0.0), (1.0, 0.0), (0.8, 0.3)])
def test_the_boundary_of_smoothed_labels_is_the_best_answer_to_both(real_target, fake_target):
    game = adversarial.smoothed(real_target, fake_target)
    slope = jax.grad(lambda logit: game.d(logit, logit))
    np.testing.assert_allclose(slope(jnp.float32(game.boundary)), 0, atol=1e-6)
    assert slope(game.boundary - 0.1) < 0 < slope(game.boundary + 0.1)


@pytest.mark.parametrize(
    ("boundary", "real", "fake"), [(0.0, REAL, FAKE), (0.5, REAL - 0.5, FAKE - 0.5), (None, GAP, -GAP)]
)
def test_scoreboard(boundary, real, fake):
    board = adversarial.scoreboard(jnp.asarray(REAL), jnp.asarray(FAKE), boundary)
    expected = {
        "d_real": np.mean(1 / (1 + np.exp(-real))),
        "d_fake": np.mean(1 / (1 + np.exp(-fake))),
        "value": -np.mean(bce(real, 1) + bce(fake, 0)),
        "margin": REAL.mean() - FAKE.mean(),
        "accuracy_real": np.mean(real > 0),
        "accuracy_fake": np.mean(fake < 0),
        "r_t": np.mean(np.sign(real)),
    }
    assert set(board) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(board[name], value, rtol=1e-5, err_msg=name)
    scales = [jnp.asarray(REAL), jnp.asarray(REAL)], [jnp.asarray(FAKE), jnp.asarray(FAKE)]
    named = ({"fine": x[0], "coarse": x[1]} for x in scales)
    for both_scales in (scales, named):
        chex.assert_trees_all_close(adversarial.scoreboard(*both_scales, boundary), board, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: adversarial.hinge.d(x, x[:, None]), r"real and fake logits .* got \(3,\) and \(3, 1\)"),
        (lambda x: adversarial.named("rp_hinge").g([x], [x, x]), "real and fake logits must have the same shape"),
        (lambda x: adversarial.scoreboard(x, x[:, None]), "real and fake logits must have the same shape"),
        (lambda x: adversarial.scoreboard({}, {}), "at least one, got {}"),
        (lambda x: adversarial.mean({}), "at least one, got {}"),
        (lambda x: adversarial.least_squares(b=float("inf")), "finite targets, got a 0.0, b inf"),
        (lambda x: labels.exchange_labels(jax.random.split(jax.random.key(0)), x, x, 0.1), "3 here, got 2"),
        (lambda x: labels.exchange_labels(jax.random.split(jax.random.key(0), 3), x, x[:, None], 0.1), "same shape"),
        (lambda x: critics.several_critics([x, x[:2]]), r"same shape, got \(3,\) and \(2,\)"),
        (lambda x: critics.several_critics([]), "at least one, got none"),
        (lambda x: critics.several_critics([x], sharpness=float("inf")), "finite, got inf"),
    ],
)
def test_impossible_arguments_are_named(call, words):
    with pytest.raises(UserError, match=words):
        call(jnp.arange(3.0))


def test_a_pytree_of_a_users_own_class_is_compared_by_its_arrays():
    @jax.tree_util.register_dataclass
    @dataclasses.dataclass(eq=False)
    class Scales:
        fine: jax.Array

    logits = Scales(jnp.zeros(3))
    np.testing.assert_array_equal(adversarial.hinge.d(logits, Scales(jnp.zeros(3))).fine, 2)


def test_unknown_names():
    with pytest.raises(UserError, match="no adversarial loss 'bce'; there are non_saturating, minimax"):
        adversarial.named("bce")
    with pytest.raises(UserError, match="a base that is not relativistic"):
        adversarial.relativistic_pairing(adversarial.named("ra_hinge"))
