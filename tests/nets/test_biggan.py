"""BigGAN, BigGAN-deep, SAGAN. Values are compared with the public code in tests/commands/test_import_biggan.py."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.nets.big_layers import Layers
from jaxgan.nets.biggan import BigGANDiscriminator, BigGANGenerator, DownBlock, multiples, parts, sides
from jaxgan.nets.biggan_deep import DeepDiscriminator, DeepGenerator

KEY = jax.random.key(0)
BIG, SMALL = (128, 128, 3), (32, 32, 3)
SAGAN = {"classes": 1000, "embedding": 0, "attention": (32,)}


def count(net, shape, labelled=True):
    label = jnp.zeros(2, jnp.int32) if labelled else None
    made = jax.eval_shape(lambda: net.init(KEY, jnp.zeros((2, *shape)), label, train=True))
    return sum(leaf.size for leaf in jax.tree.leaves(made["params"]))


# Oracle: counts of the public PyTorch code's networks, instantiated (shared/facts: nothing of theirs is run here).
@pytest.mark.parametrize(
    ("net", "shape", "parameters"),
    [
        (BigGANGenerator(BIG, classes=1000), (120,), 70_433_988),
        (BigGANDiscriminator(classes=1000), BIG, 87_982_370),
        (BigGANGenerator((256, 256, 3), classes=1000), (140,), 82_235_844),
        (BigGANDiscriminator(classes=1000, attention=(128,)), (256, 256, 3), 99_191_330),
        (DeepGenerator(BIG, classes=1000), (128,), 50_244_484),
        (DeepDiscriminator(classes=1000), BIG, 34_590_210),
        (BigGANGenerator(BIG, 64, **SAGAN), (128,), 42_078_852),
        (BigGANDiscriminator(64, classes=1000, attention=(32,)), BIG, 39_463_618),
        (BigGANGenerator(SMALL, 64, classes=10, embedding=0, attention=()), (128,), 4_304_387),
        (BigGANDiscriminator(64, classes=10, attention=()), SMALL, 4_207_361),
    ],
    ids=lambda x: str(x) if isinstance(x, int) else "",
)
def test_parameters_are_as_many_as_the_published(net, shape, parameters):
    assert count(net, shape) == parameters


# Oracle: by hand: without classes the shared table goes, and its 7 columns of every map (gain and bias) with it.
def test_without_classes_the_latent_parts_do_it_alone():
    with_, without = (
        count(BigGANGenerator((8, 8, 1), 8, "doubling", classes, 7, ()), (6,), bool(classes)) for classes in (5, 0)
    )
    assert with_ - without == 5 * 7 + 2 * 7 * (16 + 8)


def test_layouts_agree_where_both_papers_have_128_pixels_and_doubling_takes_any():
    assert [list(each) for each in multiples("published", 5)] == list(multiples("doubling", 5))
    assert multiples("doubling", 2) == ([4, 2, 1], [1, 2, 4])
    with pytest.raises(UserError, match=r"doubled 3 to 6 times, .*, got 2; --layout doubling takes any"):
        multiples("published", 2)


# Oracle: sides by hand; the paper's D of 32 pixels ends at 8.
def test_sides_of_features():
    assert sides("doubling", 28, 56) == ([14, 28], [14, 7])
    assert sides("published", 32, 32) == ([8, 16, 32], [16, 8])


def test_sizes_that_do_not_go_name_those_that_do():
    with pytest.raises(UserError, match=r"image size 30x30 does not suit this network.* 28x28 and 32x32"):
        jax.eval_shape(lambda: BigGANGenerator((30, 30, 1)).init(KEY, jnp.zeros((1, 120)), train=True))
    with pytest.raises(UserError, match=r"--z-dim is cut into 3 parts .* multiple of 3 \(9 or 12\), got 10"):
        parts(jnp.zeros((1, 10)), 3)


# Oracle: the block's definition, without a ReLU in front of the first: with convolutions of zeros, the shortcut alone.
@pytest.mark.parametrize("first", [True, False])
def test_the_first_block_sees_the_dark_half_of_an_image(first):
    block = DownBlock(3, True, first, Layers("glorot", 1e-6, jnp.float32, True))
    x = -jax.random.uniform(KEY, (1, 4, 4, 2))
    params = block.init(KEY, x)["params"]
    marked = {**params, "conv1": {**params["conv1"], "bias": jnp.ones(3)}}
    made = block.init_with_output(KEY, x)[1]["spectral"]
    run = lambda x, p: np.asarray(block.apply({"params": p, "spectral": made}, x, mutable=["spectral"])[0])  # noqa: E731
    shortcut = {**marked, "conv0": jax.tree.map(jnp.zeros_like, params["conv0"])}
    inner = run(x, marked) - run(x, shortcut)
    assert (np.abs(inner).max() > 1e-3) == first


# Oracle: the definition: fewer channels are the first ones, and more are joined by a convolution of the same image.
def test_deep_blocks_drop_and_join_channels():
    g = DeepGenerator((8, 8, 1), 8, "doubling", attention=())
    d = DeepDiscriminator(8, "doubling", attention=())
    up = jax.eval_shape(lambda: g.init(KEY, jnp.zeros((1, 6)), train=True))["params"]
    down = jax.eval_shape(lambda: d.init(KEY, jnp.zeros((1, 8, 8, 1)), train=True))["params"]
    assert "shortcut" not in up["block0_1"]
    assert up["block0_1"]["conv3"]["kernel"].shape == (1, 1, 4, 8)
    assert down["block0_0"]["shortcut"]["kernel"].shape == (1, 1, 8, 8)
