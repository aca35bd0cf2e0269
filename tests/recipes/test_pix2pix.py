"""pix2pix: its losses against equation 4 written out, and what its verb takes. Oracle: NumPy on the same logits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import fields
from jaxgan.errors import UserError
from jaxgan.fields import Field
from jaxgan.recipes import pix2pix
from tests.recipes import contract

SPEC = contract.PAIRS


def test_the_losses_are_equation_4():
    config = contract.config("pix2pix")
    logits = {"real": jnp.array([[[0.3, -1.0]]]), "fake": jnp.array([[[0.5, 2.0]]])}
    target, made = jnp.full((1, 2, 2, 3), 0.5), jnp.full((1, 2, 2, 3), 0.25)

    def judge(params, vars, batch, y, rng):
        return logits["real" if y is target else "fake"], {}

    d_loss, g_loss = pix2pix._losses(config, judge)
    batch, vars, rng = {"target": target}, {"d": {}}, jax.random.split(contract.KEY, 1)
    d = float(d_loss({}, vars, made, batch, rng)[0])
    g, aux = g_loss({}, vars, made, batch, rng)
    one = lambda x: np.log1p(np.exp(-np.asarray(x))).mean()  # noqa: E731
    zero = lambda x: np.log1p(np.exp(np.asarray(x))).mean()  # noqa: E731
    np.testing.assert_allclose(d, 0.5 * (one(logits["real"]) + zero(logits["fake"])), rtol=1e-6)
    np.testing.assert_allclose(g, one(logits["fake"]) + 100 * 0.25, rtol=1e-6)
    np.testing.assert_allclose(aux.metrics["l1"], 0.25)


# Oracle: the three games of the paper and of its public code by hand; D's loss is halved, G's has 100 times L1.
@pytest.mark.parametrize(
    ("loss", "real", "fake", "fooled"),
    [
        ("non_saturating", (0.554355, 1.313262), (0.974077, 2.126928), (0.474077, 0.126928)),
        ("least_squares", (0.49, 4.0), (0.25, 4.0), (0.25, 1.0)),
        ("hinge", (0.7, 2.0), (1.5, 3.0), (-0.5, -2.0)),
    ],
)
def test_loss_values_on_fixed_logits(loss, real, fake, fooled):
    config = contract.config("pix2pix", loss=loss, l1_weight=100.0)
    logits = {"real": jnp.array([[[0.3, -1.0]]]), "fake": jnp.array([[[0.5, 2.0]]])}
    target, made = jnp.full((1, 2, 2, 3), 0.5), jnp.full((1, 2, 2, 3), 0.25)
    judge = lambda params, vars, batch, y, rng: (logits["real" if y is target else "fake"], {})  # noqa: E731
    d_loss, g_loss = pix2pix._losses(config, judge, "other")
    given = ({"other": target}, jax.random.split(contract.KEY, 1))
    d, g = (float(each({}, {"d": {}}, made, *given)[0]) for each in (d_loss, g_loss))
    np.testing.assert_allclose(d, 0.5 * (np.mean(real) + np.mean(fake)), rtol=1e-5)
    np.testing.assert_allclose(g, np.mean(fooled) + 100 * 0.25, rtol=1e-5)


def test_the_way_back_makes_sources():
    """The roles of both fields are exchanged: what is given, joined for D, made, and compared with."""
    spec = {"source": fields.image(8, 8, 3), "target": fields.image(8, 8, 1)}
    system = contract.build("pix2pix", spec=spec, direction="target_to_source")
    state, batch = jax.eval_shape(system.init, contract.KEY), fields.shapes(system.batch, 16)
    jax.eval_shape(system.step, state, batch, contract.KEY)
    verb = system.verbs["translate"]
    assert (set(verb.given), set(verb.makes), verb.truth) == ({"target"}, {"source"}, ("source",))
    assert state.players["g"].params["down0"]["kernel"].shape[2] == 1
    made = jax.eval_shape(verb, state, {"target": jnp.zeros((2, 8, 8, 1))}, jax.random.split(contract.KEY, 2))
    assert made["source"].shape == (2, 8, 8, 3)


def test_a_picture_of_any_size_is_translated():
    case = contract.case("pix2pix")
    translate = jax.jit(lambda state, given, keys: case.system.verbs["translate"](state, given, keys))
    made = translate(case.after, {"source": jnp.zeros((2, 11, 14, 1))}, jax.random.split(contract.KEY, 2))
    assert made["target"].shape == (2, 11, 14, 3)


def test_dropout_is_noise_of_pictures_only_where_asked_for():
    """Two keys: the same picture without --sample-noise, two pictures with it."""
    for noisy in (False, True):
        system = contract.build("pix2pix", sample_noise=noisy)
        state = jax.jit(system.init)(contract.KEY)
        given = {"source": jnp.linspace(-1, 1, 64).reshape(1, 8, 8, 1).repeat(2, 0)}
        run = jax.jit(lambda state, given, keys, system=system: system.verbs["translate"](state, given, keys))
        one, other = run(state, given, jax.random.split(contract.KEY, 2))["target"]
        # A row of a batch may round as its neighbour does not.
        assert bool(np.allclose(one, other, rtol=1e-4, atol=1e-8)) is not noisy


def test_label_maps_and_masks_become_planes():
    field = Field("label_map", (2, 2), ("sky", "tree", "road"))
    planes = fields.as_planes(field, jnp.array([[[0, 1], [2, 2]]]))
    assert planes.shape == (1, 2, 2, fields.planes(field))
    np.testing.assert_array_equal(planes[0, 1, 0], [-1, -1, 1])
    np.testing.assert_array_equal(fields.as_planes(Field("mask", (1, 1, 1)), jnp.array([[[[0.25]]]])), [[[[-0.5]]]])
    system = contract.build(
        "pix2pix", spec={"source": Field("label_map", (8, 8), ("a", "b")), "target": SPEC["target"]}
    )
    state, batch = jax.eval_shape(system.init, contract.KEY), fields.shapes(system.batch, 16)
    after, _ = jax.eval_shape(system.step, state, batch, contract.KEY)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert system.verbs["translate"].given["source"].shape == (None, None)


@pytest.mark.parametrize(
    ("spec", "changes", "sentence"),
    [
        ({**SPEC, "target": fields.image(8, 10, 3)}, {}, "a pair has one size, but source is 8x8 and target 8x10"),
        (SPEC, {"d_layers": 3}, "patch"),
        (SPEC, {"dropout": 1.0}, "dropout"),
        (
            {"source": Field("label_map", (8, 8), ("a", "b")), "target": SPEC["target"]},
            {"direction": "target_to_source"},
            "--direction target_to_source makes pictures, but that field is a label_map here",
        ),
    ],
)
def test_impossible_settings_are_one_sentence(spec, changes, sentence):
    batch = {name: jax.ShapeDtypeStruct((2, *field.fixed), jnp.float32) for name, field in spec.items()}
    with pytest.raises(UserError, match=sentence):
        traced(spec, batch, changes)


def traced(spec, batch, changes):
    system = contract.build("pix2pix", spec=spec, **changes)
    return jax.eval_shape(system.step, jax.eval_shape(system.init, contract.KEY), batch, contract.KEY)
