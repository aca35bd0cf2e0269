"""What BigGAN's family adds to the contract: where classes go, the orthogonal term, truncated samples."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.game import Aux
from jaxgan.recipes import biggan
from jaxgan.recipes.common.big import with_orthogonal
from jaxgan.recipes.common.latents import truncated_latents
from tests.recipes import contract

KEY = contract.KEY


# Oracle: equation 3 in NumPy, float64, W being [rest, out]; classes' vectors and biases do not count.
def test_the_orthogonal_term_is_the_papers():
    kernel, dense, table = (
        jax.random.normal(jax.random.key(i), s) for i, s in enumerate([(3, 3, 2, 4), (3, 5), (7, 6)])
    )
    params = {"g": {"block": {"kernel": kernel, "bias": jnp.ones(4)}, "first": dense, "shared": {"embedding": table}}}
    loss = with_orthogonal(lambda *_: (jnp.float32(2.0), Aux({"known": jnp.float32(1.0)})), 0.1)
    value, aux = loss(params, {}, jnp.zeros(1), None, jax.random.split(KEY, 1))
    expected = 0.0
    for w in (np.asarray(kernel, np.float64).reshape(-1, 4), np.asarray(dense, np.float64)):
        expected += ((w.T @ w * (1 - np.eye(w.shape[1]))) ** 2).sum()
    np.testing.assert_allclose(value, 2 + 0.1 * expected, rtol=1e-5)
    assert set(aux.metrics) == {"known", "orthogonal"}


# Oracle: the density: within the threshold, with the variance 1 - 2 t phi(t) / (2 Phi(t) - 1), 0.2912 for t = 1.
def test_truncated_latents_are_drawn_anew_beyond_the_threshold():
    spec, draw = truncated_latents(100, 1.0)
    z = draw(jax.random.split(KEY, 200))["z"]
    assert z.shape == (200, *spec["z"].shape)
    assert 0.99 < np.abs(z).max() <= 1
    np.testing.assert_allclose(np.var(z), 0.2912, rtol=0.03)


def test_samples_are_truncated_and_do_not_depend_on_running_statistics():
    plain, system = contract.build("biggan"), contract.build("biggan", truncation=0.01, standing=6)
    state = contract.case("biggan").after
    draws = [np.abs(each.verbs["draw"](state, {}, contract.keys(0))["z"]).max() for each in (plain, system)]
    assert draws[0] > 1 > 0.01 >= draws[1]
    player = state.players["g"]
    stats = jax.tree.map(lambda x: 2 * x + 1, player.vars["batch_stats"])
    other = dataclasses.replace(player, vars={**player.vars, "batch_stats": stats})
    states = state, dataclasses.replace(state, players={**state.players, "g": other})
    given = {"z": jnp.ones((2, 6)), "label": jnp.arange(2)}
    decode = jax.jit(lambda state: system.verbs["decode"](state, given, jax.random.split(KEY, 2)))
    a, b = (decode(each)["image"] for each in states)
    np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("name", ["biggan", "biggan_deep", "sagan"])
def test_classes_are_used_where_data_have_any_unless_told_otherwise(name):
    for spec, labels, wanted in (
        (contract.LABELLED, "used", {"image", "label"}),
        (contract.LABELLED, "ignored", {"image"}),
        (contract.IMAGES, "used", {"image"}),
    ):
        assert set(contract.build(name, spec=spec, labels=labels).batch) == wanted


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"attention": (5,)}, "--attention takes sides of features, which are 4, 8 here, or 0 for none, got 5"),
        ({"d_attention": (0, 16)}, "--d-attention takes sides of features, which are 4, 8 here"),
        ({"attention": (-1,)}, "--attention must be at least 0"),
        ({"truncation": -0.5}, "--truncation must be at least 0"),
        ({"layout": "published"}, "--layout published has tables"),
    ],
)
def test_options_that_do_not_go_together_are_one_sentence(change, sentence):
    with pytest.raises(UserError, match=sentence):
        contract.build("biggan", **change)


def test_presets_are_the_networks_whose_parameters_are_counted():
    paper = biggan.PRESETS["paper"]
    assert (paper.g_width, paper.z_dim, paper.embedding, paper.attention) == (96, 120, 128, (64,))
    assert paper.batch_size % paper.accumulate == 0
