"""The command `jaxgan import`: published files of weights become a run."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import jax
import numpy as np
from tyro import conf

from jaxgan import data as datasets
from jaxgan import recipes
from jaxgan.errors import UserError, first_of, flag
from jaxgan.fields import Spec, shapes
from jaxgan.game import GameState
from jaxgan.options import PathText, parse
from jaxgan.paths import typed
from jaxgan.recipes.common.imports import Imports, Part
from jaxgan.train.loop.plan import Plan, make_plans
from jaxgan.train.run import checkpoint, rundir
from jaxgan.train.run.config import RunConfig
from jaxgan.train.run.data import open_data
from jaxgan.train.screen.quiet import quiet
from jaxgan.train.screen.report import Report
from jaxgan.weights.layouts.layout import Found, arrays, plain
from jaxgan.weights.pth import read_pth

ABOUT = "Make a run of published weights (.pth); FILE, or PART=FILE where its name does not say which part it is."


@dataclasses.dataclass(frozen=True, kw_only=True)
class PublishedConfig:
    """Options of `jaxgan import`."""

    as_: Annotated[str | None, conf.arg(name="as")] = None
    """The recipe whose networks they are."""
    out: PathText | None = None
    """Folder of the run, new or empty; None for runs/RECIPE-imported-N."""
    data: PathText | None = None
    """Data to go on training with (--resume); None: the run translates, and others begin with it (--from)."""
    image_size: int = 256
    """Pixels a side that the run trains on; translators take pictures of any size."""


class File(NamedTuple):
    """A file of one network.

    Attributes:
        name: what errors call it.
        part: which part of the recipe it fills.
        layout: what form it has, in words.
        found: what the layout says.
        arrays: ours, by path.
        ignored: names of arrays that nobody needs: statistics that instance normalisation does not use, counters.
    """

    name: str
    part: str
    layout: str
    found: Found
    arrays: dict[str, np.ndarray]
    ignored: tuple[str, ...]


def command(args: Sequence[str]) -> int:
    """Make a run of files of weights; nothing in them is executed."""
    count = next((i for i, arg in enumerate(args) if arg.startswith("-")), len(args))
    files = args[:count]
    config = parse("jaxgan import FILE ...", ABOUT, (PublishedConfig,), args[count:])[0]
    if not files:
        raise UserError(f"jaxgan import takes a file of weights first, got {' '.join(args) or 'nothing'}.")
    quiet()
    module = _recipe(config.as_)
    known: Imports = module.IMPORTS
    read: dict[str, File] = {}
    for name in files:
        file = read_file(name, known.parts)
        if file.part in read:
            raise UserError(f"{read[file.part].name} and {file.name} are both {file.part}.")
        read[file.part] = file
    options, spec = known.settle({part: file.found.about for part, file in read.items()}, config.image_size)
    plan = _plan(module, options, spec, config)
    state = filled(jax.jit(plan.system.init)(plan.key()), known.parts, read)
    folder = rundir.create(config.out, config.as_, "imported")
    checkpoint.save(folder.checkpoints, 0, state, {"stage": plan.stage.name}, keep=1)
    rundir.write_json(folder.config, plan.description())
    for line in _lines(read, known.parts, options, folder.root):
        print(line)
    return 0


def read_file(name: str, parts: Mapping[str, Part]) -> File:
    """A file, and which part of a recipe it is: as said, by the end of its name, or the first that its layout fits.

    Raises:
        UserError: no such file, one that is broken, of no layout of the recipe, or not whole.
    """
    said, equals, rest = name.partition("=")
    path = typed(rest if equals and said in parts else name)
    try:
        state = plain(read_pth(path.read_bytes(), str(path)))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    sizes = {key: array.shape for key, array in state.items()}
    ends = [part for part, each in parts.items() if any(path.stem.endswith(f"_net_{end}") for end in each.ends)]
    wanted = [said] if equals and said in parts else ends[:1] or list(parts)
    for part in wanted:
        for layout in parts[part].layouts:
            if found := layout.find(sizes):
                ours = arrays(found, state, str(path))
                return File(str(path), part, layout.name, found, ours, tuple(sorted(found.unused & set(state))))
    takes = dict.fromkeys(layout.name for part in wanted for layout in parts[part].layouts)
    raise UserError(f"{path} is none of {', '.join(takes)}: it begins with {', '.join(list(state)[:5]) or 'nothing'}.")


def filled(state: GameState, parts: Mapping[str, Part], files: Mapping[str, File]) -> GameState:
    """The state with the arrays of files in their places, in the players' averages too.

    Raises:
        UserError: an array that is missing, that has no place, or that is of another shape.
    """
    players = dict(state.players)
    for name, file in files.items():
        part = parts[name]
        player = players[part.player]
        new = {kind: _placed(tree, kind, part, file) for kind, tree in {"params": player.params, **player.vars}.items()}
        params = new.pop("params")
        ema = None if player.ema is None else _placed(player.ema, "params", part, file)
        players[part.player] = dataclasses.replace(player, params=params, vars=new, ema=ema)
    return dataclasses.replace(state, players=players)


def _placed(tree: Any, kind: str, part: Part, file: File) -> Any:
    """A player's tree of one kind with what the file has of it."""
    own = tree if part.network is None else tree[part.network]
    leaves, structure = jax.tree_util.tree_flatten_with_path(own)
    places = {f"{kind}/{jax.tree_util.keystr(path, simple=True, separator='/')}": leaf for path, leaf in leaves}
    given = {path: array for path, array in file.arrays.items() if path.startswith(f"{kind}/")}
    for path in sorted(set(places) | set(given)):
        there, here = (None if path not in each else tuple(each[path].shape) for each in (given, places))
        if there != here:
            raise UserError(f"{file.name} does not fit {file.layout}: {_told(path, file)} is {there}, wanted {here}.")
    new = jax.tree.unflatten(structure, [given[path] for path in places])
    return new if part.network is None else {**tree, part.network: new}


