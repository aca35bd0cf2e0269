"""What a run is going to do, complete before anything is computed or written."""

import dataclasses
import hashlib
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import jax
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Key

import jaxgan
from jaxgan import data as datasets
from jaxgan import fields
from jaxgan.augment.basic import MIRRORED
from jaxgan.errors import UserError
from jaxgan.fields import Spec
from jaxgan.game import GameState, Stage, System, parallel, parameter_count, without_frozen
from jaxgan.game.random import Stream
from jaxgan.metrics.seen_by.extractors import at_hand, choose
from jaxgan.metrics.seen_by.features import Extractor
from jaxgan.options import with_homes
from jaxgan.paths import lasting
from jaxgan.train.loop import goals, memory
from jaxgan.train.loop.declared import stages_of
from jaxgan.train.loop.scoring import measured
from jaxgan.train.run import checkpoint, rundir
from jaxgan.train.run.config import RunConfig, check_game, check_run, check_shares, settled, to_json
from jaxgan.train.run.own import Code
from jaxgan.train.screen.report import Report

Build: TypeAlias = Callable[[Any, Spec, str | None], System]
"""`(config, spec, axis_name) -> System`, as a recipe's `build`."""
LASTING = ("data_dir", "weights")  # options that name a place; what --data means, `data.absolute` says
Callback: TypeAlias = Callable[[int, GameState, Mapping[str, float]], None]
"""`(step, state, metrics of that step)`, called when a run draws its pictures."""
SHEET = 500  # examples held out, at most, of a system whose right answers are known


@dataclasses.dataclass(frozen=True)
class Plan:
    """A checked run, or one stage of it.

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
        rows: examples a step.
        abstract: shapes, dtypes and shardings of the state.
        report: where the run speaks.
        callbacks: called when it draws its pictures.
        frozen: networks that never move, {} for none.
        extractor: what generated images are measured by, or None.
        warnings: sentences in which the recipe doubts its configuration.
        stage: which one of `stages` this is; its `system` is the stage's.
        stages: of the run, in order.
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
    callbacks: tuple[Callback, ...]
    extractor: Extractor | None
    warnings: tuple[str, ...]
    stage: Stage
    stages: tuple[Stage, ...]

    @property
    def ends(self) -> int:
        """The step of the run after which the stage ends."""
        return self.config.steps if self.stage.until is None else self.stage.until

    def key(self, rollbacks: int = 0) -> Key[Array, ""]:
        """The run's key, on all devices; another one after going back, for the same would give the same collapse."""
        key = jax.random.key(self.run.seed)
        if index := self.stages.index(self.stage):  # its steps count from 0 again, and its noise must be other noise
            key = jax.random.fold_in(jax.random.fold_in(key, Stream.STAGE), index)
        if rollbacks:
            key = jax.random.fold_in(jax.random.fold_in(key, Stream.ROLLBACK), rollbacks)
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
        stages = [[stage.name, stage.until] for stage in self.stages]
        about_stages = {"stages": stages, "stage": self.stage.name}
        return {**about_code, **about_stages, "config": config, "run": run, "data": about, "frozen": frozen}

    def lines(self) -> list[str]:
        """The run for people."""
        players = self.abstract.players.items()
        sizes = [f"{name} {parameter_count(player.params):,} parameters" for name, player in players]
        megabytes = checkpoint.nbytes(self.abstract) / 1e6
        devices = list(self.mesh.devices.flat)
        run, config = self.run, self.config
        return [
            f"Data        {self.data.description}",
            f"Recipe      {self.recipe or 'your own'}: {self.summary}",
            f"Players     {', '.join(sizes)}",
            f"Devices     {len(devices)} x {devices[0].device_kind} ({devices[0].platform}), {run.parallel}",
            f"Training    {config.steps:,} steps of {self.rows} examples, {getattr(config, 'precision', 'float32')}, "
            f"seed {run.seed}",
            *self._stages(),
            f"Checkpoints every {run.checkpoint_every:,} steps, the latest {run.keep} kept, {megabytes:.3g} MB each",
            *([f"Held out    {run.hold_out:,} examples, for sheets and paired metrics"] if run.hold_out else []),
            *([self._evaluation()] if run.eval_every else []),
            *(f"Warning     {sentence}" for sentence in self.warnings),
        ]

    def _stages(self) -> list[str]:
        """What follows what, where there is more than one stage; the players are those of this one."""
        if len(self.stages) < 2:
            return []
        ends = (f"{stage.name} until {stage.until or self.config.steps:,}" for stage in self.stages)
        return [f"Stages      {', '.join(ends)}; now {self.stage.name}"]

    def _evaluation(self) -> str:
        if goal := self.system.goal:
            return f"Evaluation  every {self.run.eval_every:,} steps, by {goal.name} ({goal.better} is better)"
        name = self.extractor.name if self.extractor else ""
        n, size = self.run.eval_samples, self.data.size
        return f"Evaluation  every {self.run.eval_every:,} steps, {n:,} examples against {size:,}, seen by {name}"


