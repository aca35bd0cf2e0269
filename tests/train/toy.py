"""A game small enough to train in a test: two linear players on 8 x 8 images."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import fields, game
from jaxgan.data import of_arrays
from jaxgan.losses import adversarial
from jaxgan.train import RunConfig, fit
from jaxgan.train.screen.report import Report


class Said(Report):
    """Remembers what a run says."""

    def __init__(self):
        self.lines = []

    def line(self, text):
        self.lines.append(text)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    steps: int = 13
    batch_size: int = 16
    z_dim: int = 4
    rate: float = 0.05


SPEC = {"image": fields.image(8, 8, 1)}
LABELLED = {**SPEC, "label": fields.label(("a", "b", "c"))}


def build(config, spec, axis_name=None):
    return _build(config, tuple(spec.items()), axis_name)


@functools.cache  # the same functions again need no new compilation
def _build(config, items, axis_name):
    spec = fields.only(dict(items), "image")
    shape, pixels = spec["image"].fixed, spec["image"].size

    def draw(params, rng):
        return jnp.tanh(game.normal(rng, (config.z_dim,)) @ params["w"] + params["b"])

    def play(params, vars, batch, rng):
        return draw(params["g"], rng), game.Aux()

    def d_loss(params, vars, fake, batch, rng):
        real = batch["image"].reshape(fake.shape) @ params["d"]
        board = adversarial.scoreboard(real, fake @ params["d"])
        return adversarial.non_saturating_gan.d(real, fake @ params["d"]).mean(), game.Aux(board)

    def g_loss(params, vars, fake, batch, rng):
        return adversarial.non_saturating_gan.g(fake @ params["d"]).mean(), game.Aux()

    rounds = (game.Round(play=play, moves=(game.Move("d", d_loss), game.Move("g", g_loss))),)
    optimizers = {"g": game.adam(config.rate), "d": game.adam(config.rate)}
    ema = {"g": game.Ema(0.1)}

    def init(rng):
        w = jax.random.normal(rng, (config.z_dim, pixels))
        players = {"g": {"params": {"w": w, "b": jnp.zeros(pixels)}}, "d": {"params": jnp.zeros(pixels)}}
        return game.init_state(rounds, optimizers, players, ema=ema)

    def sample(state, given, keys):
        return {"image": draw(state.players["g"].ema, keys).reshape(-1, *shape)}

    step = game.make_train_step(rounds, optimizers, ema=ema, axis_name=axis_name)
    verbs, cures = {"sample": game.Verb(sample, makes=spec)}, {"not_finite": ("a lower --rate",)}
    shows, duels = (game.Show("sample"),), (game.Duel(),)
    return game.System(init, step, config, spec, verbs, shows=shows, duels=duels, cures=cures)


LIGHTER = 60


def images(n=40, seed=0, channels=1, labels=False):
    """Images by chance, of three classes in turn."""
    pixels = np.random.default_rng(seed).integers(0, 256, (n, 8, 8, channels), dtype=np.uint8)
    spec = {"image": fields.image(8, 8, channels)} | (fields.only(LABELLED, "label") if labels else {})
    label = {"label": np.arange(n, dtype=np.int32) % 3} if labels else {}
    return of_arrays({"image": pixels, **label}, spec, "toy")


def translator(config, spec, axis_name=None):
    """The toy that also makes pictures of any size lighter: a verb whose right answer is known, shown in a sheet."""
    system = build(config, spec, axis_name)

    def translate(state, given, keys):
        return {"target": given["source"] + LIGHTER / 127.5}

    source, target = (fields.any_size(spec[name]) for name in ("source", "target"))
    verb = game.Verb(translate, {"target": target}, {"source": source}, truth=("target",))
    shows = (*system.shows, game.Show("translate", "sheet"))
    return system._replace(verbs={**system.verbs, "translate": verb}, shows=shows)


def pairs(n=40):
    """The toy's images, and with each a source and a target; the number of the row is the source's one grey."""
    image = images(n).tables[0].source.arrays["image"]
    source = np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, 8, 8, 1)).copy()
    arrays = {"image": image, "source": source, "target": 100 + source}
    return of_arrays(arrays, dict.fromkeys(arrays, fields.image(8, 8, 1)), "pairs")


def run_config(out, **changes):
    often = {"checkpoint_every": 5, "sample_every": 6, "log_every": 2, "samples": 4, "keep": 2, "seed": 3}
    return RunConfig(out=str(out), **{**often, **changes})


def train(out, *, build=build, data=None, resume=False, report=None, steps=13, **changes):
    config, run = Config(steps=steps), run_config(out, **changes)
    return fit(build, config, data or images(), run, resume=resume, report=report or Said())


def assert_same(left, right):
    """Bit for bit."""
    assert jax.tree.structure(left) == jax.tree.structure(right)
    for a, b in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def assert_close(left, right):
    """To what another order of summation changes after thirteen steps of Adam."""
    for a, b in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-4, atol=1e-5)


def differ(left, right):
    return any(
        not np.array_equal(np.asarray(a), np.asarray(b))
        for a, b in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True)
    )
