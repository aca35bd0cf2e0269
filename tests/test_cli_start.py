"""What the command line tells and prepares before any work. Oracles: exit codes, texts, imports, the cache folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import jaxgan
from jaxgan import cli
from jaxgan.cli import main
from jaxgan.recipes import names
from jaxgan.train.run.config import MAY_CHANGE


def test_recipes_are_listed(capsys):
    assert main(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(names())
    assert any("Goodfellow" in line for line in lines)


@pytest.mark.parametrize("text", ["", "--help", "train --help"])
def test_help(capsys, text):
    assert main(text.split()) == 0
    assert "jaxgan train --resume RUN" in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"jaxgan {jaxgan.__version__}\n"
    module = subprocess.run([sys.executable, "-m", "jaxgan", "--version"], capture_output=True, text=True, check=True)
    assert module.stdout == f"jaxgan {jaxgan.__version__}\n"


def test_help_and_recipes_do_not_wait_for_heavy_imports():
    code = "import sys; from jaxgan.cli import main; main(['recipes']); assert not {'jax', 'tyro'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("recipe", names())
def test_help_of_a_recipe_lists_its_options(capsys, recipe):
    with pytest.raises(SystemExit) as stop:
        main(["train", recipe, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for option in ("--data", "--steps", "--batch-size", "--seed", "--out", "--image-size", "--parallel", "--precision"):
        assert option in text
    for option in ("--steps-per-dispatch", "--checkpoint-every", "--sample-every", "learning-rate"):
        assert option in text
    assert "--image-shape" not in text


@pytest.mark.parametrize(
    "text", ["train --resume RUN --help", "train --resume -h", "train --resume --help", "sample --help"]
)
def test_help_of_other_commands(capsys, text):
    with pytest.raises(SystemExit) as stop:
        main(text.split())
    assert stop.value.code == 0
    assert "--step" in capsys.readouterr().out


def test_help_of_going_on_says_that_the_run_keeps_what_it_has(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--resume", "--help"])
    words = " ".join(capsys.readouterr().out.replace("│", " ").split())
    resume, _, _ = words.partition("cluster options")
    assert resume.count("(default: what the run has)") == len(MAY_CHANGE) - 1  # but for --out
    assert resume.count("(default: None)") == 1  # --system


def test_compiled_programs_are_kept_in_the_users_cache_folder(tmp_path, monkeypatch):
    """In a folder that only the user can read, bounded; what the user has set stays."""
    where, bound, seconds = (
        "JAX_COMPILATION_CACHE_DIR",
        "JAX_COMPILATION_CACHE_MAX_SIZE",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS",
    )
    monkeypatch.setattr(os, "environ", {"XDG_CACHE_HOME": str(tmp_path), seconds: "5"})
    cli._keep_compiled()
    folder = Path(os.environ[where])
    assert folder.parent == tmp_path / "jaxgan"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (int(os.environ[bound]), os.environ[seconds]) == (cli.CACHE_BYTES, "5")
    no_folder = tmp_path / "file"
    no_folder.touch()
    for given in ({"XDG_CACHE_HOME": str(no_folder)}, {where: "/mine"}):
        monkeypatch.setattr(os, "environ", dict(given))
        cli._keep_compiled()
        assert os.environ == given
