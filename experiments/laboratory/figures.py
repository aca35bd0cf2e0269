"""The figures of the laboratory, each of one message, drawn from the numbers that its command returns."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from laboratory import dirac, points
from laboratory.choices import LOSSES
from laboratory.mixtures import PENALTIES, REMEDIES
from laboratory.record import Row

_BLUE, _ORANGE, _GREY = "#2c6fbb", "#d9742c", "#8a8a8a"
_COLOURS = {"converges": "#2c6fbb", "circles": "#e3c567", "diverges": "#b5382a"}


@contextmanager
def _panels(path: Path, rows: int, columns: int, size: tuple[float, float], **options: Any) -> Iterator[np.ndarray]:
    """Axes `[rows, columns]` of a figure that is saved as `path`, in 128 colours to keep it small."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=size, dpi=110, layout="constrained")
    yield figure.subplots(rows, columns, squeeze=False, **options)
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()).quantize(128).save(path, optimize=True)


def words(name: str) -> str:
    """An identifier as text."""
    return name.replace("_", " ")


def dirac_table(out: Path, rows: Sequence[Row]) -> None:
    """What the engine does from afar, cell by cell; a dot where the linearisation decides nothing."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    colours = ListedColormap(list(_COLOURS.values()))
    with _panels(out / "mode_collapse_dirac.png", 1, 5, (12, 3.4), sharey=True) as axes:
        for ax, dynamics in zip(axes[0], dirac.DYNAMICS, strict=True):
            cells = {(row["penalty"], row["loss"]): row for row in rows if row["dynamics"] == dynamics}
            far = [[list(_COLOURS).index(str(cells[p, n]["far"])) for n in LOSSES] for p in dirac.PENALTIES]
            ax.imshow(far, cmap=colours, vmin=-0.5, vmax=2.5, aspect="auto")
            open_ones = [(x, y) for y, p in enumerate(dirac.PENALTIES) for x, n in enumerate(LOSSES)
                         if cells[p, n]["theory"] not in ("converges", "diverges")]  # fmt: skip
            ax.plot(*zip(*open_ones, strict=True), "ko", markersize=3)
            ax.set_title(words(dynamics), fontsize=10)
            ax.set_xticks(range(len(LOSSES)), [words(name) for name in LOSSES], rotation=90, fontsize=8)
            ax.set_yticks(range(len(dirac.PENALTIES)), [words(name) for name in dirac.PENALTIES], fontsize=8)
        handles = [Patch(color=colour, label=name) for name, colour in _COLOURS.items()]
        axes[0, 0].figure.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=8, frameon=False)


def mixtures(out: Path, rows: Sequence[Row]) -> None:
    """Share of modes covered and of samples near a mode, remedy by penalty, means over losses and seeds."""
    remedies = [name for name in (*REMEDIES, "spectral_norm") if any(row["remedy"] == name for row in rows)]
    measures = (("covered", "% of {} modes covered"), ("high_quality", "% of samples near a mode"))
    with _panels(out / "mode_collapse_mixtures.png", 2, 2, (10, 8.4), sharex=True, sharey=True) as axes:
        for column, (task, modes) in zip(axes.T, points.MODES.items(), strict=True):
            for ax, (measure, title) in zip(column, measures, strict=True):
                means = [[_mean(rows, measure, task=task, remedy=r, penalty=p) for p in PENALTIES] for r in remedies]
                _heat(ax, np.array(means) / (modes if measure == "covered" else 1))
                ax.set_title(f"{task}: {title.format(modes)}", fontsize=10)
                ax.set_xticks(range(len(PENALTIES)), [words(name) for name in PENALTIES], fontsize=8)
                ax.set_yticks(range(len(remedies)), [words(name) for name in remedies], fontsize=8)


def mixture_samples(out: Path, samples: Mapping[tuple[str, str], np.ndarray]) -> None:
    """Samples of one game, the first seed's: a row a task, a column a remedy."""
    tasks, remedies = (list(dict.fromkeys(names)) for names in zip(*samples, strict=True))
    size = (1.3 * len(remedies), 1.55 * len(tasks))
    with _panels(out / "mode_collapse_samples.png", len(tasks), len(remedies), size) as axes:
        for (y, x), ax in np.ndenumerate(axes):
            task, reach = tasks[y], {"ring": 3, "grid": 5.5}[tasks[y]]
            ax.plot(*samples[task, remedies[x]].T, ",", color=_BLUE, alpha=0.6)
            ax.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
            if y == 0:
                ax.set_title(words(remedies[x]).replace(" ", "\n"), fontsize=8)
            if x == 0:
                ax.set_ylabel(task, fontsize=8)


def stacked(out: Path, rows: Sequence[Row], pictures: dict[str, np.ndarray]) -> None:
    """Modes of 1000 with their spread, early in training and at its end, and twelve samples of each condition."""
    from matplotlib.patches import Patch

    conditions = list(pictures)
    times = sorted({row["steps"] for row in rows if "steps" in row})
    colours = dict(zip(times, ("#a9c5e8", _BLUE) if len(times) > 1 else (_BLUE,), strict=True))
    size = (10, 0.6 * len(conditions) + 0.9)
    with _panels(out / "mode_collapse_stacked.png", 1, 2, size, width_ratios=(1, 1.6)) as axes:
        bars, strips = axes[0]
        for row in rows:
            place = conditions.index(str(row["condition"]))
            if "steps" in row:
                place += 0.38 * (times.index(row["steps"]) - (len(times) - 1) / 2)
            colour = colours.get(row.get("steps"), _GREY)
            bars.barh(place, row["modes"], 0.36, xerr=row.get("+-", 0), color=colour)
        bars.set_yticks(range(len(conditions)), conditions, fontsize=8)
        bars.set_xlabel("modes covered, of 1000", fontsize=9)
        bars.set_xlim(0, 1050)
        bars.invert_yaxis()
        handles = [Patch(color=colour, label=f"{time:.0f} steps") for time, colour in colours.items()]
        bars.legend(handles=handles, fontsize=8, frameon=False, loc="lower right")
        pictured = [np.concatenate(list(pictures[name][:12]), 1) for name in conditions]
        strips.imshow((np.concatenate(pictured) + 1) / 2, interpolation="nearest", aspect="auto")
        strips.set_axis_off()


