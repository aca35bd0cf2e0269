"""The command `jaxgan evaluate RUN`: all metrics of a trained run from one set of features."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from jaxgan import data as datasets
from jaxgan.commands import numbers, results
from jaxgan.commands.metric_options import EvaluateConfig, ExtractorConfig, check_evaluate
from jaxgan.commands.sources import extractor_of, show_warnings
from jaxgan.errors import UserError
from jaxgan.fields import Needs
from jaxgan.fields import from_json as from_fields
from jaxgan.metrics.compare.evaluate import METRICS, check_metrics, combined, evaluate, taps_of, usual_metrics
from jaxgan.metrics.compare.feature_sets import FeatureSet, feature_set_of_data
from jaxgan.metrics.compare.protocol import KINDS, Score
from jaxgan.metrics.numbers.direct import Number, told
from jaxgan.metrics.seen_by.features import Extractor, outputs_of
from jaxgan.options import parse
from jaxgan.show.sampling import make_batches
from jaxgan.train.loop.best import whole
from jaxgan.train.loop.scoring import MOST, Made, fakes_of, made_by
from jaxgan.train.run.config import RunConfig, from_json
from jaxgan.train.run.data import open_data
from jaxgan.train.run.load import Step, Trained, load
from jaxgan.train.run.rundir import RunDir, check_file, read_config, write_json
from jaxgan.train.screen.quiet import quiet
from jaxgan.train.screen.report import counting, tell

BOTH = " and "
DIRECTION = {"lower": "lower is better", "higher": "higher is better", "neither": "1 for equal distributions"}


def command(run: str, args: Sequence[str]) -> int:
    """Measure a run's best and last checkpoints against its data."""
    kinds = (EvaluateConfig, ExtractorConfig)
    config, seen_by = parse("jaxgan evaluate RUN", "All metrics of a trained run.", kinds, args)
    check_evaluate(config)
    check_metrics(config.metrics)
    quiet()
    folder, saved = read_config(run)
    out = Path(config.out) if config.out else folder.root / "evaluation.json"
    check_file(out, "--out")
    states = _named({name: load(run, step, tell, config.system) for name, step in _wanted(folder, config.step).items()})
    data = _data(saved, next(iter(states.values())).needs, config, folder)
    made = _made(next(iter(states.values())), data, saved)
    direct = _direct(states, data, saved, config.seed)
    if made is None and not any(direct.values()):
        raise UserError(f"{run} makes nothing of the kind of its data and no number, so there is nothing to measure.")
    found: dict[str, list[Score]] = {name: [] for name in states}
    if made:
        found = _measure(data, states, made, extractor_of([data.spec[made.field]], seen_by), config)
    content = _content(run, data, states, found, direct, config)
    if config.json:
        print(json.dumps(content, indent=2, allow_nan=False))
    else:
        for name, scores in found.items():
            print(f"{name} checkpoint, step {states[name].step}")
            if scores:
                print(table(scores))
            for what, numbers in direct[name].items():
                print("\n".join([f"  {what}:", *map(told, numbers)]))
        show_warnings([score for scores in found.values() for score in scores])
    word = _write(out, content, run)
    if not config.json:
        print(f"Written to {out}{word}")
    return 0


def table(scores: Sequence[Score]) -> str:
    """A line each: name, value and error, and which way is better."""
    protocol = scores[0].protocol
    standard = "" if any(score.protocol.preset for score in scores) else "; not comparable with published numbers"
    lines = [f"  seen by {protocol.source}, {protocol.resize} resize; {_sides(scores)}{standard}"]
    for score in scores:
        error = "" if score.stderr is None else f" +- {score.stderr:.2g}"
        spread = "" if score.std is None else f" (std {score.std:.2g})"
        value = f"{score.value:.4g}{error}{spread}"
        lines.append(f"  {score.protocol.name:<12} {value:<34} {DIRECTION[KINDS[score.protocol.metric].better]}")
    return "\n".join(lines)


def _sides(scores: Sequence[Score]) -> str:
    n = max((score.n for score in scores), key=len)
    return " vs ".join(f"{count:,} images" for count in n)


def _measure(
    data: datasets.Data, states: dict[str, Trained], made: Made, extractor: Extractor, config: EvaluateConfig
) -> dict[str, list[Score]]:
    """Scores of each state; the data's features are taken once."""
    outputs = tuple(outputs_of(extractor, data.spec[made.field]))
    metrics = config.metrics or usual_metrics(outputs)
    _require_taps(metrics, extractor, outputs)
    with counting("features of the data", data.table(made.field).rows) as progress:
        real = feature_set_of_data(data, extractor, taps_of(metrics), field=made.field, progress=progress)
    n = _count(config, made, real)
    found = {}
    for name, trained in states.items():
        repeats = [_scores(trained, made, real, extractor, metrics, n, seed) for seed in _seeds(config)]
        found[name] = [combined(same) for same in zip(*repeats, strict=True)]
    return found


