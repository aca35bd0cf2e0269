"""`jaxgan train --config`: a run like another. Oracle: what the first run was given, and sentences."""

import json

import pytest

from jaxgan.cli import main
from jaxgan.commands import train
from jaxgan.recipes import dcgan, gan
from jaxgan.train.run.config import RunConfig, settled, to_json

CONFIG = gan.Config(steps=7, batch_size=6, g_widths=(3, 4), schedule_steps=7)
RUN = RunConfig(data="/photos", image_size=(8, 12), mirror=True, out="/runs/old", seed=5)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.json"
    about = {"jaxgan": "0.1", "recipe": "gan", "code": None, "stages": [["", None]], "stage": "", "frozen": {}}
    path.write_text(json.dumps({**about, "config": to_json(CONFIG), "run": to_json(RUN), "data": {"name": "photos"}}))
    return path


@pytest.fixture
def started(monkeypatch):
    """What the command would have trained."""
    calls = []

    def fit(recipe, config, run, resume):
        calls.append((recipe.name, settled(config), run))
        return 0

    monkeypatch.setattr(train, "_fit", fit)
    return calls


@pytest.mark.parametrize("recipe", [["gan"], []])
def test_a_run_is_repeated_in_a_new_folder(file, started, recipe):
    assert main(["train", *recipe, "--config", str(file)]) == 0
    assert started == [("gan", CONFIG, RunConfig(data="/photos", image_size=(8, 12), mirror=True, seed=5))]


def test_a_folder_of_a_run_will_do(file, started):
    assert main(["train", f"--config={file.parent}"]) == 0
    assert started[0][1] == CONFIG


def test_the_command_line_beats_the_file_and_schedules_follow_it(file, started):
    assert main(["train", "gan", "--steps", "9", "--no-mirror", "--config", str(file), "--seed=1"]) == 0
    _, config, run = started[0]
    assert (config.steps, config.schedule_steps, config.batch_size) == (9, 9, 6)
    assert (run.seed, run.mirror, run.image_size) == (1, False, (8, 12))


def test_what_a_file_does_not_say_has_its_default(tmp_path, started):
    path = tmp_path / "mine.json"
    path.write_text('{"config": {"steps": 3}}')
    assert main(["train", "dcgan", "--config", str(path)]) == 0
    assert started[0][1] == dcgan.Config(steps=3, schedule_steps=3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"recipe": "dcgan"}', "is of dcgan, not of gan; leave the recipe out."),
        ('{"config": {"stepz": 3}}', "has stepz, which this version of jaxgan does not know."),
        ('{"config": {"steps": "3"}}', "gives 'steps' as '3', which it cannot be."),
        ('{"run": {"seed": 1.5}}', "gives 'seed' as 1.5, which it cannot be."),
        ('{"run": [1]}', "gives 'run' as [1], which takes options by their names."),
        ('{"steps": 3}', "has steps, but takes recipe, config, run."),
        ("[]", "takes a JSON object such as a run's config.json."),
        ("{", "cannot be read: Expecting property name"),
        (None, "cannot be read: No such file or directory."),
    ],
)
def test_a_mistake_names_file_and_field(content, words, tmp_path, capsys, started):
    path = tmp_path / "mine.json"
    if content is not None:
        path.write_text(content)
    assert main(["train", "gan", "--config", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"jaxgan: --config {path} {words}")
    assert said.count("\n") == 1
    assert not started


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("gan --config", "--config takes"),
        ("--config", "--config takes a value, got nothing."),
        ("--config={nameless}", "names no recipe; say it first: jaxgan train RECIPE --config "),
        ("dcgan --preset paper --config {nameless}", "--preset and --config both say what the options are"),
        ("gan --config {bad}", "--batch-size must be"),
    ],
)
def test_other_mistakes_are_one_sentence(args, words, tmp_path, capsys, started):
    (tmp_path / "n.json").write_text("{}")
    (tmp_path / "b.json").write_text('{"config": {"batch_size": -1}}')
    given = args.format(nameless=tmp_path / "n.json", bad=tmp_path / "b.json")
    assert main(["train", *given.split()]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not started
