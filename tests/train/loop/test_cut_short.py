"""Signals that come while a run is compiled. Oracle: exit codes of shells, and what is on the disk."""

import os
import signal
import threading

import pytest

from jaxgan.cli import main
from jaxgan.errors import UserError
from jaxgan.train.loop import fit
from tests.train import toy

pytestmark = pytest.mark.usefixtures("signals_are_heard")


@pytest.fixture
def ended(monkeypatch):
    """Exit codes that the process would have ended with; the compilation waits for one, and then fails."""
    codes, there = [], threading.Event()

    def end(code):
        codes.append(code)
        there.set()

    monkeypatch.setattr("jaxgan.signals.os._exit", end)

    real = fit._compile

    def compile_(*about):
        if compile_.number is None:
            return real(*about)
        os.kill(os.getpid(), compile_.number)
        assert there.wait(60)
        raise UserError("it would have ended")

    compile_.number = None
    monkeypatch.setattr(fit, "_compile", compile_)
    return codes, compile_


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_new_run_leaves_nothing(tmp_path, ended, number):
    codes, compile_ = ended
    compile_.number, report = number, toy.Said()
    with pytest.raises(UserError, match="it would have ended"):
        toy.train(tmp_path / "run", report=report)
    name = signal.Signals(number).name
    assert report.lines[-1] == f"{name:<11} training stopped before its first step; there was nothing to save."
    assert codes == [128 + number]
    assert not (tmp_path / "run").exists()


def test_a_run_that_goes_on_says_how(tmp_path, ended):
    codes, compile_ = ended
    run = toy.train(tmp_path / "run", steps=3).folder
    compile_.number, report = signal.SIGTERM, toy.Said()
    with pytest.raises(UserError, match="it would have ended"):
        toy.train(tmp_path / "run", steps=5, resume=True, report=report)
    assert report.lines[-2:] == [
        f"SIGTERM     training stopped, and the last good checkpoint is {run.checkpoints / '3'}. Go on with:",
        "  fit(..., resume=True)",
    ]
    assert codes == [128 + signal.SIGTERM]


def test_other_commands_end_with_a_word(monkeypatch, capsys):
    codes, there = [], threading.Event()
    monkeypatch.setattr("jaxgan.signals.os._exit", lambda code: (codes.append(code), there.set()))

    def command(_):
        os.kill(os.getpid(), signal.SIGTERM)
        assert there.wait(60)
        return 0

    monkeypatch.setattr("jaxgan.cli._command", command)
    assert main(["sample", "x"]) == 0
    assert codes == [128 + signal.SIGTERM]
    assert capsys.readouterr().err == "jaxgan: stopped by SIGTERM; there was nothing to save.\n"
