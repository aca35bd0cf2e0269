"""CycleGAN: its losses and their gradients against the equations, its passes, its networks' sizes, its verbs."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan import fields
from jaxgan.errors import UserError
from jaxgan.game import init_state, make_train_step
from jaxgan.recipes import cyclegan
from tests.recipes import contract
from tests.recipes.contract import KEY

NAMES = ("a2b", "b2a", "a", "b")
START = dict(zip(NAMES, (0.7, 1.6, 0.45, -0.8), strict=True))
RNG = np.random.default_rng(0)
BATCH = {name: RNG.uniform(0.2, 1.0, (6, 2, 2, 1)).astype(np.float32) for name in "ab"}
PAPER = fields.image(256, 256, 3)


def losses(p, config):
    """Equations 1 to 3 and section 5.2 for translators and discriminators that multiply by a number, in float64."""
    a, b = (BATCH[name].astype(np.float64) for name in "ab")
    fake_b, fake_a = p["a2b"] * a, p["b2a"] * b
    game = ((p["b"] * fake_b - 1) ** 2).mean() + ((p["a"] * fake_a - 1) ** 2).mean()
    cycle = abs(p["b2a"] * fake_b - a).mean() + abs(p["a2b"] * fake_a - b).mean()
    same = abs(p["a2b"] * b - b).mean() + abs(p["b2a"] * a - a).mean()
    g = game + config.cycle_weight * (cycle + config.identity_weight * same)
    d_a = (((p["a"] * a - 1) ** 2).mean() + ((p["a"] * fake_a) ** 2).mean()) / 2
    d_b = (((p["b"] * b - 1) ** 2).mean() + ((p["b"] * fake_b) ** 2).mean()) / 2
    return {"a2b": g, "b2a": g, "a": d_a, "b": d_b}, g, d_a + d_b


def slope(name, config):
    """By central differences of the loss that the network of this name has."""
    up, down = ({**START, name: START[name] + step} for step in (1e-6, -1e-6))
    return (losses(up, config)[0][name] - losses(down, config)[0][name]) / 2e-6


def toy(config):
    """The recipe's rounds between networks of one number each, played for a step of SGD with rate 1."""
    translate = lambda params, vars, way, x: (params["g"][way] * x, {})  # noqa: E731
    judge = lambda params, vars, name, x, rng: (params["d"][name] * x[..., 0], {})  # noqa: E731
    rounds = cyclegan.rounds(config, translate, judge)
    rules = dict.fromkeys(("g", "d"), optax.sgd(1.0))
    players = {"g": {"params": {n: START[n] for n in NAMES[:2]}}, "d": {"params": {n: START[n] for n in NAMES[2:]}}}
    pools = {name: cyclegan.empty_pool(12, 6, (2, 2, 1)) for name in "ab"}
    state = init_state(rounds, rules, players, local=pools)
    return jax.jit(make_train_step(rounds, rules)), state


@pytest.mark.parametrize(("cycle", "identity"), [(0.0, 0.0), (10.0, 0.0), (0.3, 2.0), (10.0, 0.5)])
def test_each_network_learns_from_its_terms_and_no_others(cycle, identity):
    """The step of rate 1 is the slope: of G's whole loss for both translators, of its own half for each of D."""
    config = cyclegan.Config(cycle_weight=cycle, identity_weight=identity)
    step, state = toy(config)
    after, metrics = step(state, BATCH, KEY)
    moved = after.players["g"].params | after.players["d"].params
    for name in NAMES:
        np.testing.assert_allclose(START[name] - moved[name], slope(name, config), rtol=1e-4, atol=1e-5)
    _, g, d = losses(START, config)
    np.testing.assert_allclose([metrics["g/loss"], metrics["d/loss"]], [g, d], rtol=1e-5)
    assert ("identity" in metrics) is bool(identity)


