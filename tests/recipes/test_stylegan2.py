"""What StyleGAN2 adds to the contract: mixing, path lengths, R1 and how often they are paid, strips of pictures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.nets.stylegan2 import StyleGAN2Generator
from jaxgan.recipes import stylegan2
from jaxgan.recipes.common.styles import LENGTH, PSI, Styles
from tests.recipes import contract

KEYS = jax.random.split(jax.random.key(3), 400)


def styles_and(mixing, rows=400):
    G = StyleGAN2Generator((16, 16, 1), 4, 1, 24, 4)
    variables = G.init(contract.KEY, jnp.zeros((1, 6)), train=True)
    params = {"g": variables.pop("params")}
    styles = Styles(G, 6, mixing, False, False)
    return styles, params, {"g": variables, "extras": {LENGTH: jnp.float32(0.7)}}, KEYS[:rows]


# Oracle: rows that have one style, and the layer at which the others change: five layers, all as likely.
def test_mixing_changes_styles_at_one_layer():
    styles, params, vars, keys = styles_and(0.9)
    ws = np.asarray(styles.drawn(params, vars, {}, keys)[0])
    changes = (ws[:, 1:] != ws[:, :-1]).any(-1)
    assert ws.shape == (400, 6, 4)
    assert changes.sum(1).max() == 1
    assert 0.85 < changes.any(1).mean() < 0.95
    assert (changes.sum(0) > 45).all()
    alone = np.asarray(styles._replace(mixing=0.0).drawn(params, vars, {}, keys)[0])
    np.testing.assert_array_equal(alone, alone[:, :1].repeat(6, 1))
    np.testing.assert_array_equal(alone[:, 0], ws[:, 0])


# Oracle: the slope of each image alone, and the formula in float64.
def test_path_lengths_are_those_of_the_jacobian():
    styles, params, vars, keys = styles_and(0.9, 4)
    value, aux = styles.path_loss(2.0)(params, vars, None, {}, keys)
    of_styles, of_noise, of_y = jax.vmap(lambda key: jax.random.split(key, 3), out_axes=1)(keys[::2])
    ws, _ = styles.drawn(params, vars, {}, of_styles)
    lengths = []
    for i in range(2):
        one = slice(i, i + 1)
        y = jax.random.normal(of_y[i], (16, 16, 1)) / 16
        along = lambda w, one=one, y=y: (styles.made(params, vars, w, of_noise[one])[0] * y).sum()  # noqa: E731
        slopes = np.asarray(jax.grad(along)(ws[one])[0], np.float64)
        lengths.append(np.sqrt(np.square(slopes).sum(-1).mean()))
    wanted = 2 * np.square(np.array(lengths) - 0.7).mean()
    np.testing.assert_allclose(value, wanted, rtol=1e-3)
    np.testing.assert_allclose(aux.extras[LENGTH], 0.99 * 0.7 + 0.01 * np.mean(lengths), rtol=1e-5)


# Oracle: Adam's rule of StyleGAN2's appendix B, and the moments that each player begins with.
def test_regularisers_are_moves_of_their_own():
    case = contract.case("stylegan2")
    assert len(case.state.held) == 2
    assert {"r1/loss", "path/loss", "path/length"} <= set(case.metrics)
    after = case.step(case.after, case.batch, contract.KEY)[0]
    counts = [int(count) for count in jax.tree.leaves(after.players["g"].opt_state) if count.dtype == jnp.int32]
    assert set(counts) == {3}  # two games, and the path length of the first step
    still = contract.build("stylegan2", path_weight=0.0, r1_gamma=0.0)
    state = jax.eval_shape(still.init, contract.KEY)
    assert not state.held
    assert not state.extras


def test_the_mean_of_w_moves_and_is_no_parameter():
    case = contract.case("stylegan2")
    assert not np.asarray(case.state.players["g"].vars["w_avg"]["mean"]).any()
    assert np.asarray(case.after.players["g"].vars["w_avg"]["mean"]).all()


# Oracle: samples themselves: a strip at 1 is a picture, the middle one is that of the mean; the ends of a mixture.
def test_strips():
    case, keys = contract.case("stylegan2"), contract.keys(1)
    strip = np.asarray(case.runs["truncate"](case.after, {}, keys)["truncated"]).reshape(4, 8, len(PSI), 8, 1)
    sample = np.asarray(case.runs["sample"](case.after, {}, keys)["image"])
    np.testing.assert_allclose(strip[:, :, PSI.index(1.0)], sample, atol=1e-5)
    mean = strip[:, :, PSI.index(0.0)]
    np.testing.assert_allclose(mean, mean[:1].repeat(4, 0), atol=1e-5)
    mixed = np.asarray(case.runs["mix"](case.after, {}, keys)["mixed"]).reshape(4, 8, 3, 8, 1)
    first, second = jax.vmap(lambda key: jax.random.split(key), out_axes=1)(keys)
    ends = [case.runs["sample"](case.after, {}, each)["image"] for each in (first, second)]
    np.testing.assert_allclose(mixed[:, :, 0], ends[0], atol=1e-5)
    np.testing.assert_allclose(mixed[:, :, 2], ends[1], atol=1e-5)
    assert not np.allclose(mixed[:, :, 1], mixed[:, :, 0], atol=1e-3)


def test_presets_build_and_the_rule_of_ada():
    spec = {"image": contract.fields.image(32, 32, 3)}
    for preset in stylegan2.PRESETS.values():
        stylegan2.build(preset, spec)
    assert stylegan2._gamma(stylegan2.PRESETS["auto"], spec) == pytest.approx(0.0002 * 32 * 32 / 32)


def test_impossible_settings_are_one_sentence():
    with pytest.raises(UserError, match="stylegan2 --labels used needs labelled images"):
        contract.build("stylegan2", labels="used")
    with pytest.raises(UserError, match="image size 30x31 does not suit this network"):
        contract.build("stylegan2", spec={"image": contract.fields.image(30, 31, 1)})


def test_with_labels():
    """One trace: both networks take them, and so do strips."""
    system = contract.build("stylegan2", spec=contract.LABELLED, labels="used", g_architecture="resnet")
    state = jax.eval_shape(system.init, contract.KEY)
    jax.eval_shape(system.step, state, contract.batch_of(system), contract.KEY)
    assert all(set(verb.given) >= {"label"} for name, verb in system.verbs.items() if name != "draw")
    made = jax.eval_shape(
        system.verbs["mix"].run, state, contract.given_to(system.verbs["mix"], system), contract.keys(0)
    )
    assert made["mixed"].shape == (4, 8, 24, 1)
