"""Paths as people type them. Oracle: the home folder that the environment names."""

import dataclasses
from pathlib import Path
from typing import get_type_hints

import pytest

from jaxgan import cli, options, paths
from jaxgan.commands import data, metric_options
from jaxgan.data import meant
from jaxgan.options import parse
from jaxgan.train.cluster.joining import Cluster
from jaxgan.train.run import config

NO_PATHS = {"coordinator", "to", "verb"}
KINDS = {
    kind
    for module in (config, metric_options, data)
    for kind in vars(module).values()
    if dataclasses.is_dataclass(kind) and kind.__name__.endswith("Config") and isinstance(kind, type)
} | {Cluster}


@pytest.mark.parametrize("kind", sorted(KINDS, key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_home_is_written_out_in_every_option_that_takes_a_path(kind, tmp_path, monkeypatch):
    """An option with a text is a path, or is named above; both spellings of its value mean one thing."""
    monkeypatch.setenv("HOME", str(tmp_path))
    hints = get_type_hints(kind)
    texts = [name for name, hint in hints.items() if hint in (str, str | None) and name not in NO_PATHS]
    for form in ("{}=~/x/y", "{} ~/x/y"):
        args = [word for name in texts for word in form.format(options.flag(name)).split()]
        (read,) = parse("jaxgan", "", (kind,), args)
        assert [getattr(read, name) for name in texts] == [f"{tmp_path}/x/y"] * len(texts)


def test_home_is_written_out_in_front_of_options(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    taken = ("a run", "a file", "a file")
    assert cli._names_first("x", taken, ["~", "~/a[val]", "b", "--n", "3"]) == (
        [str(tmp_path), f"{tmp_path}/a[val]", "b"],
        ["--n", "3"],
    )
    for args in (["--resume=~/r"], ["--resume", "~/r"]):
        assert cli._take_resume(args) == ([], f"{tmp_path}/r")


def test_home_of_nobody_and_what_lasts(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert paths.typed("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")
    assert paths.lasting("a/../b") == f"{tmp_path}/b"
    assert paths.lasting("~/b") == f"{tmp_path}/b"
    assert meant.place("~nobody-of-that-name") is None
    assert meant.place("n" * 300) is None  # longer than a name of a file can be
