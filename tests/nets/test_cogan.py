import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.nets.cogan import CoupledDiscriminator, CoupledGenerator
from jaxgan.nets.infogan import InfoGANDiscriminator
from tests.nets.weights import drawn

KEY = jax.random.key(0)
DENSE = {"dense0", "dense1"}
Z = jnp.asarray(np.random.default_rng(1).normal(size=(3, 5)), jnp.float32)


def _images(side=8, channels=(1, 1), rows=3):
    rng = np.random.default_rng(2)
    made = [rng.uniform(-1, 1, (rows, side, side, each)).astype(np.float32) for each in channels]
    return dict(zip("ab", map(jnp.asarray, made)))


def _shapes(net, *args):
    return jax.eval_shape(lambda: net.init_with_output(KEY, *args, train=True))


# Oracle: the definition: the first layers of G and the last of D have no domain.
@pytest.mark.parametrize(
    ("own", "g", "d"),
    [
        (1, {"shared0", "shared1", "shared2", "a0", "b0"}, {"a0", "b0", "shared1", "shared2"}),
        (3, {"shared0", "a0", "a1", "a2", "b0", "b1", "b2"}, {"a0", "a1", "a2", "b0", "b1", "b2"}),
    ],
)
def test_which_layers_are_shared(own, g, d):
    images, made_g = _shapes(CoupledGenerator((32, 32), (1, 3), width=2, own=own), Z)
    assert {domain: x.shape for domain, x in images.items()} == {"a": (3, 32, 32, 1), "b": (3, 32, 32, 3)}
    logits, made_d = _shapes(CoupledDiscriminator(width=2, own=own), _images(32, (1, 3)))
    assert {domain: x.shape for domain, x in logits.items()} == {"a": (3,), "b": (3,)}
    assert set(made_g["params"]) == g | DENSE
    assert set(made_d["params"]) == d | DENSE


# Oracle: sizes by hand: 16 is 4 doubled twice, 4 x 4 pixels of 2 * 2 channels; the joint layer has three.
def test_the_pictures_are_read_from_a_few_joint_channels():
    _, made = _shapes(CoupledGenerator((16, 16), (1, 2), width=2, units=6, joint=3), Z)
    leaves = jax.tree_util.tree_flatten_with_path(made["params"])[0]
    kernels = {path[0].key: leaf.shape for path, leaf in leaves if path[-1].key == "kernel"}
    assert kernels == {
        "dense0": (5, 6),
        "dense1": (6, 4 * 4 * 4),
        "shared0": (4, 4, 4, 2),
        "shared1": (4, 4, 2, 3),
        "a0": (5, 5, 3, 1),
        "b0": (5, 5, 3, 2),
    }


# Oracle: InfoGAN's discriminator, whose Q the coupled one lacks.
def test_each_domain_has_the_parameters_of_a_discriminator_of_infogan():
    _, coupled = _shapes(CoupledDiscriminator(width=2, units=6), _images(16))
    _, one = _shapes(InfoGANDiscriminator(2, 1, width=2, units=6), _images(16)["a"])
    guess = ("q", "q_hidden", "BatchNorm_2")
    theirs = [leaf.shape for name, tree in one["params"].items() if name not in guess for leaf in jax.tree.leaves(tree)]
    for other in "ab":
        layers = [tree for name, tree in coupled["params"].items() if not name.startswith(other)]
        assert sorted(leaf.shape for leaf in jax.tree.leaves(layers)) == sorted(theirs)


# Oracle: the chain rule: a domain's logits do not move the other's layers, and all others they do.
def test_a_domain_does_not_move_the_layers_of_the_other():
    d, images = CoupledDiscriminator(width=2, norm="none"), _images(16)
    params = drawn(d, images, train=True)["params"]
    slopes = jax.jit(jax.grad(lambda params: d.apply({"params": params}, images, train=True)["b"].sum()))(params)
    moved = {name for name, layer in slopes.items() if all(np.asarray(leaf).any() for leaf in jax.tree.leaves(layer))}
    still = {
        name for name, layer in slopes.items() if not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(layer))
    }
    assert moved == {"b0", "shared1"} | DENSE
    assert still == {"a0"}


