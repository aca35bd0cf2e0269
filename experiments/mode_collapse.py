"""Laboratory of mode collapse: which losses, penalties and remedies converge, and how many modes they keep.

Each command prints a table in Markdown and writes it, its numbers as JSON and a figure to `--out`:

    python experiments/mode_collapse.py dirac      Dirac-GAN (Mescheder et al. 2018): closed form and engine, 245 cells
    python experiments/mode_collapse.py mixtures   ring of 8, grid of 25: every loss x penalty x remedy, five seeds
    python experiments/mode_collapse.py stacked    1000 modes of three stacked bundled images, five seeds a condition
    python experiments/mode_collapse.py claims     four claims put to the test; reads the results of the two above

Options: `--seeds 5`, `--steps` (each task's own unless given), `--out mode_collapse`, and for `mixtures` `--remedies`.
What came out, how long it took and on what: experiments/laboratory/README.md.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
from laboratory import figures, record, reports, summaries
from laboratory.mixtures import REMEDIES
from laboratory.record import Row
from laboratory.reports import Options

from jaxgan.errors import UserError

COMMANDS: dict[str, Callable[[Options], list[Row]]] = {
    "dirac": reports.run_dirac,
    "mixtures": reports.run_mixtures,
    "stacked": reports.run_stacked,
    "claims": reports.run_claims,
}
# Drawn from the rows that were kept; the other commands draw what rows do not hold.
FIGURES = {"dirac": figures.dirac_table, "mixtures": figures.mixtures}
SUMMARIES = {"mixtures": summaries.of_mixtures}  # short tables before the long one


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        raise UserError(f"{self.prog}: {message}.")


def parse(args: Sequence[str]) -> tuple[str, Options]:
    """The command and its options.

    Raises:
        UserError: no such command or option, or a value that the option does not take.
    """
    if not args or args[0] not in COMMANDS:
        got = args[0] if args else "nothing"
        raise UserError(f"mode_collapse.py takes one of {', '.join(COMMANDS)}, got {got}.")
    parser = _Parser(f"mode_collapse.py {args[0]}", allow_abbrev=False, description=__doc__)
    parser.add_argument("--seeds", type=_positive, default=5, help="of each cell; dirac has none")
    parser.add_argument("--steps", type=_positive, help="of training; each task's own unless given")
    parser.add_argument("--out", type=Path, default=Path("mode_collapse"), help="folder of the results")
    parser.add_argument("--remedies", nargs="+", choices=REMEDIES, default=REMEDIES, help="which, for mixtures")
    known, unknown = parser.parse_known_args(args[1:])
    if unknown:
        raise UserError(f"{parser.prog} takes --seeds, --steps, --out and --remedies, got {unknown[0]}.")
    return args[0], Options(known.seeds, known.steps, known.out, tuple(known.remedies))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def main(args: Sequence[str]) -> None:
    """Run a command, print its table and keep its results."""
    name, options = parse(args)
    if name == "mixtures":
        # A device for each core: the many small products of one program keep no more than one busy.
        jax.config.update("jax_num_cpu_devices", os.cpu_count() or 1)
    watch = record.Stopwatch()
    rows = COMMANDS[name](options)
    about = watch.about({"seeds": options.seeds, "steps": options.steps or "each task's own"})
    record.save(options.out / f"mode_collapse_{name}.json", about, rows)
    text = "\n\n".join(map(record.table, [*(SUMMARIES[name](rows) if name in SUMMARIES else []), rows]))
    (options.out / f"mode_collapse_{name}.md").write_text(text + "\n")
    if name in FIGURES:
        FIGURES[name](options.out, rows)
    print(text)
    print(about, file=sys.stderr)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))
