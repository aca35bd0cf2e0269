"""Every Python snippet of the README and of docs/ runs; those of one page share a namespace, as a reader would."""

import dataclasses
import importlib
import inspect
import re
import shlex
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxgan import fields, recipes
from jaxgan.commands.data import DataConfig
from jaxgan.commands.import_ import PublishedConfig
from jaxgan.commands.interpolate import InterpolateConfig
from jaxgan.commands.metric_options import EvaluateConfig, ExtractorConfig, FidConfig, ImagesConfig, StatsConfig
from jaxgan.commands.translate import TranslateConfig
from jaxgan.commands.verbs import VerbConfig
from jaxgan.fields import KINDS
from jaxgan.options import flag
from jaxgan.train.cluster.joining import Cluster
from jaxgan.train.run.config import ResumeConfig, RunConfig
from jaxgan.train.run.rundir import RunDir

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
INDEX = ROOT / "docs" / "README.md"  # of the pages, without snippets
DOCS = sorted(set((ROOT / "docs").glob("*.md")) - {INDEX})
PAGES = [README, *DOCS, ROOT / "experiments" / "laboratory" / "README.md"]
BESIDE = dataclasses.make_dataclass("Beside", ["mask", "sketch", "instance", "style"])
"""Fields of verbs, which `translate` takes as options by their names."""
OPTIONS = {
    "train": (RunConfig, Cluster),
    "resume": (ResumeConfig, Cluster),
    "sample": (VerbConfig,),
    "interpolate": (InterpolateConfig,),
    "translate": (TranslateConfig, BESIDE),
    "data": (DataConfig,),
    "evaluate": (EvaluateConfig, ExtractorConfig),
    "fid": (FidConfig, ExtractorConfig, ImagesConfig),
    "stats": (StatsConfig, ExtractorConfig, ImagesConfig),
    "import": (PublishedConfig,),
    "weights": (),
}


