"""What SNGAN adds to the contract: where classes go, and AC-GAN's terms."""

import jax
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.recipes import sngan
from jaxgan.recipes.common.wiring import wire
from tests.recipes import contract

KEY = contract.KEY


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"condition": "projection"}, "sngan --condition projection needs labelled images"),
        ({"g_norm": "conditional"}, "--g-norm conditional takes a --condition"),
        ({"class_weight": 0.5}, "--class-weight takes --condition auxiliary, got --condition none"),
        ({"beta2": 1.0}, "--beta2 must be above 0 and below 1, got 1.0"),
        ({"n_critic": 0}, "--n-critic must be above 0, got 0"),
    ],
)
def test_options_that_do_not_go_together_are_one_sentence(change, sentence):
    with pytest.raises(UserError, match=sentence):
        contract.build("sngan", **change)


def test_classes_of_the_data_are_not_used_unless_asked_for():
    systems = [contract.build("sngan", spec=spec) for spec in (contract.IMAGES, contract.LABELLED)]
    assert [(set(system.batch), dict(system.verbs["sample"].given)) for system in systems] == [({"image"}, {})] * 2
    trees = [jax.tree.structure(jax.eval_shape(system.init, KEY)) for system in systems]
    assert trees[0] == trees[1]


@pytest.mark.parametrize("condition", ["projection", "auxiliary", "concat"])
@pytest.mark.parametrize("g_norm", [None, "batch", "conditional", "self", "adain"])
def test_every_condition_goes_with_every_normalisation(condition, g_norm):
    """Oracle: the conditions' own parameters, and the generator's."""
    system = contract.build("sngan", spec=contract.LABELLED, condition=condition, g_norm=g_norm)
    players = jax.eval_shape(system.init, KEY).players
    g, d = players["g"].params, players["d"].params
    own = {"projection": "Projection_0", "auxiliary": "SpectralDense_1", "concat": "LabelPlane_0"}
    assert [name in d for name in own.values()] == [name == condition for name in own]
    layer = {None: "ConditionalBatchNorm_0", "batch": "BatchNorm_0", "conditional": "ConditionalBatchNorm_0"}
    assert layer.get(g_norm, {"self": "SelfModulation_0", "adain": "AdaIN_0"}.get(g_norm)) in g
    assert ("JoinedLabel_0" in g) == (g_norm in ("batch", "self", "adain"))


def test_auxiliary_losses_are_the_hinge_and_the_classification():
    """Oracle: the networks' outputs and the equations in float64, D's spectral vectors moving from batch to batch."""
    case = contract.case("sngan/auxiliary")
    state, batch = case.state, case.batch
    x_fake, label = batch["image"][::-1], np.asarray(batch["label"])
    G, D = contract.networks(case.system)
    judge = wire(case.system.config, contract.LABELLED, G, D, conditional=True).judge
    params = {name: player.params for name, player in state.players.items()}
    vars = {name: player.vars for name, player in state.players.items()}

    judged = jax.jit(lambda *a: D.apply(*a, train=True, mutable=["spectral"]))

    def look(x, vars):
        made, moved = judged({"params": params["d"], **vars}, x, batch["label"])
        return *(np.asarray(part, np.float64) for part in made), moved

    def classification(guess):
        return np.log(np.exp(guess).sum(1)) - guess[np.arange(16), label]

    real, of_real, moved = look(batch["image"], vars["d"])
    fake, of_fake, _ = look(x_fake, moved)
    expected = np.maximum(0, 1 - real) + np.maximum(0, 1 + fake)
    expected = expected + 0.3 * (classification(of_real) + classification(of_fake))
    d_loss, g_loss = jax.tree.map(jax.jit, sngan.auxiliary_losses(judge, 0.3))
    rng = jax.random.split(KEY, 16)
    value, aux = d_loss(params, vars, x_fake, batch, rng)
    np.testing.assert_allclose(value, expected.mean(), rtol=1e-4)
    np.testing.assert_allclose(aux.metrics["class_accuracy"], np.mean(of_real.argmax(1) == label), rtol=1e-5)
    fake, of_fake, _ = look(x_fake, vars["d"])
    value, _ = g_loss(params, vars, x_fake, batch, rng)
    np.testing.assert_allclose(value, (0.3 * classification(of_fake) - fake).mean(), rtol=1e-4)
