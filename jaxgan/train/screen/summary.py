"""The summary of a run in one picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan.train.screen.report import own_metrics

BELIEFS = ("d_real", "d_fake")
"""Means of D(x) and of D(G(z)), where they are probabilities."""


def write_summary(
    path: Path,
    rows: Sequence[dict[str, Any]],
    grids: Sequence[tuple[int, Path]],
    title: str,
    scores: Sequence[dict[str, Any]] = (),
    marks: Sequence[int] = (),
    boards: Sequence[str] = ("",),
) -> None:
    """A picture of a whole run: losses, D(x) and D(G(z)), gradient norms, own metrics, the distance, and samples.

    D(x) and D(G(z)) are drawn only of the `boards`: to a critic that measures a distance they mean nothing.

    Args:
        path: the PNG to write.
        rows: the logged steps, as in metrics.jsonl.
        grids: sample pictures with their steps, in order.
        title: a heading.
        scores: the measurements, as in evaluations.jsonl.
        marks: steps at which the monitor has seen something, drawn as vertical lines.
        boards: prefixes of metrics (`Duel.board`) of those discriminators whose logits are log-odds.
    """
    from matplotlib.figure import Figure
    from PIL import Image

    panels: list[tuple[str, Any, tuple[str, ...]]] = [("losses", rows, ("loss",))]
    beliefs = tuple(board + name for board in boards for name in BELIEFS)
    if rows and set(beliefs) & set(rows[-1]):
        panels.append(("mean D(x) and D(G(z))", rows, beliefs))
    panels.append(("gradient norms", rows, ("grad_norm",)))
    if own := own_metrics(rows[-1] if rows else ()):
        panels.append(("own metrics", rows, tuple(name.rpartition("/")[2] for name in own)))
    if scores:
        seen_by = scores[0]["extractor"]
        about = scores[0]["name"] + (f", seen by {seen_by}" if seen_by else "")
        panels.append((about, scores, ("value",)))
    figure = Figure(figsize=(5 * len(panels), 9), layout="constrained")
    figure.suptitle(title)
    curves, pictures = figure.subplots(2, len(panels))
    for axes, panel in zip(curves, panels, strict=True):
        _plot(axes, *panel)
        for step in marks:
            axes.axvline(step, color="tab:red", linewidth=0.8, linestyle=":")
    for axes in pictures:
        axes.set_axis_off()
    for axes, (step, file) in zip(pictures, _spread(grids, len(panels)), strict=False):
        with Image.open(file) as picture:
            axes.imshow(np.asarray(picture), cmap="gray", vmin=0, vmax=255)
        axes.set_title(f"step {step}")
    figure.savefig(path, dpi=80)


def _plot(axes: Any, title: str, rows: Sequence[dict[str, Any]], names: tuple[str, ...]) -> None:
    """Curves of the metrics of these names, whole or without what stands before the last slash."""
    names = tuple(name for name in (rows[-1] if rows else ()) if {name, name.rpartition("/")[2]} & set(names))
    for name in names:
        points = [(row["step"], row[name]) for row in rows if name in row]
        axes.plot(*zip(*points, strict=True), label=name, linewidth=0.8)
    if names:
        axes.legend()
    axes.set_title(title)
    axes.set_xlabel("step")


def _spread(items: Sequence[Any], n: int) -> list[Any]:
    """At most n items, evenly spread, with the first and the last."""
    if len(items) <= n:
        return list(items)
    return [items[round(i * (len(items) - 1) / (n - 1))] for i in range(n)]