def snippets(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_snippets_run(page, tmp_path, monkeypatch):
    namespace = run_snippets(page, tmp_path, monkeypatch)
    if page == README:
        # What its last line says: the generator has found N(3, 0.5^2); the sign of a scale means nothing.
        found = namespace["state"].players["g"].params
        assert abs(abs(found["scale"]) - 0.5) < 0.15
        assert abs(found["shift"] - 3) < 0.3


def run_snippets(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "snippet", "folder": str(tmp_path / "run")}
    found = snippets(page, "python")
    assert found, f"{page.name} has no Python snippet"
    for code in found:
        exec(compile(code, str(page), "exec"), namespace)
    return namespace


def test_the_programs_of_the_readme_are_short_and_readable():
    """A whole system, and a program that composes a train step: at most 25 lines each, none of them squeezed."""
    system, step = snippets(README, "python")
    for program in (system, step):
        lines = [line for line in program.splitlines() if line.strip()]
        assert len(lines) <= 25
        assert not [line for line in lines if len(line) > 100 or re.match(r"\s*def .*: \S", line.split("  #")[0])]
    namespace = {"__name__": "my_gan"}
    exec(compile(system, "my_gan.py", "exec"), namespace)
    built = namespace["build"](namespace["Config"](), {"image": fields.image(12, 10, 3)})
    state, batch = jax.eval_shape(built.init, jax.random.key(0)), fields.shapes(built.batch, 64)
    metrics = jax.eval_shape(built.step, state, batch, jax.random.key(0))[1]
    assert {"d/loss", "g/loss"} <= set(metrics)


def commands(page):
    """The words of every `jaxgan` command in the page's blocks."""
    for block in snippets(page, "bash"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "jaxgan":
                yield words[1:]


@pytest.mark.parametrize("page", [README, *DOCS], ids=lambda page: page.name)
def test_commands_name_recipes_and_options_that_there_are(page):
    """What each does with its options is tested where the command is."""
    for command, *words in commands(page):
        kinds = OPTIONS["resume" if "--resume" in words else command]
        named = command == "train" and words[0] not in ("--resume", "--config")
        if named and "--resume" not in words and not words[0].endswith(".py"):
            assert words[0] in recipes.names()
            kinds = (*kinds, recipes.load(words[0]).Config)
        known = {"--help", "--preset", "--config", "--resume", "-o"} | {
            flag(name) for kind in kinds for name in fields_of(kind)
        }
        if command != "train" or not words[0].endswith(".py"):
            assert {word for word in words if word.startswith("-")} <= known, f"{page.name}: {command} {words}"


def fields_of(kind):
    return inspect.signature(kind).parameters


def test_the_tree_of_a_run_is_that_of_the_code():
    (tree,) = [block for block in snippets(README, "text") if block.startswith("runs/")]
    named = {line.split()[0].strip("/") for line in tree.splitlines()[1:]}
    folder = RunDir(Path("run"))
    paths = {getattr(folder, name) for name, kind in vars(RunDir).items() if isinstance(kind, property)}
    assert named <= {path.name for path in paths}
    assert {"config.json", "samples", "checkpoints", "metrics.jsonl", "summary.png"} <= named


def found(name):
    """What a dotted name of the API page stands for."""
    thing = importlib.import_module("jaxgan")
    path = "jaxgan"
    for part in name.split(".")[1:]:
        path += f".{part}"
        thing = getattr(thing, part) if hasattr(thing, part) else importlib.import_module(path)
    return thing


def shown(thing):
    """A signature without annotations; what is made anew for each call is "...", a built-in function its name."""
    told = inspect.signature(thing)
    kept = [each.replace(annotation=each.empty) for each in told.parameters.values() if each.name != "self"]
    text = str(told.replace(parameters=kept, return_annotation=told.empty))
    return text.replace("<factory>", "...").replace("<built-in function print>", "print")


def test_the_api_page_is_that_of_the_code():
    text = (ROOT / "docs" / "api.md").read_text()
    named = dict(re.findall(r"^### `([\w.]+)(\(.*\))?`$", text, flags=re.MULTILINE))
    wanted = {f"jaxgan.{name}" for name in ("fit", "load", "train.fit", "train.restore", "train.RunConfig", "game.Aux")}
    assert wanted <= set(named)
    for name, signature in named.items():
        thing = found(name)
        assert callable(thing), name
        assert not signature or signature == shown(thing), f"{name}: {shown(thing)}"
    rows = re.findall(r"^\| (`.+?) \|", text, flags=re.MULTILINE)
    assert rows
    assert {name.strip("` ") for row in rows for name in row.split(",")} <= set(fields_of(RunConfig))


def test_links_lead_somewhere():
    for page in (*PAGES, INDEX):
        prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)#]+)\)", prose):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_index_names_every_page_once():
    named = re.findall(r"^\d+\. \[.+?\]\((\w+\.md)\)", INDEX.read_text(), flags=re.MULTILINE)
    assert sorted(named) == sorted(page.name for page in DOCS)


def test_the_table_of_units_is_that_of_the_code():
    """docs/data.md: every kind, the type that it is stored in, and what the ends of that type are seen as."""
    table = (ROOT / "docs" / "data.md").read_text().partition("| kind |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    assert {row[0].strip("`") for row in rows} == set(KINDS)
    for kind, _, stored, seen in rows:
        storage = KINDS[kind.strip("`")]
        assert stored.split(",")[0] == storage.dtype.name
        ends = re.match(r"(-?\d+)(?: \(\w+\))? to (-?\d+)", seen)
        if ends:
            least, most = (np.iinfo(storage.dtype).min, np.iinfo(storage.dtype).max)
            got = [float(storage.inside(np.array(end, storage.dtype))) for end in (least, most)]
            np.testing.assert_allclose(got, [float(end) for end in ends.groups()], atol=1e-4)
        else:
            assert float(storage.inside(np.array(7, storage.dtype))) == 7
