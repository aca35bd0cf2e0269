"""Super-resolution in two stages. Each test names its oracle."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import fields
from jaxgan.errors import UserError
from jaxgan.game import variables, with_frozen
from jaxgan.layers.bicubic import shrink
from jaxgan.losses import adversarial
from jaxgan.metrics.seen_by import perceptual
from jaxgan.recipes import esrgan, srgan
from jaxgan.recipes.common import superres
from tests.recipes import contract

KEY = jax.random.key(3)
TINY = {"g_width": 3, "blocks": 0, "d_width": 2, "halvings": 1, "batch_size": 4, "steps": 6, "pixel_steps": 2}


def tiny(recipe, **changes):
    own = {"d_units": 3} if recipe is srgan else {}
    return recipe.Config(**{**TINY, **own, **changes})


def started(recipe, config, spec=contract.PHOTOGRAPHS):
    """The last state of the first stage, made up, and the game's first one."""
    pixels, game = recipe.build_pixels(config, spec), recipe.build(config, spec)
    before = jax.jit(pixels.init)(KEY)
    g = before.players["g"]
    g = dataclasses.replace(g, params=jax.tree.map(lambda x: x + 1, g.params), ema=jax.tree.map(lambda x: x - 1, g.ema))
    before = dataclasses.replace(before, players={"g": g})
    fresh = jax.jit(game.init)(jax.random.key(4))
    return before, fresh, game


def same(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


# Oracle: the rule in words: the average goes on, and is kept; Adam and the step begin anew.
def test_the_game_begins_at_the_average_of_the_first_stage():
    before, fresh, game = started(srgan, tiny(srgan))
    state = superres.begin(before, fresh)
    g, average = state.players["g"], before.players["g"].ema
    same((g.params, g.ema, state.extras["pixels"]["params"]), (average,) * 3)
    same((g.opt_state, state.players["d"], state.step), (fresh.players["g"].opt_state, fresh.players["d"], fresh.step))
    assert [stage.name for stage in srgan.stages(game.config)] == ["pixels", "game"]
    assert srgan.stages(game.config)[0].until == 2
    assert [stage.name for stage in srgan.stages(tiny(srgan, pixel_steps=0))] == ["game"]


def test_without_an_average_the_game_begins_at_the_parameters():
    config = tiny(esrgan, ema_halflife_kimg=0.0)
    pixels, game = (build(config, contract.PHOTOGRAPHS) for build in (esrgan.build_pixels, esrgan.build))
    before, fresh = (jax.jit(system.init)(key) for system, key in ((pixels, KEY), (game, jax.random.key(4))))
    state = superres.begin(before, fresh)
    same(state.players["g"].params, before.players["g"].params)
    assert state.players["g"].ema is None


# Oracle: the network at parameters mixed by hand; 0 is the first stage's picture, 1 the second's.
def test_pictures_are_made_with_networks_between_the_two():
    config = tiny(esrgan)
    before, fresh, _ = started(esrgan, config)
    state = superres.begin(before, fresh)
    g = dataclasses.replace(state.players["g"], ema=jax.tree.map(lambda x: x + 0.5, state.players["g"].ema))
    state = dataclasses.replace(state, players={**state.players, "g": g})
    x = jax.random.uniform(KEY, (1, 5, 6, 3), minval=-1)
    keys = jax.random.split(KEY, 1)
    for share in (0.0, 0.25, 1.0):
        system = esrgan.build(dataclasses.replace(config, interpolate=share), contract.PHOTOGRAPHS)
        first, second = state.extras["pixels"]["params"], g.ema
        mixed = jax.tree.map(lambda a, b, s=share: (1 - s) * a + s * b, first, second)
        network = esrgan._parts(config, contract.PHOTOGRAPHS, None).networks.G
        wanted = np.clip(2 * network.apply({"params": mixed}, (x + 1) / 2, train=False) - 1, -1, 1)
        made = system.verbs["translate"](state, {"source": x}, keys)["target"]
        np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=1e-5)
    with pytest.raises(UserError, match="--interpolate below 1 takes a first stage, but --pixel-steps is 0"):
        esrgan.build(tiny(esrgan, interpolate=0.5, pixel_steps=0), contract.PHOTOGRAPHS)


