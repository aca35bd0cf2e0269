"""`--augment` reaches D of every recipe, in every move, and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxgan.augment.diff import diffaugment
from jaxgan.errors import UserError
from jaxgan.game import Aux, Duel, Move, Round, with_frozen
from jaxgan.recipes.common import ada, wiring
from tests.recipes import contract

IMAGES = [name for name in contract.SMALL if "voxel" not in name and name != "gan/packed"]


@pytest.mark.parametrize("name", IMAGES)
def test_whatever_d_sees_is_augmented(name, monkeypatch):
    """Oracle: the traced arguments of the networks themselves, in a step that is traced and not compiled."""
    made, seen = [], []

    def note(rng, x, conditions=0):
        made.append(diffaugment(rng, x, conditions))
        return made[-1]

    def look(call, args, options, context):
        if context.method_name == "__call__" and not context.module.path and not context.module.is_initializing():
            seen.append((context.module, args[0]))
        return call(*args, **options)

    monkeypatch.setattr(wiring, "diffaugment", note)
    system = contract.build(name, augment="diffaugment")
    D = type(contract.networks(system)[-1])
    state = jax.eval_shape(system.init, contract.KEY)
    if system.frozen is not None:
        state = with_frozen(state, jax.eval_shape(system.frozen))
    made.clear()  # lazy rounds are traced for what they report, before there is a step
    with nn.intercept_methods(look):
        jax.eval_shape(system.step, state, contract.batch_of(system), contract.KEY)
    shown = [x for module, x in seen if isinstance(module, D)]
    assert len(shown) >= 3  # real and fake pictures in D's move, fakes in G's
    parts = [each for x in shown for each in (x.values() if isinstance(x, dict) else [x])]
    augmented = {id(x) for x in made}
    assert {id(x) for x in parts} == augmented
    assert not augmented & {id(x) for module, x in seen if not isinstance(module, D)}


# Oracle: the rule by hand: after four moves p has gone one step up or down, by the mean sign of D at real pictures.
@pytest.mark.parametrize(("target", "sign"), [(0.0, 1), (0.99, 0)])
def test_adas_probability_follows_how_d_overfits(target, sign):
    board = {"r_t": jnp.float32(0.5)}
    loss = lambda *given: (jnp.float32(1), Aux(board))  # noqa: E731
    rounds = [Round(moves=(Move("d", loss), Move("g", loss), Move("d", loss, name="r1")))]
    move, untouched, lazy = ada.controlled(rounds, (Duel(),), target, 0.5, 16)[0].moves
    assert untouched.loss is lazy.loss is loss
    extras = ada.first_extras()
    for count in range(4):
        assert float(extras["ada"]["p"]) == 0
        assert int(extras["ada"]["count"]) == count
        value, aux = move.loss({}, {"extras": extras}, None, {}, contract.keys(0))
        extras = aux.extras
    assert value == 1
    np.testing.assert_allclose(extras["ada"]["p"], sign * 4 * 16 / 500)
    assert int(extras["ada"]["count"]) == 0
    assert extras["ada"]["signs"] == 0


def test_adas_probability_is_in_the_state_and_reported():
    """Oracle: a step of a system with it, traced."""
    system = contract.build("gan", augment="ada")
    state = jax.eval_shape(system.init, contract.KEY)
    after, metrics = jax.eval_shape(system.step, state, contract.batch_of(system), contract.KEY)
    assert "ada_p" in metrics
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert set(state.extras["ada"]) == {"p", "signs", "count"}


# Oracle: the same system without the option.
def test_samples_are_never_augmented():
    case, system = contract.case("gan"), contract.build("gan", augment="diffaugment")
    plain = case.runs["sample"](case.after, {}, contract.keys(1))
    made = jax.jit(lambda state, keys: system.verbs["sample"](state, {}, keys))(case.after, contract.keys(1))
    np.testing.assert_array_equal(made["image"], plain["image"])


def test_what_cannot_be_augmented_is_one_sentence():
    with pytest.raises(UserError, match="--augment changes pictures, of which this system has none; got diffaugment"):
        contract.build("voxel_gan", augment="diffaugment")
    with pytest.raises(UserError, match="--augment changes single pictures, which --packing above 1 does not show"):
        contract.build("gan/packed", augment="diffaugment")
