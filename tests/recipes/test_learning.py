"""GANs that learn within seconds: the eight modes of a ring, and closer statistics on the bundled images."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxgan import data, fields, recipes
from jaxgan.game import Aux, Ema, Move, Round, adam, init_state, make_train_step, normal, variables
from jaxgan.losses import adversarial
from jaxgan.nets.mlp import MLPDiscriminator, MLPGenerator

ANGLES = np.arange(8) * np.pi / 4
CENTRES = np.stack([np.cos(ANGLES), np.sin(ANGLES)], -1)
STD = 0.05


def ring(key, n):
    which, noise = jax.random.split(key)
    points = jnp.asarray(CENTRES)[jax.random.randint(which, (n,), 0, 8)] + STD * jax.random.normal(noise, (n, 2))
    return points.reshape(n, 1, 1, 2)


def original_game():
    """`train(seed) -> samples` with the engine's step in one scan."""
    G, D = MLPGenerator((1, 1, 2), (64, 64)), MLPDiscriminator((64, 64))
    loss = adversarial.non_saturating_gan

    def play(params, vars, batch, rng):
        return 2 * G.apply(variables(params, vars, "g"), normal(rng, (32,))), Aux()

    def d_loss(params, vars, x_fake, batch, rng):
        real, fake = (D.apply(variables(params, vars, "d"), x) for x in (batch, x_fake))
        return loss.d(real, fake).mean(), Aux()

    def g_loss(params, vars, x_fake, batch, rng):
        return loss.g(D.apply(variables(params, vars, "d"), x_fake)).mean(), Aux()

    rounds = (Round(play=play, moves=(Move("d", d_loss), Move("g", g_loss))),)
    # Without the warm-up about one seed in five loses its way in the first steps; with momentum one in twenty.
    rate = optax.schedules.warmup_constant_schedule(0.0, 1e-3, 300)
    optimizers, ema = {"g": adam(rate, b1=0.0), "d": adam(rate, b1=0.0)}, {"g": Ema(5.0)}
    step = make_train_step(rounds, optimizers, ema=ema)

    def train(seed):
        g_key, d_key, data_key, rng, z_key = jax.random.split(jax.random.key(seed), 5)
        players = {"g": G.init(g_key, jnp.ones((1, 32))), "d": D.init(d_key, jnp.ones((1, 1, 1, 2)))}

        def one(state, t):
            return step(state, ring(jax.random.fold_in(data_key, t), 256), rng)[0], None

        state, _ = jax.lax.scan(one, init_state(rounds, optimizers, players, ema=ema), jnp.arange(3000))
        z = jax.random.normal(z_key, (2000, 32))
        return 2 * G.apply(state.players["g"].variables(averaged=True), z).reshape(-1, 2)

    return train


def test_the_original_game_covers_the_modes_of_a_ring():
    """Four seeds at once; a mode counts when it gets 2 % or more of the samples within four deviations.

    An unregularised GAN may miss a mode or two, and which seed does depends on the machine's rounding: of 24 runs
    (12 seeds, two versions of JAX) twelve found all eight modes, ten seven and two six.
    """
    samples = np.asarray(jax.jit(jax.vmap(original_game()))(jnp.arange(4)))
    distance = np.linalg.norm(samples[:, :, None] - CENTRES, axis=-1)
    near = distance.min(-1) < 4 * STD
    modes = [
        (np.bincount(d.argmin(-1)[n], minlength=8) >= 0.02 * n.size).sum() for d, n in zip(distance, near, strict=True)
    ]
    assert np.mean(modes) >= 6, modes
    assert np.median(near.mean(-1)) > 0.7, near.mean(-1)


def feature_distance(x, y):
    """Squared distance of means and of standard deviations of fixed random convolution features."""
    kernel = jax.random.normal(jax.random.key(9), (5, 5, 1, 32)) / 5

    def moments(images):
        maps = jax.nn.relu(
            jax.lax.conv_general_dilated(images, kernel, (4, 4), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        )
        features = maps.reshape(len(images), -1)
        return jnp.concatenate([features.mean(0), features.std(0)])

    return float(jnp.sum((moments(x) - moments(y)) ** 2))


def test_dcgan_moves_towards_the_bundled_images(fashion):
    """Oracle: random-feature statistics of held-out images. The distance falls to a tenth of the untrained one."""
    (arrays,) = data.resident(fashion, fields.only(fashion.spec, "image"))
    images = fashion.spec["image"].inside(jnp.asarray(arrays["image"][:8500]))
    train, held_out = images[:8000], images[8000:]
    module = recipes.load("dcgan")
    system = module.build(module.Config(batch_size=32, g_width=16, d_width=16, ema_halflife_kimg=1.0), fashion.spec)
    step = jax.jit(system.step, donate_argnums=0)
    state = jax.jit(system.init)(jax.random.key(0))
    keys = jax.random.split(jax.random.key(1), 500)
    sample = jax.jit(system.verbs["sample"].run)
    before = feature_distance(sample(state, {}, keys)["image"], held_out)
    order = np.concatenate([np.random.default_rng(epoch).permutation(8000) for epoch in range(2)])
    for t in range(500):
        batch = {"image": train[order[32 * t : 32 * (t + 1)]]}
        state, _ = step(state, batch, jax.random.key(2))
    after = feature_distance(sample(state, {}, keys)["image"], held_out)
    assert after < 0.1 * before, (before, after)