# Oracle: the papers' equations, written here from logits, pictures and feature maps.
@pytest.mark.parametrize(("recipe", "distance"), [(srgan, "maps"), (esrgan, "maps"), (srgan, "directions")])
def test_the_generators_loss_is_that_of_the_paper(recipe, distance):
    how = {"features": "random", "feature_distance": distance, "learning_rate": 1e-9}  # D moves first: hardly
    config = tiny(recipe, perceptual_weight=0.7, gan_weight=0.2, pixel_weight=0.3, **how)
    parts = recipe._parts(config, contract.PHOTOGRAPHS, None)
    system = recipe.build(config, contract.PHOTOGRAPHS)
    state = with_frozen(jax.jit(system.init)(KEY), system.frozen())
    batch = contract.batch_of(system)
    _, metrics = jax.jit(system.step)(state, batch, KEY)

    sides = adversarial_sides()

    def wanted(state, y):
        made = 2 * parts.networks.G.apply(state.players["g"].variables(), (shrunk(y) + 1) / 2, train=True) - 1
        d = {name: player.params for name, player in state.players.items()}
        judge = variables(d, {"d": state.players["d"].vars}, "d")
        logits = [parts.networks.D.apply(judge, each, train=True, mutable=["batch_stats"])[0] for each in (made, y)]
        network = perceptual.named("random")
        maps = [network.maps(network.params, each) for each in (made, y)]
        if recipe is srgan:
            pixels, game = jnp.square(made - y).mean(), jax.nn.softplus(-logits[0]).mean()
            seen = [jnp.square(jax.nn.relu(a) - jax.nn.relu(b)).mean() for a, b in zip(*maps, strict=True)]
        else:
            pixels = jnp.abs(made - y).mean()
            apart = [logits[0] - logits[1].mean(), logits[1] - logits[0].mean()]
            game = jax.nn.softplus(-apart[0]).mean() + jax.nn.softplus(apart[1]).mean()
            game /= sides
            seen = [jnp.abs(a - b).mean() for a, b in zip(*maps, strict=True)]
        if distance == "directions":
            seen = [perceptual.turned(a, b).mean() for a, b in zip(*maps, strict=True)]
        return 0.2 * game + 0.3 * pixels + 0.7 * jnp.stack(seen).mean()

    def shrunk(y):
        return jnp.clip(jnp.rint((shrink(y, 2) + 1) * 127.5), 0, 255) / 127.5 - 1

    np.testing.assert_allclose(metrics["g/loss"], jax.jit(wanted)(state, batch["target"]), rtol=2e-3)


def adversarial_sides():
    """By what the two sides of the relativistic game are divided: asked of the loss itself at equal logits."""
    zero = jnp.zeros(2)
    game = adversarial.relativistic_average(adversarial.non_saturating_gan)
    return 2 * np.log(2) / float(adversarial.mean(game.g(zero, zero)))


# Oracle: MATLAB's filter, which tests/layers/test_bicubic.py holds to its own oracle, rounded to 8 bits.
def test_rows_of_the_data_get_their_small_picture():
    system = srgan.build(tiny(srgan), contract.PHOTOGRAPHS)
    stored = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    derived = system.derives["source"]
    assert derived.field == fields.image(8, 8, 3)
    wanted = np.clip(np.rint(np.asarray(shrink(jnp.float32(stored[None]), 2))[0]), 0, 255)
    assert np.abs(derived.make(stored).astype(int) - wanted).max() <= 1  # where half a level is rounded
    assert np.mean(derived.make(stored) != wanted) < 0.01


def test_bad_input_is_one_sentence():
    odd = {"target": fields.image(18, 16, 3)}
    with pytest.raises(UserError, match=r"--scale 4 takes pictures whose sides are multiples of it, got 18x16; --im"):
        srgan.build(tiny(srgan, scale=4), odd)
    with pytest.raises(UserError, match="halves pictures 5 times and takes 32 pixels a side or more, got 16x16"):
        jax.eval_shape(srgan.build(tiny(srgan, halvings=5), contract.PHOTOGRAPHS).init, KEY)
    with pytest.raises(UserError, match="--perceptual-weight above 0 takes pictures with 1 or 3 channels, got 4"):
        srgan.build(tiny(srgan), {"target": fields.image(16, 16, 4)})
    with pytest.raises(UserError, match="sides are multiples of 8, got 12x12"):
        esrgan.build(tiny(esrgan, discriminator="unet"), {"target": fields.image(12, 12, 3)})
    with pytest.raises(UserError, match=r"--features takes fashion-cnn, random or the file of .*, got none\.pth"):
        srgan.build(tiny(srgan, features="none.pth"), contract.PHOTOGRAPHS)
