"""The command `jaxgan interpolate`: ways through the latent space of a trained run."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from jaxgan.commands.verbs import chosen_of, given_of, label_of, step_of, suffix_of, texts_of, things
from jaxgan.latent.paths import between
from jaxgan.options import parse
from jaxgan.show import given as givens
from jaxgan.show import morph
from jaxgan.show.replace import free, noticing, told
from jaxgan.show.sampling import make_batches, make_sampler
from jaxgan.show.sets import check_out, write_set
from jaxgan.train.run import own
from jaxgan.train.run.config import (
    InterpolateConfig,
    check_at_least,
    check_seed,
)
from jaxgan.train.run.load import described, state_of
from jaxgan.train.screen.quiet import quiet

ABOUT = "Make what lies between the samples of a trained run, on ways through its latent space."


def command(run: str, args: Sequence[str]) -> int:
    """Write what the run's system decodes on the ways between latents that it draws."""
    if run == "-":
        parse("jaxgan interpolate RUN", ABOUT, (InterpolateConfig,), args)
    quiet()
    found = described(run, own.taken(args), step=step_of(args))
    draw, decode = found.system.verb("draw"), found.system.verb("decode")
    rest = {name: field for name, field in decode.given.items() if name not in draw.makes}
    config, texts = parse(f"jaxgan interpolate {run}", ABOUT, (InterpolateConfig, texts_of(rest)), args)
    check_at_least("n", config.n, 1)
    check_at_least("steps", config.steps, 2)
    check_seed(config.seed)
    chosen = chosen_of(rest, texts)
    out = Path(config.out) if config.out else None
    moving = out is not None and morph.fits(out, decode.makes)
    check_out(out.with_suffix(".png") if out and moving else out, decode.makes, config.n * config.steps)
    of_ways = given_of(found, dataclasses.replace(decode, given=rest), chosen)(0, config.n)
    state, step = state_of(found)
    out = out or free(found.folder.root / f"interpolate-{step}-seed{config.seed}{suffix_of(decode.given, chosen)}.png")
    ends = make_sampler(draw, config.n + 1, config.seed, givens.nothing)(state)
    given = givens.rows_of(_on_ways(ends, of_ways, config.steps))
    made = make_batches(decode, config.n * config.steps, config.seed, given)(state)
    with noticing() as stood:
        if moving:
            morph.write_morph(out, decode.makes, made, config.steps)
        else:
            write_set(out, decode.makes, made, label_of(dataclasses.replace(decode, given=rest), given), config.steps)
    print(f"{config.n} ways of {config.steps} {things(decode.makes)} by step {step}: {out}{told(stood)}")
    return 0


def _on_ways(ends: Mapping[str, np.ndarray], of_ways: Mapping[str, np.ndarray], steps: int) -> dict[str, np.ndarray]:
    """What is given on all ways, one after the other: latents between the ends, and all else the same on a way."""
    ways = {name: np.asarray(between(each, steps)) for name, each in ends.items()}
    latents = {name: each.reshape(-1, *each.shape[2:]) for name, each in ways.items()}
    return {**latents, **{name: np.repeat(each, steps, axis=0) for name, each in of_ways.items()}}
