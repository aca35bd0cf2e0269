import itertools

import numpy as np
import pytest
from laboratory import dirac, figures
from laboratory.choices import LOSSES
from laboratory.mixtures import PENALTIES, REMEDIES

RNG = np.random.default_rng(0)


def product(**names):
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*names.values())]


def draw_dirac(out):
    rows = product(penalty=dirac.PENALTIES, loss=LOSSES, dynamics=dirac.DYNAMICS)
    figures.dirac_table(out, [{**row, "far": "circles", "theory": "undecided"} for row in rows])


def draw_mixtures(out):
    rows = product(penalty=PENALTIES, loss=LOSSES[:2], remedy=("none", "top_k", "spectral_norm"), task=("ring", "grid"))
    rows = [row for row in rows if row["remedy"] != "spectral_norm" or row["penalty"] == "none"]
    figures.mixtures(out, [{**row, "covered": 4.0, "high_quality": 0.5} for row in rows])


def draw_mixture_samples(out):
    names = itertools.product(("ring", "grid"), REMEDIES)
    figures.mixture_samples(out, {name: RNG.normal(size=(2500, 2)) for name in names})


def draw_stacked(out):
    late = {"condition": "packing 2", "steps": 40, "modes": 500, "+-": 30}
    rows = [{"condition": "the data", "modes": 993}, {**late, "steps": 10, "modes": 200}, late]
    figures.stacked(out, rows, {row["condition"]: RNG.uniform(-1, 1, (100, 28, 28, 3)) for row in rows})


def draw_remedies(out):
    figures.remedies(out, {task: {"packing_2": RNG.normal(size=42)} for task in ("ring", "grid")})


# Oracle: the size that a page can carry, 80 kB. What is drawn, eyes judge.
@pytest.mark.parametrize(
    "draw",
    [draw_dirac, draw_mixtures, draw_mixture_samples, draw_stacked, draw_remedies],
    ids=lambda draw: draw.__name__,
)
def test_figures_are_drawn_and_small(draw, tmp_path):
    draw(tmp_path)
    (path,) = tmp_path.glob("*.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size < 80_000
