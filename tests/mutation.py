"""How many faults the tests see: `python tests/mutation.py [losses game metrics] [--sample 90] [--seed 0]`.

A mutant is a copy of the package with one fault (`faults`). It runs the test files of its room that reach the line, the
quickest first, until a test fails or its time is over; mutants that nothing sees are printed. Python 3.12 or newer.
"""

import argparse
import ast
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
ROOMS = ("losses", "game", "metrics")
_SWAPS = "Add Sub, Mult Div, Pow Mult, FloorDiv Mult, Mod Add, And Or, Lt LtE, Gt GtE, Eq NotEq, In NotIn"
OPERATORS = {
    getattr(ast, a): getattr(ast, b) for pair in _SWAPS.split(", ") for a, b in (pair.split(), pair.split()[::-1])
} | {ast.Mult: ast.Div, ast.BitAnd: ast.BitOr, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
_NAMES = "min max, minimum maximum, any all, sum mean, argmin argmax, zeros ones, sqrt square, floor ceil"
NAMES = {a: b for pair in _NAMES.split(", ") for a, b in (pair.split(), pair.split()[::-1])}
LEAST_SECONDS, TIMES = 30, 4  # of a mutant: at least, and of what its tests take without a fault


class Mutant(NamedTuple):
    """One fault: the file, the lines of the faulty expression, what changed, and the whole text."""

    file: str
    lines: range
    change: str
    text: str


def faults(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """`(attribute, other value)` for each fault of a node."""
    match node:
        case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in OPERATORS:
            yield "op", OPERATORS[type(op)]()
        case ast.Compare(ops=[op]) if type(op) in OPERATORS:
            yield "ops", [OPERATORS[type(op)]()]
        case ast.Constant(value=bool(value)):
            yield "value", not value
        case ast.Constant(value=int(value) | float(value)):
            yield "value", value + 1
        case ast.IfExp(body=body, orelse=orelse):
            yield from (("body", orelse), ("orelse", body))
        case ast.If(test=test):
            yield "test", ast.UnaryOp(ast.Not(), test)
        case ast.Attribute(attr=name) if name in NAMES:
            yield "attr", NAMES[name]
        case ast.Name(id=name) if name in NAMES:
            yield "id", NAMES[name]
        case ast.UnaryOp(op=ast.USub()):
            yield "op", ast.UAdd()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "operand", ast.UnaryOp(ast.Not(), operand)
        case ast.Expr(value=ast.Call()):
            yield "value", ast.Constant(None)


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that computes: no annotation, no sentence of an error."""
    for name, value in ast.iter_fields(tree):
        if name not in ("annotation", "returns") and not isinstance(tree, ast.Raise):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield child
                    yield from running(child)


def mutants(file: Path) -> Iterator[Mutant]:
    """All faults of a module, one at a time."""
    tree = ast.parse(file.read_text())
    for node in list(running(tree)):
        for name, other in list(faults(node)):
            before, was = ast.unparse(node), getattr(node, name)
            setattr(node, name, other)
            text, after = ast.unparse(ast.fix_missing_locations(tree)), ast.unparse(node)
            setattr(node, name, was)
            change = "  ->  ".join(each.splitlines()[0] for each in (before, after))
            yield Mutant(str(file.relative_to(ROOT)), lines_of(node), change, text)


def lines_of(node: Any) -> range:
    """Of an expression, or of the condition of a statement."""
    node = node.test if isinstance(node, ast.If) else node
    return range(node.lineno, node.end_lineno + 1)


def run_tests(files: list[str]) -> int:
    """Zero if all pass."""
    import pytest

    return int(pytest.main(["-n0", "-x", "-q", "-p", "no:cacheprovider", *files]))


def reach(tree: Path, file: str, report: Path) -> int:
    """Run a test file; write down the lines of the package that it reaches, and its seconds."""
    monitor, lines, prefix = sys.monitoring, set(), f"{tree}{os.sep}"

    def note(code: Any, line: int) -> Any:
        if code.co_filename.startswith(prefix):
            lines.add((code.co_filename.removeprefix(prefix), line))
        return monitor.DISABLE

    monitor.use_tool_id(monitor.COVERAGE_ID, "mutation")
    monitor.register_callback(monitor.COVERAGE_ID, monitor.events.LINE, note)
    monitor.set_events(monitor.COVERAGE_ID, monitor.events.LINE)
    began = time.monotonic()
    code = run_tests([file])
    report.write_text(json.dumps({"lines": sorted(lines), "seconds": time.monotonic() - began}))
    return code


def copied(tree: Path) -> Path:
    """A copy of the files that git knows."""
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, told.stdout.split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    return tree


def fork(tree: Path, work: Callable[[Path], int], seconds: float) -> int:
    """Begin work in a process with JAX imported, in the tree; its number."""
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        signal.alarm(int(seconds))
        with (tree / "said").open("w") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        os.chdir(tree)
        os.environ["PYTHONPATH"] = str(tree)
        sys.path.insert(0, str(tree))
        code = work(tree)
    except BaseException:
        code = 99
    os._exit(code)


def side_by_side(trees: list[Path], jobs: list[tuple[Any, Callable[[Path], int], float]]) -> Iterator[tuple[Any, int]]:
    """`(name, exit code)` of each job `(name, work, seconds)` as it ends; a killed one's code is negative."""
    free, busy, left = list(trees), {}, jobs[::-1]
    while left or busy:
        while left and free:
            name, work, seconds = left.pop()
            tree = free.pop()
            busy[fork(tree, work, seconds)] = (name, tree)
        child, status = os.wait()
        if child in busy:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # what its tests have started
            name, tree = busy.pop(child)
            free.append(tree)
            yield name, os.waitstatus_to_exitcode(status)


def survey(trees: list[Path], rooms: list[str], scratch: Path) -> dict[str, dict[str, Any]]:
    """By test file: the lines that it reaches and its seconds. All must pass."""
    files = [str(f.relative_to(ROOT)) for room in rooms for f in sorted((ROOT / "tests" / room).rglob("test_*.py"))]
    reports = {file: scratch / f"{i}.json" for i, file in enumerate(files)}
    jobs = [(file, lambda tree, file=file: reach(tree, file, reports[file]), 600) for file in files]
    for file, code in side_by_side(trees, jobs):
        if code:
            raise SystemExit(f"{file} fails without a fault (exit code {code})")
    return {file: json.loads(report.read_text()) for file, report in reports.items()}


def judges(mutant: Mutant, reached: dict[str, dict[str, Any]]) -> list[str]:
    """The test files of the room that reach the line, the quickest first; the one named after the module before all."""
    room, stem = mutant.file.split("/")[1], Path(mutant.file).stem
    mine = [
        file
        for file, found in reached.items()
        if file.startswith(f"tests/{room}/")
        and any(name == mutant.file and line in mutant.lines for name, line in found["lines"])
    ]
    return sorted(mine, key=lambda f: (Path(f).stem != f"test_{stem}", reached[f]["seconds"]))


def trial(mutant: Mutant, files: list[str]) -> Callable[[Path], int]:
    """Work that puts the fault into a tree and asks the tests."""

    def work(tree: Path) -> int:
        (tree / mutant.file).write_text(mutant.text)
        return run_tests(files) if files else 0

    return work


def sample(rooms: list[str], n: int, seed: int) -> list[Mutant]:
    """As many mutants of each room, by chance."""
    rng, chosen = random.Random(seed), []
    for room in rooms:
        every = [m for file in sorted((ROOT / "jaxgan" / room).rglob("*.py")) for m in mutants(file)]
        chosen += rng.sample(every, min(n // len(rooms), len(every)))
    return chosen


def judge(trees: list[Path], chosen: list[Mutant], reached: dict[str, dict[str, Any]]) -> Iterator[tuple[Mutant, int]]:
    """Each mutant and the exit code of its tests; the tree is whole again before the next."""
    jobs = []
    for mutant in chosen:
        files = judges(mutant, reached)
        seconds = max(LEAST_SECONDS, TIMES * sum(reached[file]["seconds"] for file in files))
        jobs.append((mutant, trial(mutant, files), seconds))
    for mutant, code in side_by_side(trees, jobs):
        for tree in trees:
            if (tree / mutant.file).read_text() == mutant.text:
                shutil.copy(ROOT / mutant.file, tree / mutant.file)
        yield mutant, code


def warm() -> None:
    """What a process of tests would import first, and one cache of programs for all: most are those without a fault."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    import beartype  # noqa: F401
    import flax.linen  # noqa: F401
    import optax  # noqa: F401
    import scipy.linalg  # noqa: F401

    warnings.filterwarnings("ignore", message=".*fork")  # no device is open yet, and no thread runs


def main() -> None:
    """Print the score of each room, and what nothing saw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rooms", nargs="*", help=f"of {', '.join(ROOMS)}; all if none is named")
    parser.add_argument("--sample", type=int, default=90, help="mutants, as many of each room (default 90)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default 0)")
    parser.add_argument("--processes", type=int, default=2, help="side by side (default 2)")
    args = parser.parse_args()
    rooms = args.rooms or list(ROOMS)
    with tempfile.TemporaryDirectory(prefix="jaxgan-mutation-") as folder:
        scratch = Path(folder).resolve()
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(scratch / "programs")
        warm()
        trees = [copied(scratch / f"tree{i}") for i in range(args.processes)]
        reached, seen = survey(trees, rooms, scratch), dict.fromkeys(rooms, 0)
        chosen = sample(rooms, args.sample, args.seed)
        for i, (mutant, code) in enumerate(judge(trees, chosen, reached)):
            seen[mutant.file.split("/")[1]] += code != 0
            print(f"{i + 1}/{len(chosen)} {'seen' if code else 'NOT SEEN'}", told(mutant), flush=True)
    for room in rooms:
        total = sum(mutant.file.startswith(f"jaxgan/{room}/") for mutant in chosen)
        print(f"{room}: {seen[room]} of {total} seen, {seen[room] / total:.0%}")
    print(f"score: {sum(seen.values())} of {len(chosen)}, {sum(seen.values()) / len(chosen):.0%} (seed {args.seed})")


def told(mutant: Mutant) -> str:
    """A mutant in one line."""
    return f"{mutant.file}:{mutant.lines.start}  {mutant.change}"


if __name__ == "__main__":
    main()
