"""What a step costs, in numbers that noise cannot move: operations, memory and traffic by XLA's own account.

Operations are those of the lowered program; memory takes compilation, and is asked of one recipe a family of networks.

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
import numpy as np
import pytest

from jaxgan import data as datasets
from jaxgan import fields, recipes
from jaxgan.game import parallel
from jaxgan.train import RunConfig
from jaxgan.train.loop import memory
from jaxgan.train.loop.chunks import make_chunks
from tests.recipes.arithmetic import one_pass

KEY = jax.random.key(0)
WIDTHS = {"g_width": 32, "d_width": 32}
MLP = {"g_widths": (256, 512), "d_widths": (512, 256), "batch_size": 256}


def alternating(G, D):
    """DCGAN's game."""
    return 3 * G.all - G.first + 2 * (3 * D.all - D.first) + 2 * D.all


CASES = {
    "gan": (MLP, alternating, 2),
    "dcgan": ({**WIDTHS, "g_units": 0, "d_units": 0}, alternating, 2),
    "cgan": (WIDTHS, alternating, 2),
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
OF_A_FAMILY = ("gan", "dcgan", "infogan", "sngan", "wgan_gp", "r3gan")
OVER = 0.035  # what else a step does: activations, normalisation, losses, Adam; measured: 0.8 to 3.3 %


NOT_COUNTED = (
    *("pix2pix", "restore", "cogan", "cyclegan", "spade", "srgan", "esrgan", "inpainting", "voxel_gan"),
    *("biggan", "biggan_deep", "sagan", "stylegan2"),
)
"""Their step is that of the others: a play, D on real and fake, D on fake. `lower` knows images and labels only, and
`arithmetic` no products of features with each other, which attention has, and no modulated filters.

CycleGAN's passes are counted in its own test.
"""


def test_every_recipe_is_here():
    assert {case.split("/")[0] for case in CASES} | set(NOT_COUNTED) == set(recipes.names())


@pytest.mark.parametrize("case", CASES)
def test_a_step_takes_no_pass_that_the_algorithm_does_not_need(case):
    """A second play of G would exceed it."""
    settings, needed, _ = CASES[case]
    system, lowered = lower(case.split("/")[0], settings)
    assert 1 <= lowered.cost_analysis()["flops"] / needed(*passes(system)) < 1 + OVER


@pytest.mark.parametrize("case", OF_A_FAMILY)
def test_a_step_takes_no_memory_that_the_algorithm_does_not_need(case):
    """Beside the state: two arrays a layer (what it gives, what the next one takes) and twice the parameters.

    A third stored pass of D would exceed it.
    """
    settings, _, kept_passes = CASES[case]
    system, lowered = lower(case, settings)
    G, D = passes(system)
    players = jax.eval_shape(system.init, KEY).players.values()
    parameters = sum(4 * leaf.size for player in players for leaf in jax.tree.leaves(player.params))
    activations = G.kept + kept_passes * D.kept
    assert lowered.compile().memory_analysis().temp_size_in_bytes < 2 * (parameters + activations)


def test_remat_costs_at_most_a_forward_pass_for_each_that_is_differentiated_and_saves_memory():
    """G's and three of D's; a CPU's compiler may find that some of it is there already."""
    flops, bytes_ = {}, {}
    for remat in (False, True):
        system, lowered = lower("dcgan", {**WIDTHS, "remat": remat})
        state = jax.eval_shape(system.init, KEY)
        compiled = memory.compiled(lowered, system.config, parallel.make_mesh())
        flops[remat], bytes_[remat] = compiled.cost_analysis()["flops"], memory.need_of(compiled, state).step
        G, D = passes(system)
    assert 1.1 * flops[False] < flops[True] < (1 + OVER) * (alternating(G, D) + G.all + 3 * D.all)
    assert bytes_[True] < 0.9 * bytes_[False]


def lower(recipe, settings):
    """The system, and its step for the shapes of its state and of a batch."""
    config = recipes.load(recipe).Config(**{"batch_size": 32, **settings})
    spec = {"image": fields.image(32, 32, 3), "label": fields.label(("a", "b", "c", "d"))}
    system = recipes.load(recipe).build(config, spec)
    batch = fields.shapes(system.batch, config.batch_size * system.microbatches)
    state = jax.eval_shape(system.init, KEY)
    return system, jax.jit(system.step, donate_argnums=0).lower(state, batch, KEY)


def passes(system):
    """What one pass of G and one of D take."""
    return one_pass(system.init, system.config.batch_size)


@pytest.mark.parametrize("resident", ["on", "off"])
def test_a_chunk_moves_indices_or_pixels_to_the_device_and_nothing_twice(resident, monkeypatch):
    """Four bytes for the index of an image on the device, or the bytes of its pixels; and one number for the chunk."""
    moved, place = [], jax.make_array_from_process_local_data

    def counted(sharding, array):
        moved.append(array.nbytes)
        return place(sharding, array)

    monkeypatch.setattr(jax, "make_array_from_process_local_data", counted)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    data = datasets.of_arrays({"image": pixels}, {"image": fields.image(8, 8, 1)})
    rows, steps = 8, 4
    feed = make_chunks(
        data, data.spec, RunConfig(resident=resident, steps_per_dispatch=steps), rows, 0, parallel.make_mesh()
    )
    assert sum(moved) == (datasets.nbytes(data) if resident == "on" else 0)
    for start in (0, steps):
        moved.clear()
        feed.chunk(start, steps)
        assert sum(moved) == steps * rows * (4 if resident == "on" else 8 * 8 * 1) + np.int32().nbytes