def make_plans(
    build: Build,
    config: Any,
    data: datasets.Data,
    run: RunConfig,
    *,
    recipe: str | None,
    code: Code | None = None,
    report: Report,
    callbacks: Sequence[Callback] = (),
) -> tuple[Plan, ...]:
    """A plan for each stage, with all checked that can be without computing; UserError for what cannot work.

    Arguments are those of `fit`.
    """
    check_run(run)
    run = _lasting(run)
    config = settled(config)
    stages = stages_of(build, config)
    module = sys.modules.get(build.__module__)
    if isinstance(needs := getattr(module, "NEEDS", None), fields.Needs):
        fields.check(data.spec, needs, data.name)
    built = [_build(stage.build, config, data.spec, parallel.axis_name_of(run.parallel)) for stage in stages]
    systems = [system for system, _ in built]
    for system in systems:
        check_batch(system, data)
        if run.mirror and not any(field.kind in MIRRORED for field in system.batch.values()):
            told = ", ".join(f"{name} ({field.kind})" for name, field in system.batch.items())
            raise UserError(f"--mirror turns {', '.join(MIRRORED)}; this system trains on {told}.")
    run, lacking = _seen(systems, data, dataclasses.replace(run, hold_out=_held_out(systems, data, run)))
    shared: dict[str, Any] = {"config": config, "run": run, "mesh": parallel.make_mesh(), "stages": stages}
    shared["data"], shared["held"] = datasets.hold_out(data, run.hold_out or 0)
    shared |= {"recipe": recipe, "code": code, "report": report, "callbacks": tuple(callbacks)}
    shared["summary"] = ((module and module.__doc__) or build.__name__).splitlines()[0]
    plans = tuple(
        _plan(stage, system, (*warned, *lacking), _extractor(system, data, run), shared)
        for stage, (system, warned) in zip(stages, built, strict=True)
    )
    if run.eval_every and not any(plan.extractor or plan.system.goal for plan in plans):
        raise UserError("--eval-every compares what a system makes with the data, which have nothing of the kind.")
    return plans


def _lasting(run: RunConfig) -> RunConfig:
    """The run with paths that mean the same from another working directory, where it may go on; `out` is opened here.

    Raises:
        UserError: --from names no run.
    """
    run = with_homes(run)
    begins = {"from_": _root(run.from_)} if run.from_ is not None else {}
    kept = {name: lasting(value) for name in LASTING if (value := getattr(run, name))}
    return dataclasses.replace(run, **begins, **kept)


def _root(run: str) -> str:
    try:
        return str(rundir.read_config(run)[0].root.resolve())
    except UserError as error:
        raise UserError(f"--from: {error}") from error


def _plan(
    stage: Stage, system: System, warned: tuple[str, ...], extractor: Extractor | None, shared: dict[str, Any]
) -> Plan:
    """The plan of one stage, checked against the devices."""
    config, run, mesh = system.config, shared["run"], shared["mesh"]
    rows = config.batch_size * system.microbatches
    check_game(config, rows, mesh.size)
    if run.parallel != "jit":
        check_shares(config, mesh.size)
    parallel.check_even(list(mesh.devices.flat))
    abstract = abstract_state(system, mesh)
    frozen = dict(system.frozen()) if system.frozen else {}
    memory.check_least(abstract, shared["data"], system.batch, run, mesh.local_devices)
    if run.eval_every and system.goal:
        goals.check(stage.build(shared["config"], shared["data"].spec, None), frozen, rows)
    own = {"system": system, "rows": rows, "abstract": abstract, "frozen": frozen, "extractor": extractor}
    return Plan(**shared, **own, warnings=warned, stage=stage)


def check_batch(system: System, data: datasets.Data) -> None:
    """Raise UserError where the system's batch has a field that the data lacks, or has as another kind."""
    for name, field in system.batch.items():
        has = data.spec.get(name)
        if has is None or has.kind != field.kind:
            told = f"has it as {has.kind}" if has else f"has {', '.join(data.spec)}"
            raise UserError(f"this system trains on {name} ({field.kind}), but {data.name} {told}.")


def _extractor(system: System, data: datasets.Data, run: RunConfig) -> Extractor | None:
    """What the system's examples are seen by; None where nothing is measured, or another number than a distance."""
    found = measured(system, data.spec)
    if run.eval_every is None or system.goal or found is None:
        return None
    return choose(run.extractor, [data.spec[found[1]]], weights=run.weights)


def _seen(systems: Sequence[System], data: datasets.Data, run: RunConfig) -> tuple[RunConfig, tuple[str, ...]]:
    """The run with the extractor that is at hand, so that a resumed one has it too; and what is to be said of it."""
    said: list[str] = []
    if run.eval_every:
        found = [measured(system, data.spec) for system in systems if system.goal is None]
        seen = [data.spec[field] for _, field in filter(None, found)]
        run = dataclasses.replace(run, extractor=at_hand(run.extractor, seen, said.append, run.weights))
    return run, tuple(said)


def _held_out(systems: Sequence[System], data: datasets.Data, run: RunConfig) -> int:
    """Examples to hold out: as asked, else all apart or a tenth, at most `SHEET`, where right answers are known."""
    if run.hold_out is not None:
        return run.hold_out
    known = any(verb.truth for system in systems for verb in system.verbs.values())
    return min(SHEET, data.apart or min(table.rows for table in data.tables) // 10) if known else 0


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
