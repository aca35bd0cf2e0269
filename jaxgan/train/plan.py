"""What a run is going to do, complete before anything is computed or written."""

import dataclasses
import hashlib
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Key

import jaxgan
from jaxgan import data as datasets
from jaxgan import fields
from jaxgan.errors import UserError
from jaxgan.fields import Spec
from jaxgan.game import GameState, System, parallel, parameter_count, without_frozen
from jaxgan.metrics.extractors import choose
from jaxgan.metrics.features import Extractor
from jaxgan.train import checkpoint, memory
from jaxgan.train.config import RunConfig, check_game, check_run, check_shares, settled, to_json
from jaxgan.train.own import Code
from jaxgan.train.report import Report

ROLLBACK_STREAM = 0x726F6C6C  # larger than any step, with which keys are folded too
Build: TypeAlias = Callable[[Any, Spec, str | None], System]
"""`(config, spec, axis_name) -> System`, as a recipe's `build`."""
SHEET = 500  # examples held out, at most, of a system whose right answers are known


@dataclasses.dataclass(frozen=True)
class Plan:
    """A checked run.

    Attributes:
        summary: one line about the system, from the docstring of the module that builds it.
        recipe: name of the recipe, or None.
        code: where the code of a user's own system is, or None.
        system: built for the way in which `run` uses the devices.
        config: the system's configuration.
        data: what it trains on.
        held: what it does not train on, for sheets and paired metrics; the same as `data` where nothing is held out.
        run: the run's options.
        mesh: the devices.
        rows: images a step.
        abstract: shapes, dtypes and shardings of the state.
        report: where the run speaks.
        frozen: networks that never move, {} for none.
        extractor: what generated images are measured by, or None.
        warnings: sentences in which the recipe doubts its configuration.
    """

    summary: str
    recipe: str | None
    code: Code | None
    system: System
    config: Any
    data: datasets.Data
    held: datasets.Data
    run: RunConfig
    mesh: Mesh
    rows: int
    abstract: Any
    frozen: Mapping[str, Any]
    report: Report
    extractor: Extractor | None
    warnings: tuple[str, ...] = ()

    def key(self, rollbacks: int = 0) -> Key[Array, ""]:
        """The run's key, on all devices; another one after going back, for the same would give the same collapse."""
        key = jax.random.key(self.run.seed)
        if rollbacks:
            key = jax.random.fold_in(jax.random.fold_in(key, ROLLBACK_STREAM), rollbacks)
        return parallel.place_state(key, self.mesh)

    def description(self) -> dict[str, Any]:
        """The run as JSON values: what config.json holds, enough to make this plan again."""
        about = {
            "name": self.data.name,
            "fingerprint": self.data.fingerprint,
            "description": self.data.description,
            "examples": self.data.size,
            "fields": fields.to_json(self.data.spec),
        }
        config, run = to_json(self.config), to_json(self.run)
        code = self.code and self.code._asdict()
        about_code = {"jaxgan": jaxgan.__version__, "recipe": self.recipe, "code": code}
        frozen = {name: digest_of(tree) for name, tree in self.frozen.items()}
        return {**about_code, "config": config, "run": run, "data": about, "frozen": frozen}

    def lines(self) -> list[str]:
        """The run for people."""
        players = self.abstract.players.items()
        sizes = [f"{name} {parameter_count(player.params):,} parameters" for name, player in players]
        things = "images" if "image" in self.system.batch else "examples"
        megabytes = checkpoint.nbytes(self.abstract) / 1e6
        devices = list(self.mesh.devices.flat)
        run, config = self.run, self.config
        return [
            f"Data        {self.data.description}",
            f"Recipe      {self.recipe or 'your own'}: {self.summary}",
            f"Players     {', '.join(sizes)}",
            f"Devices     {len(devices)} x {devices[0].device_kind} ({devices[0].platform}), {run.parallel}",
            f"Training    {config.steps:,} steps of {self.rows} {things}, {getattr(config, 'precision', 'float32')}, "
            f"seed {run.seed}",
            f"Checkpoints every {run.checkpoint_every:,} steps, the latest {run.keep} kept, {megabytes:.3g} MB each",
            *([f"Held out    {run.hold_out:,} examples, for sheets and paired metrics"] if run.hold_out else []),
            *([self._evaluation()] if self.extractor else []),
            *(f"Warning     {sentence}" for sentence in self.warnings),
        ]

    def _evaluation(self) -> str:
        name = self.extractor.name if self.extractor else ""
        n, size = self.run.eval_samples, self.data.size
        return f"Evaluation  every {self.run.eval_every:,} steps, {n:,} images against {size:,}, seen by {name}"