def test_the_discriminators_see_the_pool_and_the_translators_do_not():
    """A full pool of zeros: D's loss of fakes falls where they are shown, G's is as before."""
    config = cyclegan.Config()
    step, state = toy(config)
    full = jax.tree.map(lambda x: jnp.ones_like(x) if x.dtype == bool else x, state.local)
    after, metrics = step(dataclasses.replace(state, local=full), BATCH, KEY)
    _, plain = step(state, BATCH, KEY)
    assert metrics["g/loss"] == plain["g/loss"]
    assert metrics["d/loss"] < plain["d/loss"]
    swapped = {name: np.asarray(after.local[name]["held"]).any((2, 3, 4)).sum() for name in "ab"}
    assert 0 < swapped["a"] + swapped["b"] < 12
    # The two domains throw their coins apart.
    which = [np.asarray(after.local[name]["held"]).any((1, 2, 3, 4)) for name in "ab"]
    assert (which[0] != which[1]).any()


def test_no_pool_is_no_state():
    system = contract.build("cyclegan", pool=0)
    assert jax.eval_shape(system.init, KEY).local == {}
    state, batch = jax.eval_shape(system.init, KEY), fields.shapes(system.batch, 16)
    jax.eval_shape(system.step, state, batch, KEY)


@pytest.mark.parametrize(("identity", "translations"), [(0.5, 6), (0.0, 4)])
def test_a_step_takes_no_pass_that_its_terms_do_not_need(identity, translations):
    """Two fakes, two ways back, two of what is there already; fakes for G, real ones and fakes for D."""
    seen = []

    def note(who):
        return lambda params, vars, name, x, *rng: (seen.append(who), (x if who == "g" else x[..., 0], {}))[1]

    config = cyclegan.Config(identity_weight=identity, pool=0)
    (round_,) = cyclegan.rounds(config, note("g"), note("d"))
    batch = jax.tree.map(jnp.asarray, BATCH)
    fakes, _ = round_.play({}, {"g": {}, "d": {}}, batch, jax.random.split(KEY, 6))
    for move in round_.moves:
        move.loss({}, {"g": {}, "d": {}}, fakes, batch, jax.random.split(KEY, 6))
    assert (seen.count("g"), seen.count("d")) == (translations, 6)


# Oracle: the published networks' counts, two of each.
@pytest.mark.parametrize(
    ("changes", "g", "d"),
    [
        ({}, 11_378_179, 2_764_737),
        ({"blocks": 6}, 7_837_699, 2_764_737),
        ({"norm": "batch"}, 11_383_427, 2_765_633),
        ({"network": "unet"}, 54_409_603, 2_764_737),
        ({"network": "unet", "depth": 7, "d_layers": 0}, 41_825_667, 8_705),
    ],
)
def test_the_papers_networks_have_its_counts(changes, g, d):
    config = dataclasses.replace(cyclegan.PRESETS["paper"], **changes)
    state = jax.eval_shape(cyclegan.build(config, {"a": PAPER, "b": PAPER}).init, KEY)
    sizes = {
        name: sum(x.size for x in jax.tree.leaves(player.params) if x.size) for name, player in state.players.items()
    }
    assert sizes == {"g": 2 * g, "d": 2 * d}


def test_the_way_back_begins_where_the_way_there_ended():
    case, given = contract.case("cyclegan/unet"), contract.random_batch(contract.DOMAINS, contract.ROWS, 1)
    keys = contract.keys(0)
    for trip, way in (("a2b2a", "a2b"), ("b2a2b", "b2a")):
        source, target = way[0], way[2]
        both = case.runs[trip](case.after, {source: given[source]}, keys)
        there = case.runs[way](case.after, {source: given[source]}, keys)
        back = case.runs[f"{target}2{source}"](case.after, there, keys)
        np.testing.assert_allclose(both[target], there[target], atol=1e-6)
        np.testing.assert_allclose(both[source], back[source], atol=1e-5)
        assert case.system.verbs[trip].truth == (source,)


@pytest.mark.parametrize(
    ("spec", "changes", "sentence"),
    [
        ({**contract.ALIKE, "b": fields.image(8, 10, 1)}, {}, "a and b have one size; --image-size"),
        (contract.DOMAINS, {}, "a has 1 channels and b 3; --identity-weight 0 leaves that out"),
        (contract.ALIKE, {"d_layers": 3}, "patch discriminator with 3 halvings"),
        (contract.ALIKE, {"rate_decay": 1.5}, "--rate-decay must be at"),
    ],
)
def test_impossible_settings_are_one_sentence(spec, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        contract.build("cyclegan", spec=spec, **changes)
