"""What holds of every recipe, asked of three programs each: the first state, one step, and each verb."""

import chex
import jax
import numpy as np
import pytest

from jaxgan import fields, recipes
from jaxgan.errors import UserError
from tests.recipes import contract
from tests.recipes.contract import KEY, every_case, every_recipe, params

# Where only differences of logits count, nothing depends on D's last bias.
MAY_REST = dict.fromkeys(("gan/relativistic", "gan/packed", "gan/extragradient"), ("Dense_1/bias",))


def test_every_recipe_is_here():
    assert {name.split("/")[0] for name in contract.SMALL} == set(recipes.names())


def test_a_random_batch_has_every_kind():
    """Oracle: what stored numbers, drawn at random, look like to networks."""
    shapes = {"image": (4, 4, 3), "video": (2, 4, 4, 1), "mask": (4, 4, 1), "voxels": (4, 4, 4), "label_map": (4, 4)}
    shapes |= {"tokens": (6,), "wave": (50,), "vector": (3,)}
    spec = {kind: fields.Field(kind, shapes.get(kind, ()), ("a", "b", "c")) for kind in fields.KINDS}
    batch = contract.random_batch(spec, 40, 0)
    wanted = fields.shapes(spec, 40)
    assert {name: (x.shape, x.dtype) for name, x in batch.items()} == {n: (x.shape, x.dtype) for n, x in wanted.items()}
    stored = fields.inside(spec, fields.outside(spec, batch))
    for name, field in spec.items():
        np.testing.assert_allclose(stored[name], batch[name], atol=0.5 / 127)
        low, high = contract.limits(field)
        assert low <= batch[name].min() < batch[name].max() <= high
        assert np.isinf(high) or (batch[name].min() < low + 0.5 and batch[name].max() > high - 0.5)


def unmoved(before, after):
    """Paths of the parameters that are the same, bit for bit."""
    pairs = zip(jax.tree_util.tree_leaves_with_path(before), jax.tree.leaves(after), strict=True)
    return [jax.tree_util.keystr(path, simple=True, separator="/") for (path, a), b in pairs if np.array_equal(a, b)]


def kinds(state):
    return jax.tree.map(lambda x: (x.shape, x.dtype, x.weak_type), state)


@every_case
def test_every_player_moves_and_the_state_keeps_its_form(name):
    """Finite; each step returns what the next one takes without another trace; every parameter moves in four steps.

    Not at once: behind a layer of zeros there is no gradient yet.
    """
    case = contract.case(name)
    state, metrics = case.after, case.metrics
    for duel in case.system.duels:
        assert {f"{duel.board}d_real", f"{duel.board}d_fake"} <= set(metrics)
    norms = {metric: value for metric, value in metrics.items() if metric.endswith("/grad_norm")}
    assert norms
    assert min(norms.values()) > 0
    for seed in (1, 2, 3):
        state, metrics = case.step(state, contract.batch_of(case.system, seed), KEY)
    assert kinds(state) == kinds(case.state)
    assert state.step == 4
    chex.assert_tree_all_finite((state, metrics))
    for player, before in params(case.state).items():
        assert set(unmoved(before, params(state)[player])) <= set(MAY_REST.get(name, ())), player


@every_recipe
def test_each_move_is_in_its_own_interest(name):
    """D's move alone tells real from fake better, G's alone raises D(G(z)): the same step again has the same noise."""
    case = contract.case(name)
    for duel in case.system.duels:

        def looks(moved, board=duel.board):
            state = contract.with_params(case.state, moved, case.after.players[moved].params)
            _, metrics = case.step(state, case.batch, KEY)
            return [float(m[f"{board}d_real"]) for m in (case.metrics, metrics)], [
                float(m[f"{board}d_fake"]) for m in (case.metrics, metrics)
            ]

        real, fake = looks(duel.judge)
        assert real[1] - fake[1] > real[0] - fake[0]
        _, fake = looks(duel.maker)
        assert fake[1] > fake[0]


