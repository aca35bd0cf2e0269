"""What is kept of a run: one small JSON file of rounded numbers, and tables in Markdown."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax

Row = dict[str, str | float]


class Stopwatch:
    """Wall and processor time since it was made, and what ran; `about` is kept beside the numbers."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def about(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options of the run, its seconds and the versions that it ran with."""
        return {
            **options,
            "seconds": round(time.perf_counter() - self._wall),
            "cpu_seconds": round(time.process_time() - self._cpu),
            "jax": jax.__version__,
            "backend": jax.default_backend(),
        }


def save(path: Path, about: dict[str, Any], rows: Sequence[Row]) -> None:
    """Rows as JSON, one a line, numbers with three digits after the leading ones.

    Args:
        path: of the file; its folder is made.
        about: what was run.
        rows: that may differ in their columns; what a row lacks is null.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ",\n".join("  " + json.dumps([_rounded(row.get(name)) for name in columns]) for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f' "about": {json.dumps(about)},\n "columns": {json.dumps(columns)},\n'
    path.write_text(f'{{\n{head} "rows": [\n{lines}\n ]\n}}\n')


def load(path: Path) -> list[Row]:
    """The rows of a file of `save`, without what is null."""
    kept = json.loads(path.read_text())
    pairs = (zip(kept["columns"], row, strict=True) for row in kept["rows"])
    return [{name: value for name, value in row if value is not None} for row in pairs]


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown, numbers with three digits."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names), *([_text(row.get(name, "")) for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _rounded(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else float(f"{float(value):.4g}")


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"
