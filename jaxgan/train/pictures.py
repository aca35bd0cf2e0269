"""Pictures: grids of images, and the summary of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

GAP = 2  # pixels between tiles
TILE = 56  # smaller tiles are magnified by a whole number up to about this many pixels
PANELS = (
    ("losses", ("loss",)),
    ("mean D(x) and D(G(z))", ("d_real", "d_fake")),
    ("gradient norms", ("grad_norm",)),
)


def grid(images: UInt8[np.ndarray, "n h w c"], columns: int) -> UInt8[np.ndarray, "height width c"]:
    """Images in rows of `columns`, with white gaps; small ones magnified by a whole number."""
    scale = max(1, TILE // max(images.shape[1:3]))
    tiles = images.repeat(scale, axis=1).repeat(scale, axis=2)
    n, h, w, c = tiles.shape
    rows = -(-n // columns)
    canvas = np.full((rows * (h + GAP) + GAP, columns * (w + GAP) + GAP, c), 255, np.uint8)
    for i, tile in enumerate(tiles):
        y, x = GAP + i // columns * (h + GAP), GAP + i % columns * (w + GAP)
        canvas[y : y + h, x : x + w] = tile
    return canvas


def write_png(path: Path, image: UInt8[np.ndarray, "h w c"]) -> None:
    """Write an image as PNG: grey from one channel, colour from three, alpha from four; of others the first."""
    from PIL import Image

    channels = image.shape[-1]
    shown = image if channels in (3, 4) else image[..., 0]
    temporary = path.with_name(path.name + ".tmp")
    Image.fromarray(shown).save(temporary, format="PNG")
    temporary.replace(path)


def columns_of(n: int, classes: int) -> int:
    """Columns of a grid: one a class where labels are few, else about as many as rows."""
    return classes if 1 < classes <= 20 else max(1, round(n**0.5))


def write_summary(
    path: Path,
    rows: Sequence[dict[str, Any]],
    grids: Sequence[tuple[int, Path]],
    title: str,
    scores: Sequence[dict[str, Any]] = (),
    marks: Sequence[int] = (),
) -> None:
    """A picture of a whole run: losses, D(x) and D(G(z)), gradient norms, the distance, and samples over time.

    Args:
        path: the PNG to write.
        rows: the logged steps, as in metrics.jsonl.
        grids: sample pictures with their steps, in order.
        title: a heading.
        scores: the measurements, as in evaluations.jsonl.
        marks: steps at which the monitor has seen something, drawn as vertical lines.
    """
    from matplotlib.figure import Figure
    from PIL import Image

    panels = [(name, rows, suffixes) for name, suffixes in PANELS]
    if scores:
        about = f"{scores[0]['name']}, seen by {scores[0]['extractor']}"
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


def _plot(axes: Any, title: str, rows: Sequence[dict[str, Any]], suffixes: tuple[str, ...]) -> None:
    names = [name for name in (rows[-1] if rows else ()) if name.rpartition("/")[2] in suffixes]
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
