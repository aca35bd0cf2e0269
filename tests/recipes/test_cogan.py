"""CoGAN: pictures are made with batch statistics of the averaged generator itself."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.game.state import PlayerState
from jaxgan.nets.cogan import CoupledGenerator
from jaxgan.recipes.common.latents import standing
from tests.recipes import contract


# Oracle: the definition: a network normalised by a batch gives that batch what it gives in training.
def test_standing_statistics_are_those_of_the_latents_they_are_taken_from():
    G = CoupledGenerator((8, 8), width=2, units=6, joint=3)
    z = jax.random.normal(jax.random.key(0), (40, 6))
    made = G.init(contract.KEY, z, train=True)
    stats = jax.tree.map(lambda x: x + 3.0, made["batch_stats"])
    player = PlayerState(made["params"], {"batch_stats": stats}, None)
    found = standing(G, player, z)
    assert found.params is player.params
    trained, _ = G.apply(player.variables(), z, train=True, mutable=["batch_stats"])
    for name, picture in G.apply(found.variables(), z, train=False).items():
        np.testing.assert_allclose(picture, trained[name], atol=1e-5)


# Oracle: the running statistics are of other weights, so that nothing that is made may depend on them.
def test_what_is_made_does_not_depend_on_running_statistics():
    case, system = contract.case("cogan"), contract.build("cogan", standing=8)
    player = case.after.players["g"]
    other = dataclasses.replace(player, vars=jax.tree.map(lambda x: 2 * x + 1, player.vars))
    states = case.after, dataclasses.replace(case.after, players={**case.after.players, "g": other})
    given = {"z": jnp.ones((2, 6))}
    a, b = (system.verbs["sample"](state, given, jax.random.split(contract.KEY, 2)) for state in states)
    for name in "ab":
        np.testing.assert_allclose(a[name], b[name], atol=1e-6)