def make_plan(
    build: Build,
    config: Any,
    data: datasets.Data,
    run: RunConfig,
    *,
    recipe: str | None,
    code: Code | None = None,
    report: Report,
) -> Plan:
    """Check everything that can be checked without computing; UserError for what cannot work."""
    check_run(run)
    config = settled(config)
    mesh = parallel.make_mesh()
    module = sys.modules.get(build.__module__)
    if isinstance(needs := getattr(module, "NEEDS", None), fields.Needs):
        fields.check(data.spec, needs, data.name)
    system, warned = _build(build, config, data.spec, parallel.axis_name_of(run.parallel))
    check_batch(system, data)
    run = dataclasses.replace(run, hold_out=_held_out(system, data, run))
    kept, held = datasets.hold_out(data, run.hold_out or 0)
    rows = config.batch_size * system.microbatches
    check_game(config, rows, mesh.size)
    if run.parallel != "jit":
        check_shares(config, mesh.size)
    parallel.check_even(list(mesh.devices.flat))
    summary = ((module and module.__doc__) or build.__name__).splitlines()[0]
    abstract = abstract_state(system, mesh)
    frozen = dict(system.frozen()) if system.frozen else {}
    memory.check_least(abstract, kept, system.batch, run, mesh.local_devices)
    extractor = _extractor(system, data, run) if run.eval_every else None
    return Plan(
        summary, recipe, code, system, config, kept, held, run, mesh, rows, abstract, frozen, report, extractor, warned
    )


def check_batch(system: System, data: datasets.Data) -> None:
    """Raise UserError where the system's batch has a field that the data lacks, or has as another kind."""
    for name, field in system.batch.items():
        has = data.spec.get(name)
        if has is None or has.kind != field.kind:
            told = f"has it as {has.kind}" if has else f"has {', '.join(data.spec)}"
            raise UserError(f"this system trains on {name} ({field.kind}), but {data.name} {told}.")


def measured(system: System, spec: Spec) -> tuple[str, str] | None:
    """The verb and the field it makes by which a system is measured: the first that the data has, of the same kind."""
    for name, verb in system.verbs.items():
        for made, field in verb.makes.items():
            if made in spec and spec[made].kind == field.kind:
                return name, made
    return None


def _extractor(system: System, data: datasets.Data, run: RunConfig) -> Extractor:
    found = measured(system, data.spec)
    if found is None:
        raise UserError("--eval-every compares what a system makes with the data, which have nothing of the kind.")
    return choose(run.extractor, [data.spec[found[1]]], weights=run.weights)


def _held_out(system: System, data: datasets.Data, run: RunConfig) -> int:
    """Examples that the run holds out: as asked, else a tenth, at most `SHEET`, where right answers are known."""
    if run.hold_out is not None:
        return run.hold_out
    known = any(verb.truth for verb in system.verbs.values())
    return min(SHEET, min(table.rows for table in data.tables) // 10) if known else 0


def _build(build: Build, config: Any, spec: Spec, axis_name: str | None) -> tuple[System, tuple[str, ...]]:
    """The system, and what its recipe warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        return build(config, spec, axis_name), tuple(str(each.message) for each in caught)


def abstract_state(system: System, mesh: Mesh) -> Any:
    """Shapes, dtypes and places of a system's state as checkpoints hold it: without what is frozen."""
    shapes = jax.eval_shape(system.init, jax.random.key(0))
    shapes = without_frozen(shapes) if isinstance(shapes, GameState) else shapes
    return jax.tree.map(
        lambda leaf, place: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place),
        shapes,
        parallel.state_shardings(shapes, mesh),
    )


def digest_of(tree: Any) -> str:
    """SHA-256 of a pytree of arrays, by which frozen networks are known again."""
    total = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        array = np.ascontiguousarray(np.asarray(leaf))
        total.update(f"{jax.tree_util.keystr(path)} {array.dtype} {array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()