@every_case
def test_verbs(name):
    """What a verb makes, in its shapes and within its limits; by its key and what it is given, and by nothing else."""
    case = contract.case(name)
    assert case.system.verbs
    for verb_name, verb in case.system.verbs.items():
        given, keys = contract.given_to(verb, case.system), contract.keys(1)
        run = case.runs[verb_name]
        made = run(case.after, given, keys)
        wanted = {
            field: (x.shape, x.dtype)
            for field, x in fields.shapes(contract.sized(verb.makes, case.system), contract.ROWS).items()
        }
        assert {field: (x.shape, x.dtype) for field, x in made.items()} == wanted
        chex.assert_tree_all_finite(made)
        for field, x in made.items():
            low, high = contract.limits(verb.makes[field])
            assert low <= x.min() < x.max() <= high
            assert not np.allclose(x[0], x[1])
        chex.assert_trees_all_equal(made, run(case.after, given, keys))
        others = {field: x.at[1:].set(_other(verb.given[field], x, 2)[1:]) for field, x in given.items()}
        alone = run(case.after, others, keys.at[1:].set(contract.keys(2)[1:]))
        chex.assert_trees_all_close(
            *({f: x[0] for f, x in each.items()} for each in (made, alone)), rtol=1e-5, atol=1e-6
        )
        assert all(not np.allclose(made[field][1:], alone[field][1:]) for field in made)


@every_case
def test_what_is_given_matters(name):
    case = contract.case(name)
    for verb_name, verb in case.system.verbs.items():
        given, keys = contract.given_to(verb, case.system), contract.keys(1)
        made = case.runs[verb_name](case.after, given, keys)
        for field, x in given.items():
            other = case.runs[verb_name](case.after, {**given, field: _other(verb.given[field], x, 2)}, keys)
            assert any(not np.allclose(made[each], other[each]) for each in made), field
            with pytest.raises(UserError, match=f"this verb takes .*; missing: {field}\\.$"):
                verb(case.after, {each: given[each] for each in given if each != field}, keys)


def _other(field, x, seed):
    """Another value of every example's field."""
    if fields.whole(field):
        return (x + 1) % len(field.names)
    return contract.random_batch({"": field._replace(shape=x.shape[1:])}, len(x), seed)[""]


@every_case
def test_labels_of_a_batch_matter(name):
    case = contract.case(name)
    for field, x in case.batch.items():
        if fields.whole(case.system.batch[field]):
            other = {**case.batch, field: _other(case.system.batch[field], x, 2)}
            assert case.step(case.after, case.batch, KEY)[1]["d/loss"] != case.step(case.after, other, KEY)[1]["d/loss"]


@every_recipe
def test_a_system_is_told_in_one_line(name):
    told = repr(contract.case(name).system)
    assert told.startswith("System(Config, batch=['")
    assert "\n" not in told
    assert len(told) < 120


def test_the_generators_objective_is_the_one_asked_for():
    """log(1 - D(G(z))) is negative, -log D(G(z)) positive."""
    assert contract.case("gan/minimax").metrics["g/loss"] < 0 < contract.case("gan").metrics["g/loss"]


@pytest.mark.parametrize("name", ["cgan", "sngan/projection", "sngan/auxiliary", "r3gan/labels"])
def test_a_conditional_recipe_needs_labels(name):
    with pytest.raises(UserError, match="needs labelled images"):
        contract.build(name, spec=contract.IMAGES)


@pytest.mark.parametrize("name", sorted(recipes.names()))
def test_a_recipes_needs_are_met_by_its_smallest_case(name):
    fields.check(contract.spec(name), recipes.load(name).NEEDS)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"batch_size": 0}, "--batch-size must be above 0, got 0"),
        ({"steps": -1}, "--steps must be above 0, got -1"),
        ({"d_learning_rate": 0.0}, "--d-learning-rate must be above 0"),
        ({"beta1": 1.0}, "--beta1 must be at least 0 and below 1, got 1.0"),
        ({"accumulate": 3}, "--batch-size must be a multiple of --accumulate 3, got 16"),
        ({"ema_halflife_kimg": -1.0}, "--ema-halflife-kimg must be at least 0"),
        ({"ema_halflife_kimg": float("nan")}, "--ema-halflife-kimg must be at least 0, got nan"),
        ({"g_learning_rate": float("inf")}, "--g-learning-rate must be finite, got inf"),
    ],
)
def test_impossible_numbers_are_one_sentence(change, sentence):
    with pytest.raises(UserError, match=sentence):
        contract.build("gan", **change)


@pytest.mark.parametrize("name", sorted(recipes.names()))
def test_every_recipe_checks_its_numbers(name):
    with pytest.raises(UserError, match="--batch-size must be above 0, got 0"):
        contract.build(name, batch_size=0)


def test_no_widths_at_all_is_one_sentence():
    with pytest.raises(UserError, match="--g-widths takes at least one number, got none"):
        contract.build("gan", g_widths=())


def test_an_unknown_recipe_gets_the_list_and_a_guess():
    sentence = r"there is no recipe 'dcgn'; did you mean dcgan\? The recipes are biggan, .*dcgan, esrgan, gan"
    with pytest.raises(UserError, match=sentence):
        recipes.load("dcgn")
