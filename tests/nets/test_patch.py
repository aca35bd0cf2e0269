import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.nets.patch import PatchDiscriminator, patches, receptive_field
from tests.nets.weights import compare, drawn

KEY = jax.random.key(0)


# Oracle: the published networks' counts.
@pytest.mark.parametrize(
    ("layers", "channels", "batch", "instance"),
    [
        (3, 3, 2_765_633, 2_764_737),
        (3, 6, 2_768_705, 2_767_809),
        (1, 6, 139_585, 139_457),
        (2, 6, 666_433, 666_049),
        (4, 6, 6_964_033, 6_962_625),
        (5, 6, 11_159_361, 11_157_441),
        (0, 3, 8_832, 8_705),
        (0, 6, 9_024, 8_897),
    ],
)
def test_parameter_counts(layers, channels, batch, instance):
    for norm, count in {"batch": batch, "instance": instance, "none": instance}.items():
        net = PatchDiscriminator(layers=layers, norm=norm)
        made = jax.eval_shape(lambda net=net: net.init(KEY, jnp.zeros((1, 128, 128, channels)), train=True))
        assert sum(leaf.size for leaf in jax.tree.leaves(made["params"])) == count


# Oracle: PyTorch, golden.
@pytest.mark.parametrize(("layers", "norm", "width"), [(3, "batch", 2), (3, "instance", 2), (0, "batch", 4)])
def test_outputs_of_an_independent_implementation(layers, norm, width):
    compare(PatchDiscriminator(width, layers, norm), f"patch{layers}_{norm}")


# Oracle: the gradient of one logit, which is not zero exactly where the logit sees the image.
@pytest.mark.parametrize(("layers", "pixels"), [(0, 1), (1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_the_receptive_field_by_gradient(layers, pixels):
    net = PatchDiscriminator(width=1, layers=layers, norm="none")
    side = pixels + 2 ** (layers + 2)  # the middle logit's patch lies inside
    row = patches(side, side, layers)[0] // 2
    x = jnp.asarray(np.ones((1, side, side, 1), np.float32))
    # Weights of one sign, so that no path cancels another.
    variables = jax.tree.map(lambda leaf: np.abs(leaf) + 0.1, drawn(net, x, train=True))
    slope = jax.jit(jax.grad(lambda x: net.apply(variables, x, train=True)[0, row, row]))(x)
    rows, columns = (np.flatnonzero(np.asarray(slope)[0, :, :, 0].any(axis)) for axis in (1, 0))
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (pixels, pixels)
    assert receptive_field(layers) == pixels


# Oracle: the published receptive fields.
def test_receptive_fields():
    assert [receptive_field(layers) for layers in range(6)] == [1, 16, 34, 70, 142, 286]


# Oracle: the shapes themselves, and the published ones at 256 pixels.
def test_how_many_patches():
    assert [patches(256, 256, layers)[0] for layers in range(1, 6)] == [126, 62, 30, 14, 6]
    for layers, size in {0: (5, 3), 1: (6, 9), 2: (13, 28), 3: (31, 24)}.items():
        net = PatchDiscriminator(width=1, layers=layers)
        logits = jax.eval_shape(lambda: net.init_with_output(KEY, jnp.zeros((2, *size, 1)), train=True)[0])  # noqa: B023
        assert logits.shape == (2, *patches(*size, layers))


def test_an_image_without_a_whole_patch():
    with pytest.raises(UserError, match="3 halvings takes images of at least 24 pixels a side, got 28x23"):
        PatchDiscriminator().init(KEY, jnp.zeros((1, 28, 23, 1)), train=True)


# Oracle: each image alone.
@pytest.mark.parametrize("norm", ["instance", "none"])
def test_without_batch_normalisation_no_image_looks_at_others(norm):
    net = PatchDiscriminator(width=2, layers=1, norm=norm, dtype=jnp.bfloat16)
    x = jax.random.normal(KEY, (3, 8, 8, 1))
    variables = drawn(net, x, train=True)
    assert set(variables) == {"params"}
    run = jax.jit(lambda x: net.apply(variables, x, train=True))
    logits, turned = run(x), run(x.at[0].multiply(-2))
    assert logits.dtype == jnp.float32
    assert (logits[0] != turned[0]).any()
    np.testing.assert_array_equal(logits[1:], turned[1:])
