"""Four claims of the field put to the test: each function measures, draws its figure and returns rows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from laboratory import dirac, dirac_engine, figures, points, watched
from laboratory.dirac import Setting
from laboratory.record import Row

CURES = ("packing_2", "packing_4", "minibatch_std", "minibatch_discrimination", "three_critics")
_LEAD, _EVERY = (0, 100, 1000, 3000), 25  # steps of D alone; between two looks at it


def critic_loss(out: Path, seeds: int, steps: int | None) -> list[Row]:
    """(a) Does the critic's loss track the distance of the samples, and BCE's not?"""
    curves = {name: watched.critic_curves(way, seeds, steps or 2000) for name, way in watched.WAYS.items()}
    rows, whole = [], {}
    for name, curve in curves.items():
        late = curve["estimate"].shape[1] // 4
        pairs = list(zip(curve["estimate"], curve["distance"], strict=True))
        whole[name] = np.array([watched.spearman(x, y) for x, y in pairs])
        after = np.array([watched.spearman(x[late:], y[late:]) for x, y in pairs])
        rows += [
            _row("a", name, "Spearman, whole training", whole[name]),
            _row("a", name, "Spearman, without its first quarter", after),
            _row("a", name, "sliced Wasserstein-1 at the end", curve["distance"][:, -1]),
        ]
    figures.critic_loss(out, curves, whole)
    return rows


def strong_discriminator(out: Path, seeds: int, steps: int | None) -> list[Row]:
    """(b) Does a D that is too good starve a saturating G, and not a non-saturating one?"""
    hunger, rows, after = watched.starvation(seeds, _LEAD[-1], _EVERY), [], {}
    task = points.ring()
    for ahead in _LEAD:
        rows.append(_row("b", f"D {ahead} steps ahead", "accuracy of D", hunger["accuracy"][:, ahead // _EVERY]))
        for loss in ("minimax", "non_saturating"):
            kept = hunger[loss][:, ahead // _EVERY]
            rows.append(_row("b", f"D {ahead} steps ahead", f"gradient of G, {figures.words(loss)}", kept))
    for loss in ("minimax", "non_saturating"):
        samples = watched.after_a_start(loss, seeds, _LEAD, steps or 2000)
        scores = np.array([[points.score(task, seed) for seed in case] for case in samples])
        after[loss] = scores[:, :, 0]
        for ahead, case in zip(_LEAD, scores, strict=True):
            rows.append(_row("b", f"D {ahead} steps ahead", f"modes of 8, {figures.words(loss)}", case[:, 0]))
            rows.append(_row("b", f"D {ahead} steps ahead", f"high quality, {figures.words(loss)}", case[:, 1]))
    figures.strong_discriminator(out, hunger, _EVERY, after, _LEAD)
    return rows


def remedies(out: Path, modes: Sequence[Row], images: Sequence[Row]) -> list[Row]:
    """(c) Do several discriminators, packing and minibatch statistics raise the number of modes covered?

    Args:
        out: folder of the figure.
        modes: rows of `mixtures`.
        images: rows of `stacked`.
    """
    shares = {task: {cure: gains(modes, task, total, cure) for cure in CURES} for task, total in points.MODES.items()}
    figures.remedies(out, shares)
    rows = []
    for task, by_cure in shares.items():
        for cure, gained in by_cure.items():
            case = f"{task}, {figures.words(cure)}"
            rows.append(_row("c", case, "change in modes covered, % of all", gained))
            sharper = gains(modes, task, 1, cure, "high_quality")
            rows.append(_row("c", case, "change in high-quality share, %", sharper))
            better = {"measure": "games with more, as many, fewer modes", "mean": _counts(gained)}
            rows.append({"claim": "c", "case": case, **better})
    found = [row for row in images if "+-" in row]
    names = [f"stacked, {row['condition']}, {row['steps']:.0f} steps" for row in found]
    cells = [{"mean": row["modes"], "+-": row["+-"]} for row in found]
    return rows + [
        {"claim": "c", "case": name, "measure": "modes of 1000", **cell}
        for name, cell in zip(names, cells, strict=True)
    ]


def gains(rows: Sequence[Row], task: str, total: int, cure: str, column: str = "covered") -> np.ndarray:
    """The column with the cure less that without, in % of `total`, for each loss and penalty of the task."""
    cells = {(row["remedy"], row["loss"], row["penalty"]): float(row[column]) for row in rows if row["task"] == task}
    pairs = [(value, cells["none", loss, penalty]) for (way, loss, penalty), value in cells.items() if way == cure]
    return np.array([100 * (new - old) / total for new, old in pairs])


def two_time_scales(out: Path) -> list[Row]:
    """(d) Do TTUR and gradient penalties turn divergence into convergence on Dirac-GAN?"""
    ratios = np.geomspace(0.01, 100, 41)
    cases = {
        "simultaneous, no penalty": Setting("minimax", dynamics="simultaneous"),
        "alternating, no penalty": Setting("minimax", dynamics="alternating"),
        "simultaneous, R1": Setting("minimax", "r1", "simultaneous"),
        "alternating, R1": Setting("minimax", "r1", "alternating"),
    }
    radii = {name: np.array([dirac.radius(_apart(case, r)) for r in ratios]) for name, case in cases.items()}
    plain = cases["simultaneous, no penalty"]
    paths = {
        "no penalty, equal rates": plain,
        "no penalty, D 10 times faster": _apart(plain, 10.0),
        "R1, equal rates": cases["simultaneous, R1"],
    }
    figures.two_time_scales(
        out, ratios, radii, {name: dirac_engine.simulate(case, 600, (1.0, 0.0)) for name, case in paths.items()}
    )
    names = {0.01: "D 100 times slower", 1.0: "equal rates", 100.0: "D 100 times faster"}
    return [
        {"claim": "d", "case": f"{name}, {label}", "measure": "spectral radius", "mean": dirac.radius(_apart(case, r))}
        for name, case in cases.items()
        for r, label in names.items()
    ]


def _apart(setting: Setting, ratio: float) -> Setting:
    """The setting with rates whose ratio, D's by G's, is `ratio` and whose product is what it was."""
    return setting._replace(rate_d=setting.rate_d * ratio**0.5, rate_g=setting.rate_g * ratio**-0.5)


def _row(claim: str, case: str, measure: str, seeds: np.ndarray) -> Row:
    return {"claim": claim, "case": case, "measure": measure, "mean": float(seeds.mean()), "+-": float(seeds.std())}


def _counts(gained: np.ndarray) -> str:
    return f"{(gained > 0).sum()}, {(gained == 0).sum()}, {(gained < 0).sum()}"