def critic_loss(out: Path, curves: dict[str, dict[str, np.ndarray]], ranks: dict[str, np.ndarray]) -> None:
    """Claim (a): D's estimate against the distance, a colour a seed."""
    with _panels(out / "mode_collapse_claim_a.png", 1, len(curves), (12, 3.2)) as axes:
        for ax, (name, curve) in zip(axes[0], curves.items(), strict=True):
            for distance, estimate in zip(curve["distance"], curve["estimate"], strict=True):
                ax.plot(distance, estimate, "o", markersize=3, alpha=0.6)
            ax.set_title(f"{name}\nrank correlation {ranks[name].mean():.2f} ± {ranks[name].std():.2f}", fontsize=9)
            ax.set_xlabel("sliced Wasserstein-1 of the samples", fontsize=8)
        axes[0, 0].set_ylabel("what D's loss says of the distance", fontsize=8)


def strong_discriminator(
    out: Path, hunger: dict[str, np.ndarray], every: int, after: dict[str, np.ndarray], lead: Sequence[int]
) -> None:
    """Claim (b): G's gradient while D learns alone, and modes covered after training that began with such a D."""
    names = {"minimax": ("saturating", _ORANGE), "non_saturating": ("non-saturating", _BLUE)}
    with _panels(out / "mode_collapse_claim_b.png", 1, 2, (10, 3.6)) as axes:
        left, right = axes[0]
        steps = every * np.arange(hunger["accuracy"].shape[1])
        for key, (label, colour) in names.items():
            left.plot(steps, hunger[key].T, color=colour, linewidth=1, label=[label] + [None] * (len(hunger[key]) - 1))
            places, spread = np.arange(len(lead)) + 0.06 * (key == "minimax"), after[key].std(1)
            right.errorbar(places, after[key].mean(1), spread, color=colour, marker="o", capsize=3, label=label)
        left.set_yscale("log")
        left.set_xlabel("steps of D alone, G standing still", fontsize=9)
        left.set_ylabel("length of G's gradient", fontsize=9)
        left.legend(fontsize=8, frameon=False)
        right.set_xticks(range(len(lead)), [str(n) for n in lead])
        right.set_xlabel("steps of D alone before both are trained", fontsize=9)
        right.set_ylabel("modes of 8 covered afterwards", fontsize=9)
        right.set_ylim(0, 8.5)


def remedies(out: Path, gains: dict[str, dict[str, np.ndarray]]) -> None:
    """Claim (c): change of the share of modes covered, each game with the remedy less the same without."""
    with _panels(out / "mode_collapse_claim_c.png", 1, len(gains), (10, 3.4), sharey=True) as axes:
        for ax, (task, by_cure) in zip(axes[0], gains.items(), strict=True):
            ax.boxplot(list(by_cure.values()), orientation="horizontal", showmeans=True, flierprops={"markersize": 3})
            ax.set_yticks(range(1, len(by_cure) + 1), [words(name) for name in by_cure], fontsize=8)
            ax.axvline(0, color=_GREY, linewidth=1)
            ax.set_title(f"{task}: change in modes covered, % of all", fontsize=9)


def two_time_scales(out: Path, ratios: np.ndarray, radii: dict[str, np.ndarray], paths: dict[str, Any]) -> None:
    """Claim (d): spectral radius against the ratio of rates, and paths of (theta, psi)."""
    with _panels(out / "mode_collapse_claim_d.png", 1, 2, (10, 3.8)) as axes:
        left, right = axes[0]
        for name, radius in radii.items():
            left.semilogx(ratios, radius, label=name)
        left.axhline(1, color=_GREY, linewidth=0.8, linestyle=":")
        left.set_xlabel("rate of D / rate of G, their product fixed", fontsize=9)
        left.set_ylabel("spectral radius of a step", fontsize=9)
        left.legend(fontsize=8, frameon=False)
        for name, path in paths.items():
            right.plot(*np.asarray(path).T, linewidth=1, label=name)
        right.plot(0, 0, "k+", markersize=10)
        right.set_xlabel("theta (G)", fontsize=9)
        right.set_ylabel("psi (D)", fontsize=9)
        right.legend(fontsize=7, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)


def _heat(ax: Any, share: np.ndarray) -> None:
    ax.imshow(share, cmap="viridis", vmin=0, vmax=1, aspect="auto")
    for (y, x), value in np.ndenumerate(share):
        if np.isfinite(value):
            ax.text(x, y, f"{100 * value:.0f}", ha="center", va="center", fontsize=8,
                    color="white" if value < 0.6 else "black")  # fmt: skip


def _mean(rows: Sequence[Row], column: str, **where: str) -> float:
    found = [float(row[column]) for row in rows if all(row[name] == value for name, value in where.items())]
    return float(np.mean(found)) if found else np.nan