def _count(config: EvaluateConfig, made: Made, real: FeatureSet) -> int:
    """Examples to make: as many as there are rows to make them of, at most `MOST` where nobody asks for a number."""
    n = config.n or min(real.n, MOST)
    if made.most and config.n and config.n > made.most:
        raise UserError(f"--n takes at most the {made.most:,} examples that the run held out, got {config.n}.")
    return min(n, made.most or n)


def _scores(
    trained: Trained, made: Made, real: FeatureSet, extractor: Extractor, metrics: Sequence[str], n: int, seed: int
) -> list[Score]:
    sample = make_batches(made.verb, n, seed, made.given)
    things = "images" if extractor.kind == "image" else "examples"
    with counting(f"{things} of step {trained.step}, seed {seed}", n) as progress:
        fake = fakes_of(trained.state, sample, made, extractor, n, taps_of(metrics), progress)
    return evaluate(real, fake, metrics)


def _direct(
    states: dict[str, Trained], data: datasets.Data, saved: dict[str, Any], seed: int
) -> dict[str, dict[str, list[Number]]]:
    """What is measured on examples themselves, of each state."""
    kept, held = datasets.hold_out(data, saved["run"].get("hold_out") or 0)
    return {
        name: numbers.examine(
            trained.system, trained.state, kept, datasets.with_derived(held, trained.system.derives), seed
        )
        for name, trained in states.items()
    }


def _made(trained: Trained, data: datasets.Data, saved: dict[str, Any]) -> Made | None:
    """What is compared with the data, given rows that the run held out where the verb takes more than classes."""
    held = datasets.hold_out(data, saved["run"].get("hold_out") or 0)[1]
    return made_by(trained.system, data, datasets.with_derived(held, trained.system.derives))


def _seeds(config: EvaluateConfig) -> range:
    return range(config.seed, config.seed + config.seeds)


def _require_taps(metrics: Sequence[str], extractor: Extractor, outputs: Sequence[str]) -> None:
    for name in metrics:
        missing = set(METRICS[name].taps) - set(outputs)
        if missing:
            raise UserError(
                f"--metrics {name} takes an extractor with {', '.join(missing)}; {extractor.name} has none."
            )


def _wanted(folder: RunDir, step: int | Literal["best", "last"] | None) -> dict[str, Step]:
    """Names of the checkpoints to measure, and how `load` takes them."""
    if step is None:
        best: dict[str, Step] = {"best": "best"} if whole(folder, tell) is not None else {}
        return {**best, "last": None}
    return {"last": None} if step == "last" else {"best": "best"} if step == "best" else {f"step {step}": step}


def _named(states: dict[str, Trained]) -> dict[str, Trained]:
    """The best state is often the last one, and then measured once."""
    if len(states) == 2 and len({trained.step for trained in states.values()}) == 1:
        return {f"best{BOTH}last": states["last"]}
    return states


def _data(saved: dict[str, Any], needs: Needs, config: EvaluateConfig, folder: RunDir) -> datasets.Data:
    """What the run trained on, or, brought to the same shape, what `--data` names."""
    run = from_json(RunConfig, saved["run"], str(folder.config))
    data_dir = config.data_dir or run.data_dir
    spec = from_fields(saved["data"]["fields"], str(folder.config))
    data = open_data(dataclasses.replace(run, data=config.data or run.data, data_dir=data_dir), needs, like=spec)
    if config.data is None and data.fingerprint != saved["data"]["fingerprint"]:
        raise UserError(
            f"the data in {run.data} are not those that the run trained on ({saved['data']['description']}); "
            "--data says where they are now, or names others to compare with."
        )
    return data


def _content(
    run: str,
    data: datasets.Data,
    states: dict[str, Trained],
    found: dict[str, list[Score]],
    direct: dict[str, dict[str, list[Number]]],
    config: EvaluateConfig,
) -> dict[str, Any]:
    """What is written: how it was measured, and for each checkpoint its scores by metric."""
    content: dict[str, Any] = {"run": str(run), "data": data.description, "seeds": list(_seeds(config))}
    for name, scores in found.items():
        entry = {"step": states[name].step, "scores": {score.protocol.metric: score.to_json() for score in scores}}
        entry |= {"numbers": numbers.to_json(direct[name])} if direct[name] else {}
        content |= dict.fromkeys(name.split(BOTH), entry)
    return content


def _write(out: Path, content: dict[str, Any], run: str) -> str:
    """Write results beside those of the same run that the file has; returns what became of the file, in a word."""
    stood, old = out.exists(), results.read(out)
    same = old is not None and (out.parent == Path(run) or Path(old["run"]).resolve() == Path(run).resolve())
    word = " (beside earlier results)" if same else " (replaced)" if stood else ""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_json(out, results.merged(old, content) if old is not None and same else content)
        return word
    except OSError as error:
        raise UserError(f"--out {out} cannot be written: {error.strerror or error}.") from error
