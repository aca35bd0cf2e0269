"""Inpainting: its losses against the paper's written out, and what its verbs leave alone. Oracle: NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

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
    made |= {"image": made["fine"], "hole": jnp.ones((1, 2, 2, 1))}

    def judge(params, vars, seen, hole):
        assert hole is made["hole"]
        return logits["real" if seen is x else "fake"], {}

    d_loss, g_loss = inpainting._losses(config, judge)
    batch, vars, rng = {"image": x}, {"d": {}}, jax.random.split(contract.KEY, 1)
    d = float(d_loss({}, vars, made, batch, rng)[0])
    g, aux = g_loss({}, vars, made, batch, rng)
    np.testing.assert_allclose(d, 0.5 * (np.mean([0.7, 3.0]) + np.mean([1.5, 3.0])), rtol=1e-6)
    np.testing.assert_allclose(g, -0.5 * 1.25 + 10 * (0.5 + 0.25), rtol=1e-6)
    np.testing.assert_allclose((aux.metrics["l1"], aux.metrics["l1_coarse"]), (0.25, 0.5))


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
