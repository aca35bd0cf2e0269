"""Inpainting: its losses against the paper's written out, and what its verbs leave alone. Oracle: NumPy."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import fields
from jaxgan.errors import UserError
from jaxgan.recipes import inpainting
from jaxgan.show.sampling import compiled
from tests.recipes import contract


def test_the_losses_are_the_papers():
    config = contract.config("inpainting", l1_weight=10.0, gan_weight=0.5)
    logits = {"real": jnp.array([[0.3, -2.0]]), "fake": jnp.array([[0.5, 2.0]])}
    x, made = (
        jnp.full((1, 2, 2, 1), 0.5),
        {name: jnp.full((1, 2, 2, 1), v) for name, v in (("rough", 0.0), ("fine", 0.25))},
    )
    made |= {"image": made["fine"], "hole": jnp.ones((1, 2, 2, 1)), "lines": []}

    def judge(params, vars, seen, all_made, rng):
        assert all_made is made
        return logits["real" if seen is x else "fake"], {}

    d_loss, g_loss = inpainting._losses(config, judge)
    batch, vars, rng = {"image": x}, {"d": {}}, jax.random.split(contract.KEY, 1)
    d = float(d_loss({}, vars, made, batch, rng)[0])
    g, aux = g_loss({}, vars, made, batch, rng)
    np.testing.assert_allclose(d, 0.5 * (np.mean([0.7, 3.0]) + np.mean([1.5, 3.0])), rtol=1e-6)
    np.testing.assert_allclose(g, -0.5 * 1.25 + 10 * (0.5 + 0.25), rtol=1e-6)
    np.testing.assert_allclose((aux.metrics["l1"], aux.metrics["l1_coarse"]), (0.25, 0.5))


# Oracle: by hand: 3 of 4 pixels in the hole, by half a grey off; the game against log-odds is log(1 + exp(-logit)).
def test_the_losses_of_the_context_encoder():
    config = contract.config("inpainting/context", l2_weight=999.0)
    hole = jnp.ones((1, 2, 2, 1)).at[0, 0, 0].set(0)
    x, fine = jnp.full((1, 2, 2, 1), 0.5), jnp.zeros((1, 2, 2, 1)).at[0, 0, 0].set(9)
    made = {"hole": hole, "lines": [], "rough": fine, "fine": fine, "image": jnp.where(hole > 0, fine, x)}
    _, g_loss = inpainting._losses(config, lambda params, vars, seen, made, rng: (jnp.array([[0.5, 2.0]]), {}))
    g, aux = g_loss({}, {"d": {}}, made, {"image": x}, jax.random.split(contract.KEY, 1))
    np.testing.assert_allclose(g, np.log1p(np.exp([-0.5, -2.0])).mean() + 999 * 0.25, rtol=1e-6)
    np.testing.assert_allclose(aux.metrics["l2_hole"], 0.25)


MASKED = {"image": fields.image(8, 8, 1), "mask": fields.Field("mask", (8, 8, 1))}


@functools.cache
def sketching():
    """A system that follows lines, on pictures with masks, and a state of random weights, which takes no program."""
    system = contract.build("inpainting", spec=MASKED, sketch=True)
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(system.init, contract.KEY)
    state = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape) / 2, leaf.dtype), shapes)
    return system, state


def test_a_sketch_moves_what_is_made_in_the_hole_alone():
    system, state = sketching()
    mask = jnp.zeros((2, 8, 8, 1)).at[:, 2:6, 2:6].set(1)
    given = {"image": jnp.full((2, 8, 8, 1), 0.5), "mask": mask}
    keys = jax.random.split(contract.KEY, 2)
    run = jax.jit(lambda sketch: system.verbs["translate"](state, {**given, "sketch": sketch}, keys)["image"])
    none = jnp.full((2, 8, 8, 1), -1.0)
    outside, inside = (jnp.where(mask > 0, a, b) for a, b in ((-1.0, 1.0), (1.0, -1.0)))
    np.testing.assert_array_equal(run(outside), run(none))
    moved = np.asarray(run(inside) != run(none))
    assert moved.any()
    assert not moved[np.asarray(mask) == 0].any()


def test_a_context_encoder_of_one_box_takes_no_mask_and_no_sketch():
    system = contract.build("inpainting/context", holes="centre")
    assert set(system.verbs["translate"].given) == {"image"}
    anywhere = contract.build("inpainting/context").verbs["translate"].given
    assert {name: field.shape for name, field in anywhere.items()} == {"image": (8, 8, 1), "mask": (8, 8, 1)}
    with pytest.raises(UserError, match="--sketch takes --network gated; a context encoder follows no lines"):
        contract.build("inpainting/context", sketch=True)


def test_holes_of_the_data_are_taken_in_place_of_drawn_ones():
    system, state = sketching()
    assert set(system.batch) == set(system.verbs["fill"].given) == {"image", "mask"}
    assert set(contract.build("inpainting/context", spec=MASKED, holes="centre").batch) == {"image"}
    image, keys = jnp.full((2, 8, 8, 1), 0.5), jax.random.split(contract.KEY, 2)
    mask = jnp.zeros((2, 8, 8, 1)).at[0, :4].set(0.6).at[1, 3:].set(0.6)
    made = jax.jit(lambda: system.verbs["fill"](state, {"image": image, "mask": mask}, keys))()
    np.testing.assert_array_equal(made["mask"], mask > 0.5)
    np.testing.assert_array_equal(made["image"] != image, mask > 0.5)


def test_the_presets_build():
    for name, side in (("paper", 256), ("context_encoder", 128)):
        system = inpainting.build(inpainting.PRESETS[name], {"image": fields.image(side, side, 3)})
        assert jax.eval_shape(system.init, contract.KEY).step.shape == ()


# Oracle: the picture itself, in the bytes of its file.
@pytest.mark.parametrize("verb", ["translate", "fill"])
def test_what_is_known_stays_bit_for_bit_and_the_hole_is_not_looked_at(verb):
    case = contract.case("inpainting")
    rng = np.random.default_rng(0)
    size = (3, 8, 8, 1) if verb == "fill" else (3, 13, 10, 1)
    given = {"image": rng.integers(0, 256, size, np.uint8), "mask": rng.integers(0, 2, size, np.uint8) * 255}
    its = case.system.verbs[verb]
    run, keys = compiled(its), jax.random.split(contract.KEY, 3)
    given = {name: given[name] for name in its.given}
    made = {"mask": given.get("mask"), **run(case.after, keys, given)}
    hole = np.asarray(made["mask"]) == 255
    assert 0.05 < hole.mean() < 0.95
    np.testing.assert_array_equal(np.asarray(made["image"])[~hole], given["image"][~hole])
    other = {**given, "image": np.where(hole, 255 - given["image"], given["image"])}
    again = run(case.after, keys, other)["image"]
    np.testing.assert_array_equal(again, made["image"])


def test_an_even_grey_of_a_mask_is_a_hole_from_the_half_on():
    case = contract.case("inpainting")
    x = jnp.full((2, 8, 8, 1), 0.5)
    mask = jnp.stack([jnp.full((8, 8, 1), 0.4), jnp.full((8, 8, 1), 0.6)])
    made = case.system.verbs["translate"](case.after, {"image": x, "mask": mask}, jax.random.split(contract.KEY, 2))
    np.testing.assert_array_equal(made["image"][0], x[0])
    assert (made["image"][1] != x[1]).all()
