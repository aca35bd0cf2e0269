"""Short tables from the long one of `mixtures`: what each remedy does on average, and each game without any."""

from collections.abc import Sequence

import numpy as np

from laboratory import points
from laboratory.choices import LOSSES
from laboratory.figures import words
from laboratory.mixtures import PENALTIES
from laboratory.record import Row


def of_mixtures(rows: Sequence[Row]) -> list[list[Row]]:
    """By remedy; and, where games without any were played, by penalty and game by game."""
    if all(row["remedy"] != "none" for row in rows):
        return [by_remedy(rows)]
    return [by_remedy(rows), by_penalty(rows), without_remedy(rows)]


def by_remedy(rows: Sequence[Row]) -> list[Row]:
    """Modes, high-quality share and reverse KL of each remedy: means over its games and their seeds."""
    remedies = dict.fromkeys(row["remedy"] for row in rows)
    return [{"remedy": words(str(name))} | _means(rows, remedy=name) for name in remedies]


def by_penalty(rows: Sequence[Row]) -> list[Row]:
    """The same of each penalty without a remedy: means over losses and seeds."""
    plain = [row for row in rows if row["remedy"] == "none"]
    return [{"penalty": words(name)} | _means(plain, penalty=name) for name in PENALTIES]


def without_remedy(rows: Sequence[Row]) -> list[Row]:
    """Modes of ring and grid with their spread over seeds: a row a loss, a column a penalty."""
    cells = {(row["task"], row["loss"], row["penalty"]): row for row in rows if row["remedy"] == "none"}

    def text(loss: str, penalty: str) -> str:
        found = [cells[task, loss, penalty] for task in points.MODES]
        return ", ".join(f"{row['covered']:.1f} ± {row['covered +-']:.1f}" for row in found)

    return [{"loss": words(loss)} | {words(penalty): text(loss, penalty) for penalty in PENALTIES} for loss in LOSSES]


def _means(rows: Sequence[Row], **where: str | float) -> Row:
    chosen = [row for row in rows if all(row[name] == value for name, value in where.items())]
    columns = {"covered": "modes of {}", "high_quality": "high quality", "reverse_kl": "reverse KL"}
    return {
        f"{task}: {title.format(modes)}": float(np.mean([row[column] for row in chosen if row["task"] == task]))
        for task, modes in points.MODES.items()
        for column, title in columns.items()
    }