# Oracle: each domain judged by itself, with the same weights.
def test_one_domain_is_judged_as_both_are():
    d, images = CoupledDiscriminator(width=2, norm="none"), _images()
    variables = drawn(d, images, train=True)
    run = jax.jit(lambda images: d.apply(variables, images, train=True))
    both = run(images)
    assert set(variables) == {"params"}
    assert (both["a"] != both["b"]).all()
    for domain in "ab":
        (alone,) = run({domain: images[domain]}).values()
        np.testing.assert_allclose(alone, both[domain], atol=1e-6)


# Oracle: running means by hand: momentum 0.9, a's batch and then b's.
def test_shared_layers_see_the_statistics_of_both_domains():
    d, images = CoupledDiscriminator(width=2), _images(16)
    variables = drawn(d, images, train=True)
    variables["batch_stats"] = jax.tree.map(np.zeros_like, variables["batch_stats"])
    _, updated = jax.jit(lambda x: d.apply(variables, x, train=True, mutable=["batch_stats", "intermediates"],
                                           capture_intermediates=True))(images)  # fmt: skip
    a, b = (np.asarray(each).mean((0, 1, 2)) for each in updated["intermediates"]["shared1"]["Conv_0"]["__call__"])
    running = updated["batch_stats"]["shared1"]["BatchNorm_0"]["mean"]
    np.testing.assert_allclose(running, 0.09 * a + 0.1 * b, atol=1e-6)


# Oracle: the same weights: where the ends are equal, so are the pictures; else they are not.
def test_the_pictures_differ_by_their_ends_alone():
    g = CoupledGenerator((8, 8), width=2)
    variables = drawn(g, Z, train=False)
    run = jax.jit(lambda variables: g.apply(variables, Z, train=False))
    made = run(variables)
    assert float(jnp.abs(made["a"] - made["b"]).max()) > 1e-2
    assert 0 < float(jnp.abs(made["a"]).max()) <= 1
    variables["params"]["b0"] = variables["params"]["a0"]
    same = run(variables)
    np.testing.assert_array_equal(same["a"], same["b"])
    np.testing.assert_array_equal(same["a"], made["a"])


def test_labels_reach_conditional_networks():
    g, d = CoupledGenerator((8, 8), width=2, classes=3), CoupledDiscriminator(width=2, norm="none", classes=3)
    labels, z = jnp.arange(3), jnp.ones((3, 5))
    variables = drawn(g, z, labels, train=False)
    made = jax.jit(lambda labels: g.apply(variables, z, labels, train=False))(labels)
    assert len(np.unique(np.asarray(made["b"]).reshape(3, -1), axis=0)) == 3
    images = {domain: jnp.ones((3, 8, 8, 1)) for domain in "ab"}
    classes = {"a": labels, "b": labels[::-1]}
    variables = drawn(d, images, classes, train=True)
    judged = jax.jit(lambda classes: d.apply(variables, images, classes, train=True))
    logits = judged(classes)
    assert all(len(np.unique(each)) == 3 for each in logits.values())
    assert (judged({**classes, "a": labels[::-1]})["a"] == logits["a"][::-1]).all()
    with pytest.raises(UserError, match="no label"):
        _shapes(g, z)
    with pytest.raises(UserError, match="no label"):
        _shapes(d, images)


def test_what_networks_refuse():
    for own in (0, 3):
        with pytest.raises(UserError, match=f"1 to 2 layers of its own .* got own={own}"):
            _shapes(CoupledGenerator((28, 28), own=own), Z)
        with pytest.raises(UserError, match=f"1 to 2 layers of its own .* got own={own}"):
            _shapes(CoupledDiscriminator(own=own), _images(28))
    with pytest.raises(UserError, match="image size 29x28"):
        _shapes(CoupledGenerator((29, 28)), Z)
    with pytest.raises(UserError, match="of both, got c"):
        _shapes(CoupledDiscriminator(), {"c": _images()["a"]})
    with pytest.raises(UserError, match="made from images of a and b, got a alone"):
        _shapes(CoupledDiscriminator(), {"a": _images()["a"]})


# Oracle: dtypes by the documentation.
def test_bfloat16_inside_float32_outside():
    g, d = CoupledGenerator((8, 8), width=2, dtype=jnp.bfloat16), CoupledDiscriminator(width=2, dtype=jnp.bfloat16)
    made = _shapes(g, Z), _shapes(d, _images())
    assert {leaf.dtype for leaf in jax.tree.leaves(made)} == {jnp.dtype("float32")}
