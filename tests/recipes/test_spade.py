"""SPADE: its losses on fixed answers, whose gradient goes where, and what its verbs take. Oracle: NumPy by hand."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import fields
from jaxgan.errors import UserError
from jaxgan.fields import Field
from jaxgan.game import with_frozen
from jaxgan.losses.information import kl_to_normal
from jaxgan.metrics.seen_by.fashion_cnn import fashion_cnn, layers
from jaxgan.nets.spade_critic import Judged
from jaxgan.nets.spade_style import Style
from jaxgan.recipes import spade
from jaxgan.recipes.common.perceptual import WEIGHTS, FeatureNetwork, feature_network, perceptual
from tests.recipes import contract

NETWORK = FeatureNetwork("own", lambda params, x: [params["scale"] * x, x**2], {"scale": jnp.array(3.0)}, (0.5, 2.0))
LOGITS = {"real": [[0.3, -1.5], [2.0]], "fake": [[0.5, -2.0], [0.25]]}
FEATURES = {"real": [[1.0, 2.0], [4.0]], "fake": [[0.5, 5.0], [1.0]]}
STYLE = Style(jnp.array([[1.0, -2.0]]), jnp.array([[0.0, 0.5]]))


def fixed(params, vars, batch, y, rng):
    """A judge of two scales with answers that are always the same, the real picture being all 0.5."""

    def scale(i, which):
        hidden = jnp.array(FEATURES[which][i]).reshape(1, -1, 1, 1)
        return Judged(jnp.array([[LOGITS[which][i]]]), (hidden, 2 * hidden))

    one = {which: [scale(i, which) for i in (0, 1)] for which in LOGITS}
    if len(y) == 1:
        return one["real" if float(y[0, 0, 0, 0]) == 0.5 else "fake"], {}
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), one["real"], one["fake"]), {}


def test_the_losses_are_those_of_the_paper():
    config = contract.config("spade", feature_weight=10.0, perceptual_weight=10.0)
    batch = {"source": jnp.zeros((1, 2, 2), jnp.int32), "target": jnp.full((1, 2, 2, 1), 0.5)}
    made, vars = (jnp.full((1, 2, 2, 1), 0.25), STYLE), {"d": {}, "frozen": {"own": NETWORK.params}}
    d_loss, g_loss = spade._losses(config, fixed, NETWORK)
    value, aux = g_loss({}, vars, made, batch, jax.random.split(contract.KEY, 1))
    game = -np.mean([np.mean(each) for each in LOGITS["fake"]])
    matched = (1 + 2) * (np.mean([0.5, 3.0]) + 3.0) / 2  # both hidden layers of both scales
    distance = 0.5 * 3 * 0.25 + 2 * (0.5**2 - 0.25**2)
    kl = 0.5 * (1 + 4 + np.exp(0.0) + np.exp(0.5) - 2 - 0.5)
    for name, wanted in {"features": matched, "perceptual": distance, "kl": kl}.items():
        np.testing.assert_allclose(aux.metrics[name], wanted, rtol=1e-6)
    wanted = game + 10 * matched + 10 * distance + 0.05 * config.batch_size * kl
    np.testing.assert_allclose(value, wanted, rtol=1e-6)
    hinge = [np.maximum(0, 1 - np.array(r)) + np.maximum(0, 1 + np.array(f)) for r, f in zip(*LOGITS.values())]
    value, aux = d_loss({}, vars, made, batch, jax.random.split(contract.KEY, 1))
    np.testing.assert_allclose(value, np.mean([each.mean() for each in hinge]), rtol=1e-6)
    np.testing.assert_allclose(aux.metrics["margin"], np.mean([(-0.6 + 0.75), 1.75]), rtol=1e-5)


def test_each_weight_at_zero_takes_its_term_away():
    batch = {"source": jnp.zeros((1, 2, 2), jnp.int32), "target": jnp.full((1, 2, 2, 1), 0.5)}
    vars, rng = {"d": {}, "frozen": {"own": NETWORK.params}}, jax.random.split(contract.KEY, 1)
    off = {"feature_weight": 0.0, "perceptual_weight": 0.0, "kl_weight": 0.0}
    terms = {"feature_weight": "features", "perceptual_weight": "perceptual", "kl_weight": "kl"}
    for name, term in terms.items():
        config = contract.config("spade", **{**off, name: 1.0})
        _, g_loss = spade._losses(config, fixed, NETWORK)
        value, aux = g_loss({}, vars, (jnp.full((1, 2, 2, 1), 0.25), STYLE), batch, rng)
        times = config.batch_size if term == "kl" else 1
        np.testing.assert_allclose(value, times * aux.metrics[term] + 0.25, rtol=1e-6)  # 0.25: the game's part


def test_no_slope_goes_through_the_real_pictures():
    """Neither of feature matching nor of the perceptual distance; both have one through the fakes."""

    def judge(params, vars, batch, y, rng):
        return [Judged(y[..., 0], (y,))], {}

    config = contract.config("spade", encoder=False)
    _, g_loss = spade._losses(config, judge, NETWORK)
    vars, rng = {"d": {}, "frozen": {"own": NETWORK.params}}, jax.random.split(contract.KEY, 1)

    def loss(real, fake):
        return g_loss({}, vars, (fake, None), {"target": real}, rng)[0]

    real, fake = jnp.full((1, 2, 2, 1), 0.5), jnp.full((1, 2, 2, 1), 0.25)
    slopes = jax.grad(loss, argnums=(0, 1))(real, fake)
    assert not np.asarray(slopes[0]).any()
    assert np.asarray(slopes[1]).all()


# Oracle: an integral over a grid.
def test_the_divergence_of_a_style():
    x = np.linspace(-20, 20, 20001)
    normal = lambda mean, variance: np.exp(-((x - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)  # noqa: E731
    p, q = normal(0.7, np.exp(-1.2)), normal(0.0, 1.0)
    inside = p > 0
    wanted = np.trapezoid(np.where(inside, p * np.log(np.where(inside, p, 1) / q), 0), x)
    found = kl_to_normal(jnp.array([[0.7], [0.0]]), jnp.array([[-1.2], [0.0]]))
    np.testing.assert_allclose(found, [wanted, 0], rtol=1e-5, atol=1e-7)


def test_what_the_classifier_of_clothes_sees_on_the_way():
    """Oracle: its features are the means of its last layer, a 1x1 convolution of the fifth of these."""
    x = jnp.asarray(np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1)), jnp.float32)
    params = fashion_cnn().params
    found = jax.jit(layers)(params, x)
    assert [each.shape[1:] for each in found] == [(28, 28, 24), *[(14, 14, 48)] * 2, *[(7, 7, 96)] * 2]
    kernels, stats = params["params"], params["batch_stats"]["BatchNorm_5"]
    scale, bias = (kernels["BatchNorm_5"][name] for name in ("scale", "bias"))
    joined = found[3] + found[4]
    h = joined @ kernels["Conv_5"]["kernel"][0, 0]
    h = np.maximum((h - stats["mean"]) / np.sqrt(stats["var"] + 1e-5) * scale + bias, 0).mean((1, 2))
    np.testing.assert_allclose(fashion_cnn().apply(params, x)["features"], h, rtol=1e-3, atol=1e-3)


def test_which_network_compares_pictures():
    grey, colour = fields.image(28, 28, 1), fields.image(28, 28, 3)
    found = feature_network("auto", grey)
    assert (found.name, found.weights, found.params) == ("fashion-cnn", WEIGHTS, fashion_cnn().params)
    assert feature_network("auto", colour) is feature_network("none", grey) is None
    assert feature_network("auto", fields.image(96, 96, 1)) is None
    assert feature_network("fashion-cnn", colour).name == "fashion-cnn"
    with pytest.raises(UserError, match="--perceptual fashion-cnn takes pictures of 1 or 3 channels, got 4"):
        feature_network("fashion-cnn", fields.image(28, 28, 4))
    x = jnp.linspace(-1, 1, 28 * 28).reshape(1, 28, 28, 1)
    assert perceptual(found, found.params, x, x) == 0 < perceptual(found, found.params, x, -x)


def test_a_network_of_ones_own_takes_the_place_of_the_bundled_one():
    config = contract.config("spade", perceptual="none")
    system = spade.build(config, contract.MAPS, network=NETWORK)
    chex.assert_trees_all_equal(system.frozen(), {"own": NETWORK.params})
    assert spade.build(config, contract.MAPS).frozen is None
    state = with_frozen(jax.eval_shape(system.init, contract.KEY), system.frozen())
    _, metrics = jax.eval_shape(system.step, state, fields.shapes(system.batch, 16), contract.KEY)
    assert {"features", "perceptual", "kl"} <= {name.rpartition("/")[2] for name in metrics}


def test_instances_reach_both_players():
    """Their edges are one more plane of the map."""
    spec = {**contract.MAPS, "instance": Field("label_map", (8, 8), ("0", "1", "2"))}
    plain, with_edges = (contract.build("spade", spec=each) for each in (contract.MAPS, spec))
    shapes = [jax.eval_shape(each.init, contract.KEY).players for each in (plain, with_edges)]
    first = [
        (each["g"].params["generator"]["head_0"]["norm_0"]["shared"]["kernel"].shape[2],
         each["d"].params["scale0"]["conv0"]["kernel"].shape[2])
        for each in shapes
    ]  # fmt: skip
    assert first == [(3, 4), (4, 5)]
    assert list(with_edges.verbs["translate"].given) == ["source", "instance"]


def test_maps_of_any_size_without_a_style_and_of_one_with_it():
    case = contract.case("spade/colour")
    verb = case.system.verbs["translate"]
    given = {"source": jax.ShapeDtypeStruct((2, 11, 14), jnp.int32)}
    made = jax.eval_shape(verb, case.after, given, jax.random.split(contract.KEY, 2))
    assert made["target"].shape == (2, 11, 14, 3)
    assert set(case.system.verbs) == {"translate"}
    styled = contract.case("spade").system.verbs
    assert styled["translate"].given["source"].shape == (8, 8)
    assert list(styled["restyle"].given) == ["source", "style"]


def test_a_map_has_several_pictures_by_their_keys():
    case = contract.case("spade")
    given = {"source": jnp.zeros((contract.ROWS, 8, 8), jnp.int32).at[:, 2:5].set(1)}
    made = case.runs["translate"](case.after, given, contract.keys(3))["target"]
    assert not np.allclose(made[0], made[1])


def test_a_map_of_another_size_than_its_picture_is_one_sentence():
    spec = {**contract.MAPS, "target": fields.image(8, 10, 1)}
    with pytest.raises(UserError, match="a map has the size of its picture, but source is 8x8 and target 8x10"):
        contract.build("spade", spec=spec)
