"""What InfoGAN adds to the contract: the code and its two bounds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import fields
from jaxgan.nets.infogan import CodeGuess, InfoGANDiscriminator, InfoGANGenerator
from jaxgan.recipes import infogan
from tests.recipes import contract

KEYS = jax.random.split(jax.random.key(1), 3000)


def test_codes_are_drawn_evenly_and_joined_to_the_noise():
    """Oracle: moments of the uniform distributions, within five standard errors."""
    config = contract.config("infogan", categories=4, continuous=2)
    z, code = infogan.draw_latents(config, KEYS)
    np.testing.assert_array_equal(z[:, 6:10], np.eye(4)[np.asarray(code.category)])
    np.testing.assert_array_equal(z[:, 10:], code.continuous)
    assert np.abs(np.bincount(code.category, minlength=4) / 3000 - 0.25).max() < 5 * np.sqrt(3 / 16 / 3000)
    np.testing.assert_allclose(code.continuous.mean(0), 0, atol=5 / np.sqrt(3 * 3000))
    np.testing.assert_allclose(code.continuous.var(0), 1 / 3, atol=0.03)
    assert np.abs(np.corrcoef(np.asarray(z[:, [0, 5, 6, 7, 8, 10, 11]]).T)[:2, 2:]).max() < 0.1


def test_latents_are_all_of_the_code_but_the_category():
    """What the verbs draw is what training draws; a given category changes nothing else."""
    case = contract.case("infogan")
    z, code = infogan.draw_latents(case.system.config, contract.keys(3))
    drawn = case.runs["draw"](case.state, {}, contract.keys(3))
    np.testing.assert_array_equal(drawn["z"], z[:, :6])
    np.testing.assert_array_equal(drawn["continuous"], code.continuous)


@pytest.mark.parametrize("log_variance", [None, jnp.log(jnp.full((3, 2), 0.25))])
def test_bounds_add_up_what_the_losses_say(log_variance):
    """Oracle: by hand: a sure guess tells log 3 nats of a category; a Gaussian's height against 1 / 2, squared."""
    category, continuous = jnp.arange(3), jnp.linspace(-1, 1, 6).reshape(3, 2)
    guess = CodeGuess(1e3 * jnp.eye(3), continuous, log_variance)
    of_category, of_continuous = infogan.bounds(guess, infogan.Code(category, continuous))
    np.testing.assert_allclose(of_category, np.log(3), rtol=1e-5)
    sigma = 1.0 if log_variance is None else 0.5
    np.testing.assert_allclose(of_continuous, 2 * np.log(2 / np.sqrt(2 * np.pi) / sigma), rtol=1e-4)


def test_a_code_is_asked_for_and_labels_of_the_data_are_not():
    system = contract.build("infogan", spec=contract.LABELLED)
    assert set(system.batch) == {"image"}
    verb = system.verbs["sample"]
    assert verb.given == {"code": fields.code(3)}


def test_both_players_raise_the_information():
    """Oracle: a move of either player alone, where the adversarial part weighs nothing, raises the bound.

    The same step again has the same noise and images.
    """
    system, case = contract.build("infogan", info_weight=1e3), contract.case("infogan")
    step = contract.compiled(system.step, case.state, case.batch, contract.KEY)
    after, before = step(case.state, case.batch, contract.KEY)
    for player in ("g", "d"):
        moved = contract.with_params(case.state, player, after.players[player].params)
        _, metrics = step(moved, case.batch, contract.KEY)
        total = [float(m["info"] + m["info_continuous"]) for m in (before, metrics)]
        assert total[1] > total[0], player


# Oracle: the paper's table for MNIST, counted by hand, with the biases that a normalisation would remove left out.
def test_parameter_counts_of_the_papers_networks():
    g = InfoGANGenerator((28, 28, 1))
    d = InfoGANDiscriminator(10, 2)
    made = jax.eval_shape(
        lambda: (
            g.init(KEYS[0], jnp.zeros((1, 74)), train=True),
            d.init(KEYS[0], jnp.zeros((1, 28, 28, 1)), train=True),
        )
    )
    counts = [sum(leaf.size for leaf in jax.tree.leaves(variables["params"])) for variables in made]
    dense, conv = 1024 * 7 * 7 * 128, 16 * 64 * 128
    assert counts[0] == 74 * 1024 + dense + conv + 16 * 64 + 1 + 2 * (1024 + 7 * 7 * 128 + 64)
    q = 1024 * 128 + 2 * 128 + 128 * 12 + 12
    assert counts[1] == (16 + 1) * 64 + conv + 2 * 128 + dense + 2 * 1024 + 1025 + q
