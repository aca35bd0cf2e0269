"""`--augment` reaches D of every recipe, in every move, and nothing else."""

import jax
import numpy as np
import pytest
from flax import linen as nn

from jaxgan.augment.diff import diffaugment
from jaxgan.errors import UserError
from jaxgan.recipes.common import wiring
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
    with nn.intercept_methods(look):
        jax.eval_shape(system.step, state, contract.batch_of(system), contract.KEY)
    shown = [x for module, x in seen if isinstance(module, D)]
    assert len(shown) >= 3  # real and fake pictures in D's move, fakes in G's
    parts = [each for x in shown for each in (x.values() if isinstance(x, dict) else [x])]
    augmented = {id(x) for x in made}
    assert {id(x) for x in parts} == augmented
    assert not augmented & {id(x) for module, x in seen if not isinstance(module, D)}


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
