"""What a run says of a user's own system. Oracles: texts, lines of the summary, and layers of two kinds."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import pytest
from flax import linen as nn

from jaxgan import game, layers
from jaxgan.fields import only
from jaxgan.train import fit
from jaxgan.train.screen import report, summary
from tests.train import toy

BOARD = {"d_real": 0.75, "d_fake": 0.25, "accuracy_real": 1.0, "accuracy_fake": 1.0, "margin": 1.0, "value": 2.0}
PLAYERS = {"d/loss": 0.5, "d/grad_norm": 1.0, "g/loss": 1.25, "g/grad_norm": 1.0}


def test_own_metrics_are_in_the_progress_line():
    metrics = {**BOARD, "convergence": 0.51234, **PLAYERS, "k": 0.00012, "penalty": 3.0, "r_t": 0.1}
    assert report.scores(metrics) == "D 0.500  G 1.250  D(x) 0.750  D(G(z)) 0.250  convergence 0.512  k 0.00012"
    many = {f"m{i}": float(i) for i in range(9)}
    assert report.scores(many) == "m0 0  m1 1  m2 2  m3 3"


def test_each_board_has_its_beliefs():
    metrics = {**{f"a/{k}": v for k, v in BOARD.items()}, **{f"b/{k}": v / 2 for k, v in BOARD.items()}, **PLAYERS}
    assert report.scores(metrics) == "D 0.500  G 1.250  D(x) a 0.750 b 0.375  D(G(z)) a 0.250 b 0.125"
    assert report.own_metrics({**metrics, "a/l1": 0.0, "step": 1, "images": 8, "seconds": 0.1}) == ["a/l1"]


WRITE_SUMMARY = summary.write_summary  # what `cheap` puts in its place stays there for a whole file


def test_own_metrics_have_a_panel_where_there_are_any(tmp_path, monkeypatch):
    drawn: dict[str, Any] = {}
    plot = summary._plot

    def noted(axes, title, rows, suffixes):
        plot(axes, title, rows, suffixes)
        drawn[title] = {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}

    monkeypatch.setattr(summary, "_plot", noted)
    rows = [{"step": i, "images": 8 * i, "seconds": 0.1, "d/loss": 1.0, "k": 0.1 * i} for i in (1, 2)]
    WRITE_SUMMARY(tmp_path / "x.png", rows, [], "a run")
    assert drawn["own metrics"] == {"k": [[1, 0.1], [2, 0.2]]}
    drawn.clear()
    WRITE_SUMMARY(tmp_path / "x.png", [{"step": 1, "images": 8, "seconds": 0.1, "d/loss": 1.0}], [], "a run")
    assert set(drawn) == {"losses", "gradient norms"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    steps: int = 1
    batch_size: int = 4


def convolutional(layer):
    """The `build` of a system without a game, whose one layer learns to give back what it is given."""

    def build(config, spec, axis_name=None):
        net, batch, optimizers = layer(1, (3, 3)), only(spec, "image"), {"net": game.adam(0.1)}

        def loss(params, vars, outcome, batch, rng):
            made = net.apply(game.variables(params, vars, "net"), batch["image"])
            return jnp.square(made - batch["image"]).mean(), game.Aux()

        rounds = (game.Round((game.Move("net", loss),)),)

        def init(key):
            return game.init_state(rounds, optimizers, {"net": net.init(key, jnp.zeros((1, 8, 8, 1)))})

        step = game.make_train_step(rounds, optimizers, axis_name=axis_name)
        return game.System(init, step, config, batch)

    return build


@pytest.mark.parametrize("mode", ["jit", "pmap", "shard_map"])
@pytest.mark.parametrize(("layer", "recipe", "warned"), [
    (nn.Conv, None, True), (layers.Conv, None, False), (nn.Conv, "of another package", True), (nn.Conv, "gan", False)
])  # fmt: skip
def test_slow_convolutions_are_named(layer, recipe, warned, mode, tmp_path, cheap):
    said = toy.Said()
    run = toy.run_config(tmp_path / "run", parallel=mode)
    fit(convolutional(layer), Config(), toy.images(), run, recipe=recipe, report=said)
    sentence = (
        "Warning     on a CPU the gradients of flax.linen.Conv take 13 to 40 times as long as those of "
        "jaxgan.layers.Conv, which takes the same arguments."
    )
    assert said.lines.count(sentence) == warned


def test_the_summary_is_told_which_duels_are_of_odds(tmp_path, monkeypatch):
    def build(*about):
        odds, distance = game.Duel(board="a/"), game.Duel(board="b/", critic="distance")
        return convolutional(layers.Conv)(*about)._replace(duels=(odds, distance))

    drawn: list[Any] = []
    monkeypatch.setattr(summary, "write_summary", lambda path, *about: drawn.append(about[-1]))
    fit(build, Config(), toy.images(), toy.run_config(tmp_path / "run"), report=toy.Said())
    assert drawn == [("a/",)]
