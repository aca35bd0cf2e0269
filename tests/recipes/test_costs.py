"""What a step costs, in numbers that noise cannot move: operations, memory and traffic by XLA's own account.

The table says how often the algorithm must pass through each network, G and D being the operations of one forward pass
of a batch, g and d those of their first layers. Forward, the gradient of the input and the gradient of the kernels
cost the same (`arithmetic`), and a network's first layer needs no gradient of its input in the network's own move:

    G plays and moves        forward G, kernels G, inputs G - g                              3 G - g
    D moves                  real and fake images: each forward, kernels D, inputs D - d     2 (3 D - d)
    G's move through D       forward D, inputs D                                             2 D
    a critic's own play      with n_critic > 1 the critic's rounds make their own fakes      G
    relativistic G           sees the real images' logits too                                D
    gradient penalty         forward D; slopes: inputs D; their gradient passes the slopes'  4 D
                             computation again (D) and reaches its kernels (D). Nothing goes
                             back through the forward pass: leaky ReLUs have no curvature
    R1 and R2 (R3GAN)        the loss and the slopes share a forward pass: 3 D more, for     2 (6 D - d)
                             each of real and fake images, on top of 3 D - d

Convolutions are counted in the form that accelerators get (those for CPUs multiply zeros too), and XLA counts a loop's
body once, so with n_critic = 2 one critic's move is in the program.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import data as datasets
from jaxgan import recipes
from jaxgan.game import parallel
from jaxgan.train import RunConfig, memory
from jaxgan.train.feed import make_feed
from tests.recipes.arithmetic import one_pass
from tests.train import toy

KEY = jax.random.key(0)
WIDTHS = {"g_width": 32, "d_width": 32}
MLP = {"g_widths": (256, 512), "d_widths": (512, 256), "batch_size": 256}


def alternating(G, D):
    """DCGAN's game."""
    return 3 * G.all - G.first + 2 * (3 * D.all - D.first) + 2 * D.all


CASES = {
    "gan": (MLP, alternating, 2),
    "dcgan": (WIDTHS, alternating, 2),
    "cgan": ({**WIDTHS, "classes": 4}, alternating, 2),
    "lsgan": (WIDTHS, alternating, 2),
    "infogan": (WIDTHS, alternating, 2),
    "sngan": ({"g_width": 16, "d_width": 32}, alternating, 2),
    "wgan": ({**WIDTHS, "n_critic": 2}, lambda G, D: alternating(G, D) + G.all, 2),
    "wgan_gp": ({**WIDTHS, "n_critic": 2}, lambda G, D: alternating(G, D) + G.all + 4 * D.all, 4),
    "wgan_gp/one move": ({**WIDTHS, "n_critic": 1}, lambda G, D: alternating(G, D) + 4 * D.all, 4),
    "r3gan": (
        {"width": 16, "growth": 2, "max_width": 64},
        lambda G, D: 3 * G.all - G.first + 2 * (6 * D.all - D.first) + 2 * D.all + D.all,
        4,
    ),
}
"""Settings; operations that the algorithm needs; passes of D whose activations (or slopes) must be kept at a time."""
OVER = 0.035  # what else a step does: activations, normalisation, losses, Adam; measured: 0.8 to 3.3 %


@pytest.fixture(autouse=True)
def accelerators_forms(monkeypatch):
    """Convolutions as accelerators get them; nothing here is run."""
    monkeypatch.setattr(jax.lax, "platform_dependent", lambda *arrays, default, **_: default(*arrays))


def test_every_recipe_is_here():
    assert {case.split("/")[0] for case in CASES} == set(recipes.names())


@pytest.mark.parametrize("case", CASES)
def test_a_step_takes_no_pass_and_no_memory_that_the_algorithm_does_not_need(case):
    """Memory beside the state: two arrays a layer (what it gives, what the next one takes) and twice the parameters.

    A second play of G, or a third stored pass of D, would exceed it.
    """
    settings, needed, kept_passes = CASES[case]
    system, state, batch = abstract(case.split("/")[0], settings)
    G, D = passes(system, state)
    compiled = jax.jit(system.step, donate_argnums=0).lower(state, batch, KEY).compile()
    assert 1 <= compiled.cost_analysis()["flops"] / needed(G, D) < 1 + OVER
    parameters = sum(4 * leaf.size for player in state.players.values() for leaf in jax.tree.leaves(player.params))
    activations = G.kept + kept_passes * D.kept
    assert compiled.memory_analysis().temp_size_in_bytes < 2 * (parameters + activations)


def test_remat_costs_at_most_a_forward_pass_for_each_that_is_differentiated_and_saves_memory():
    """G's and three of D's; a CPU's compiler may find that some of it is there already."""
    flops, bytes_ = {}, {}
    for remat in (False, True):
        system, state, batch = abstract("dcgan", {**WIDTHS, "remat": remat})
        lowered = jax.jit(system.step, donate_argnums=0).lower(state, batch, KEY)
        compiled = memory.compiled(lowered, system.config, parallel.make_mesh())
        flops[remat], bytes_[remat] = compiled.cost_analysis()["flops"], memory.need_of(compiled, state).step
        G, D = passes(system, state)
    assert 1.1 * flops[False] < flops[True] < (1 + OVER) * (alternating(G, D) + G.all + 3 * D.all)
    assert bytes_[True] < 0.9 * bytes_[False]


def abstract(recipe, settings):
    """The system, and the shapes of its state and of a batch."""
    config = recipes.load(recipe).Config(**{"image_shape": (32, 32, 3), "batch_size": 32, **settings})
    system = recipes.load(recipe).build(config)
    rows = config.batch_size * system.microbatches
    batch = {"image": jax.ShapeDtypeStruct((rows, *config.image_shape), jnp.float32)}
    if config.classes:
        batch["label"] = jax.ShapeDtypeStruct((rows,), jnp.int32)
    return system, jax.eval_shape(system.init, KEY), batch


def passes(system, state):
    """What one pass of G and one of D take."""
    config, players = system.config, state.players
    codes = getattr(config, "categories", 0) + getattr(config, "continuous", 0)
    inputs = {"g": (config.z_dim + codes,), "d": config.image_shape}
    label = (jax.ShapeDtypeStruct((config.batch_size,), jnp.int32),) if system.conditional else ()
    for name, shape in inputs.items():
        x = jax.ShapeDtypeStruct((config.batch_size, *shape), jnp.float32)
        yield one_pass(system.networks[name], players[name].variables(), x, *label)


@pytest.mark.parametrize("resident", ["on", "off"])
def test_a_chunk_moves_indices_or_pixels_to_the_device_and_nothing_twice(resident, monkeypatch):
    """Four bytes for the index of an image on the device, or the bytes of its pixels; and one number for the chunk."""
    moved, place = [], jax.make_array_from_process_local_data

    def counted(sharding, array):
        moved.append(array.nbytes)
        return place(sharding, array)

    monkeypatch.setattr(jax, "make_array_from_process_local_data", counted)
    data, rows, steps = toy.images(), 8, 4
    feed = make_feed(data, RunConfig(resident=resident, steps_per_dispatch=steps), rows, 0, parallel.make_mesh())
    assert sum(moved) == (datasets.nbytes(data) if resident == "on" else 0)
    for start in (0, steps):
        moved.clear()
        feed.chunk(start, steps)
        assert sum(moved) == steps * rows * (4 if resident == "on" else 8 * 8 * 1) + np.int32().nbytes
