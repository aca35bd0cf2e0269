"""What a run is going to do, complete before anything is computed or written."""

import dataclasses
import sys
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Key

import jaxgan
from jaxgan import data as datasets
from jaxgan.game import parallel
from jaxgan.game.state import System, parameter_count
from jaxgan.metrics.extractors import choose
from jaxgan.metrics.features import Extractor
from jaxgan.train import checkpoint, memory
from jaxgan.train.config import RunConfig, check_game, check_run, check_shares, settled, to_json
from jaxgan.train.report import Report

ROLLBACK_STREAM = 0x726F6C6C  # larger than any step, with which keys are folded too
Build: TypeAlias = Callable[[Any, str | None], System]
"""`(config, axis_name) -> System`, as a recipe's `build`."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """A checked run.

    Attributes:
        summary: one line about the system, from the docstring of the module that builds it.
        recipe: name of the recipe, or None.
        system: built for the way in which `run` uses the devices.
        config: the system's configuration, with the shape and classes of the data.
        data: what it trains on.
        run: the run's options.
        mesh: the devices.
        rows: images a step.
        abstract: shapes, dtypes and shardings of the state.
        report: where the run speaks.
        extractor: what generated images are measured by, or None.
        warnings: sentences in which the recipe doubts its configuration.
    """

    summary: str
    recipe: str | None
    system: System
    config: Any
    data: datasets.ImageData
    run: RunConfig
    mesh: Mesh
    rows: int
    abstract: Any
    report: Report
    extractor: Extractor | None
    warnings: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """Classes to choose from when sampling, 0 where there is no choice."""
        return len(self.data.class_names) if self.system.conditional else 0

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
            "images": len(self.data.source),
            "image_shape": list(self.data.image_shape),
            "class_names": list(self.data.class_names),
        }
        config, run = to_json(self.config), to_json(self.run)
        return {"jaxgan": jaxgan.__version__, "recipe": self.recipe, "config": config, "run": run, "data": about}

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
            f"Training    {config.steps:,} steps of {self.rows} images, {getattr(config, 'precision', 'float32')}, "
            f"seed {run.seed}",
            f"Checkpoints every {run.checkpoint_every:,} steps, the latest {run.keep} kept, {megabytes:.3g} MB each",
            *([self._evaluation()] if self.extractor else []),
            *(f"Warning     {sentence}" for sentence in self.warnings),
        ]

    def _evaluation(self) -> str:
        name = self.extractor.name if self.extractor else ""
        n, size = self.run.eval_samples, len(self.data.source)
        return f"Evaluation  every {self.run.eval_every:,} steps, {n:,} images against {size:,}, seen by {name}"


def make_plan(
    build: Build,
    config: Any,
    data: datasets.ImageData,
    run: RunConfig,
    *,
    recipe: str | None,
    report: Report,
) -> Plan:
    """Check everything that can be checked without computing; UserError for what cannot work."""
    check_run(run)
    config = adapt(config, data)
    mesh = parallel.make_mesh()
    system, warned = _build(build, config, parallel.axis_name_of(run.parallel))
    rows = config.batch_size * system.microbatches
    check_game(config, rows, mesh.size)
    if run.parallel != "jit":
        check_shares(config, mesh.size)
    parallel.check_even(list(mesh.devices.flat))
    module = sys.modules.get(build.__module__)
    summary = ((module and module.__doc__) or build.__name__).splitlines()[0]
    abstract = abstract_state(system, mesh)
    memory.check_least(abstract, data, run, mesh.local_devices)
    extractor = choose(run.extractor, [data.image_shape], weights=run.weights) if run.eval_every else None
    return Plan(summary, recipe, system, config, data, run, mesh, rows, abstract, report, extractor, warned)


def _build(build: Build, config: Any, axis_name: str | None) -> tuple[System, tuple[str, ...]]:
    """The system, and what its recipe warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        return build(config, axis_name), tuple(str(each.message) for each in caught)


def adapt(config: Any, data: datasets.ImageData) -> Any:
    """`config` with what follows from the data (image shape, number of classes) and from the length of the run."""
    known = {field.name for field in dataclasses.fields(config)}
    facts = {"image_shape": tuple(data.image_shape), "classes": len(data.class_names)}
    return settled(dataclasses.replace(config, **{name: value for name, value in facts.items() if name in known}))


def abstract_state(system: System, mesh: Mesh) -> Any:
    """Shapes and dtypes of a system's state, each replicated over the mesh."""
    whole = NamedSharding(mesh, PartitionSpec())
    shapes = jax.eval_shape(system.init, jax.random.key(0))
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=whole), shapes)