def _told(path: str, file: File) -> str:
    return file.found.takes[path].key if path in file.found.takes else path


def _recipe(name: str | None) -> Any:
    able = [each for each in recipes.names() if hasattr(recipes.load(each), "IMPORTS")]
    if name is None or name not in able:
        known = ", ".join(able)
        raise UserError(f"--as takes a recipe that published weights are known of: {known}; got {name or 'nothing'}.")
    return recipes.load(name)


def _plan(module: Any, options: Mapping[str, Any], spec: Spec, config: PublishedConfig) -> Plan:
    """The plan of a run with these options, and with its data or an example that stands for any."""
    rundir.check_out(config.out)
    run = RunConfig(out=config.out, image_size=config.image_size)
    if config.data is None:
        note = f"none: imported; your own go on by jaxgan train {config.as_} --data ... --from"
        blank = {name: np.zeros(x.shape, spec[name].dtype) for name, x in shapes(spec, 1).items()}
        data = datasets.of_arrays(blank, dict(spec), "imported", note)
    else:
        run = dataclasses.replace(run, data=datasets.absolute(config.data))
        data = open_data(run, module.NEEDS)
        if wrong := [name for name, field in spec.items() if data.spec[name].shape != field.shape]:
            has, wants = data.spec[wrong[0]].shape, spec[wrong[0]].shape
            raise UserError(f"--data {config.data} has {wrong[0]} {has}, but the networks take {wants}.")
    about: dict[str, Any] = {"recipe": config.as_, "report": Report()}
    return make_plans(module.build, module.Config(**options), data, run, **about)[0]


def _lines(files: Mapping[str, File], parts: Mapping[str, Part], options: Mapping[str, Any], run: Path) -> list[str]:
    """What was made, for people."""
    read = [
        f"{part:<11} {file.layout} ({', '.join(f'{name} {value}' for name, value in file.found.about.items())}): "
        f"{file.name}"
        for part, file in files.items()
    ]
    begin = [part for part in parts if part not in files]
    chosen = " ".join(f"{flag(name)} {value}" for name, value in options.items())
    ignored = [f"Ignored     {first_of(file.ignored, 3)} of {file.name}" for file in files.values() if file.ignored]
    return [
        *read,
        *ignored,
        *([f"Begin anew  {', '.join(begin)}"] if begin else []),
        f"Options     {chosen}",
        f"Output      {run}",
    ]
