"""Inception against torch-fidelity's network, on random weights that both sides make from a seed.

Golden values: experiments/goldens/make_inception_golden.py.
"""

import hashlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.inception import inception
from jaxgan.metrics.inception.net import NET_2015, NET_TORCHVISION
from jaxgan.metrics.inception.params import random_state, state_shapes, variables_from_state

SEED = 7
TAPS = {"64": 64, "192": 192, "768": 768, "features": 2048, "logits": 1008, "logits_biased": 1008, "spatial": 2023}


@pytest.fixture(scope="module")
def golden():
    with np.load(Path(__file__).parents[1] / "fixtures" / "inception_golden.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def params():
    return variables_from_state(NET_2015, random_state(NET_2015, SEED), "the random state")


@pytest.fixture(scope="module")
def features(golden, params):
    extractor = inception.inception_2015(params, "")
    return jax.device_get(jax.jit(extractor.apply)(extractor.params, golden["images"]))


@pytest.fixture(scope="module")
def torchvision(golden):
    state = random_state(NET_TORCHVISION, SEED) | {
        "AuxLogits.fc.weight": np.zeros((1000, 768), np.float32),
        "Conv2d_1a_3x3.bn.num_batches_tracked": np.zeros((), np.int64),
    }
    extractor = inception.inception_torchvision(variables_from_state(NET_TORCHVISION, state, "x"), "")
    return jax.device_get(jax.jit(extractor.apply)(extractor.params, golden["images"][:2]))


def distance(ours, theirs):
    """Largest relative distance of an image's features."""
    assert ours.shape == theirs.shape
    return float((np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1)).max())


@pytest.mark.parametrize("tap", TAPS)
def test_features_are_those_of_torch_fidelity(golden, features, tap):
    theirs = golden[f"2015/{tap}"]
    assert distance(features[tap], theirs) < 1e-5
    # Random features differ little between images: what differs is compared by itself.
    assert distance(features[tap] - features[tap].mean(0), theirs - theirs.mean(0)) < 1e-3


def test_every_tap_has_its_size(features):
    assert {tap: value.shape for tap, value in features.items()} == {tap: (4, size) for tap, size in TAPS.items()}
    assert {value.dtype for value in features.values()} == {np.dtype("float32")}


@pytest.mark.parametrize("tap", ["features", "logits_biased"])
def test_torchvisions_variant_is_the_one_with_its_pooling(golden, torchvision, tap):
    assert distance(torchvision[tap], golden[f"torchvision/{tap}"]) < 1e-5


def equations(jaxpr):
    """All equations of a program, of the programs inside it too."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda value: hasattr(value, "eqns")):
            if hasattr(inner, "eqns"):
                yield from equations(getattr(inner, "jaxpr", inner))


@pytest.mark.parametrize(("precision", "dtype"), [("float32", jnp.float32), ("bfloat16", jnp.bfloat16)])
def test_the_precision_of_every_product_is_set(params, precision, dtype):
    extractor = inception.inception_2015(params, "ab" * 32, "clean", precision)
    images = jax.ShapeDtypeStruct((2, 64, 48, 1), jnp.uint8)
    program = jax.make_jaxpr(extractor.apply)(extractor.params, images)
    products = [e for e in equations(program.jaxpr) if e.primitive.name in ("dot_general", "conv_general_dilated")]
    assert len(products) >= 94 + 3
    highest = jax.lax.Precision.HIGHEST
    assert {e.params["precision"] for e in products} <= {highest, (highest, highest)}
    convolved = {e.invars[0].aval.dtype for e in products if e.primitive.name == "conv_general_dilated"}
    assert convolved == {np.dtype(dtype)}
    assert {aval.dtype for aval in program.out_avals} == {np.dtype("float32")}
    assert extractor[:4] == ("inception-2015", "ab" * 32, "clean", precision)


def test_extractors_of_one_form_share_their_function(params):
    assert inception.inception_2015(params, "a").apply is inception.inception_2015(params, "b").apply
    assert inception.inception_2015(params, "a").apply is not inception.inception_2015(params, "a", "clean").apply


def test_the_random_extractor_says_what_it_is():
    extractor = inception.random_inception(3)
    assert extractor[:4] == ("random-inception-3", "", "legacy", "float32")
    assert {leaf.dtype for leaf in jax.tree.leaves(extractor.params)} == {np.dtype("float32")}


def test_random_weights_are_the_same_everywhere():
    """Oracle: the digest where the golden values were made; without it a change of them would look like one of ours."""
    digest = hashlib.sha256()
    for name, array in sorted(random_state(NET_2015, SEED).items()):
        digest.update(name.encode() + array.tobytes())
    assert digest.hexdigest() == "c5bc81fc2e5cfb5d8a965f8d619a18062f7061f1f1a8630f1dbbbc39ce333cc7"


def test_the_table_has_the_published_entries():
    """Oracle: 566 published entries, of which 94 count batches; torchvision's 27,161,264 parameters less its auxiliary
    classifier's 3,326,696, and eight classes more."""
    shapes = state_shapes(NET_2015)
    assert len(shapes) == 566 - 94
    learned = [shape for name, shape in shapes.items() if "running" not in name]
    assert sum(int(np.prod(shape)) for shape in learned) == 27_161_264 - 3_326_696 + 8 * 2049
    assert shapes["Conv2d_1a_3x3.conv.weight"] == (32, 3, 3, 3)
    assert shapes["Mixed_6b.branch7x7_2.conv.weight"] == (128, 128, 1, 7)
    assert shapes["fc.weight"] == (1008, 2048)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"fc.bias": None}, "it lacks fc.bias"),
        ({"fc.weight": np.zeros((1000, 2048), np.float32)}, r"fc.weight is float32 of shape \(1000, 2048\)"),
        ({"fc.bias": np.zeros(1008, np.int32)}, "fc.bias is int32"),
        ({"head.weight": np.zeros(1, np.float32)}, "it has head.weight"),
    ],
)
def test_a_state_of_another_network_is_refused(change, sentence):
    shapes = state_shapes(NET_2015)
    state = {name: np.broadcast_to(np.float32(0), shape) for name, shape in shapes.items()} | change
    state = {name: array for name, array in state.items() if array is not None}
    with pytest.raises(UserError, match=f"weights.pth does not hold Inception v3 with 1008 classes: {sentence}"):
        variables_from_state(NET_2015, state, "weights.pth")


def test_what_cannot_be_is_refused(params):
    # Typed callers cannot pass these; the command line can.
    with pytest.raises(UserError, match="resize takes legacy or clean, got 'bicubic'"):
        inception._check("resize", "bicubic", ("legacy", "clean"))
    with pytest.raises(UserError, match="images of 1 or 3 channels, got 2"):
        jax.eval_shape(inception.inception_2015(params, "").apply, params, jnp.zeros((1, 8, 8, 2)))
