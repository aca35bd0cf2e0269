"""The commands of `mode_collapse.py`: each runs its experiment, draws its figure and returns the rows of its table."""

import dataclasses
import sys
import time
from collections import defaultdict
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from jaxgan.errors import UserError
from laboratory import claims, dirac, dirac_engine, figures, mixtures, points, record, stacked
from laboratory.record import Row


@dataclasses.dataclass(frozen=True)
class Options:
    """What all commands take.

    Attributes:
        seeds: of each cell.
        steps: of training; None: each task's own.
        out: folder of the results.
        remedies: those that `mixtures` runs.
    """

    seeds: int = 5
    steps: int | None = None
    out: Path = Path("mode_collapse")
    remedies: tuple[mixtures.Remedy, ...] = mixtures.REMEDIES


def run_dirac(options: Options) -> list[Row]:
    """For every loss, penalty and dynamics: what the closed form says, and what the engine does near and far."""
    steps, rows = options.steps or 3000, []
    for dynamics in dirac.DYNAMICS:
        near, far = (dirac_engine.simulate_cells(dynamics, steps, start) for start in (dirac.NEAR, dirac.FAR))
        for (penalty, loss), *paths in zip(dirac.CELLS, near, far, strict=True):
            setting = dirac.Setting(loss, penalty, dynamics)
            theory = {"radius": dirac.radius(setting), "theory": dirac.verdict(setting, steps)}
            seen = {"near": dirac_engine.nearby(paths[0]), "far": dirac_engine.observed(paths[1])}
            rows.append({"loss": loss, "penalty": penalty, "dynamics": dynamics, **theory, **seen})
    return rows


def run_mixtures(options: Options) -> list[Row]:
    """Means and spreads over seeds of modes, high-quality share and reverse KL, of the averaged generator."""
    rows: list[Row] = []
    pictures: dict[tuple[str, str], Float[np.ndarray, "n 2"]] = {}
    programs: list[tuple[mixtures.Remedy, bool]] = [*((remedy, False) for remedy in options.remedies), ("none", True)]
    names, games = mixtures.cells()
    games = mixtures.spread(games)
    for remedy, spectral in programs:
        run = mixtures.program(mixtures.Setup(remedy=remedy, spectral=spectral))
        for name, task in (("ring", points.ring()), ("grid", points.grid())):
            task = task._replace(steps=options.steps or task.steps)
            began = time.perf_counter()
            samples = np.asarray(run(task, games, jnp.arange(options.seeds)))[:, :, 1]
            print(f"{name}, {remedy}{', spectral' * spectral}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
            cure = "spectral_norm" if spectral else remedy
            pictures[name, cure] = samples[names.index(("non_saturating", "none")), 0]
            for (loss, penalty), cell in zip(names, samples, strict=True):
                scores = np.array([points.score(task, seed) for seed in cell])
                rows.append({"task": name, "loss": loss, "penalty": penalty, "remedy": cure, **_spread(scores)})
    figures.mixture_samples(options.out, pictures)
    return rows


def run_stacked(options: Options) -> list[Row]:
    """Modes of 1000 and reverse KL of 10,000 samples, early and at the end; first what the data themselves score."""
    images = jnp.asarray(stacked.clothes())
    found = stacked.count(stacked.real(images, stacked.PROTOCOL, 0))
    rows: list[Row] = [{"condition": "the data", "modes": found.covered, "reverse_kl": found.reverse_kl}]
    pictures = {"the data": np.asarray(next(stacked.real(images, stacked.PROTOCOL, 0)))}
    for name, condition in stacked.CONDITIONS.items():
        config = dataclasses.replace(condition.config, steps=options.steps or condition.config.steps)
        scores, pictures[name] = _train_stacked(name, condition._replace(config=config), images, options.seeds)
        for steps, seeds in scores.items():
            (modes, kl), (spread, kl_spread) = np.mean(seeds, 0), np.std(seeds, 0)
            measured = {"modes": modes, "+-": spread, "reverse_kl": kl, "KL +-": kl_spread}
            rows.append({"condition": name, "steps": steps, **measured})
    figures.stacked(options.out, rows, pictures)
    return rows


def run_claims(options: Options) -> list[Row]:
    """The measurements of four claims, one figure each; (c) reads what `mixtures` and `stacked` left in the folder.

    Raises:
        UserError: those have not been run, or `mixtures` without a remedy that is compared.
    """
    kept = {name: options.out / f"mode_collapse_{name}.json" for name in ("mixtures", "stacked")}
    for name, path in kept.items():
        if not path.exists():
            raise UserError(
                f"claims reads {path}, which is not there; run mode_collapse.py {name} with this --out first."
            )
    modes, images = (record.load(path) for path in kept.values())
    missing = {"none", *claims.CURES} - {row["remedy"] for row in modes}
    if missing:
        raise UserError(f"claims compares all remedies, but {kept['mixtures']} lacks {', '.join(sorted(missing))}.")
    return [
        *claims.critic_loss(options.out, options.seeds, options.steps),
        *claims.strong_discriminator(options.out, options.seeds, options.steps),
        *claims.remedies(options.out, modes, images),
        *claims.two_time_scales(options.out),
    ]


def _train_stacked(
    name: str, condition: stacked.Condition, images: UInt8[Array, "n h w"], seeds: int
) -> tuple[dict[int, list[tuple[float, float]]], Float[np.ndarray, "b h w c"]]:
    """Modes and reverse KL of every seed by the steps they were counted after, and the last samples of the first."""
    system = stacked.build(condition)
    advance, samples = stacked.advancing(system), stacked.sampling(system)
    scores, picture = defaultdict(list), np.zeros(())
    for seed in range(seeds):
        for steps, state in stacked.train(system, images, seed, advance):
            found = stacked.count(samples(state, stacked.PROTOCOL, seed))
            scores[steps].append((found.covered, found.reverse_kl))
            if seed == 0:
                picture = np.asarray(next(samples(state, stacked.CHUNK, seed)))
            print(f"{name}, seed {seed}, {steps} steps: {scores[steps][-1]}", file=sys.stderr)
    return scores, picture


def _spread(scores: np.ndarray) -> Row:
    """Mean and standard deviation over seeds of each part of a score."""
    columns = zip(points.Score._fields, scores.mean(0), scores.std(0), strict=True)
    return {key: value for name, mean, std in columns for key, value in ((name, mean), (f"{name} +-", std))}
