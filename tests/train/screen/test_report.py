"""What a person sees. Oracle: the text."""

import io
import sys

import pytest

from jaxgan.train.screen import report

METRICS = {"d/loss": 0.5, "g/loss": 1.25, "d_fake": 0.25, "d_real": 0.75, "d/grad_norm": 3.0}


def test_scores_are_losses_then_beliefs():
    assert report.scores(METRICS) == "D 0.500  G 1.250  D(x) 0.750  D(G(z)) 0.250"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.0, "59 s"), (200.0, "3 min 20 s"), (7500.0, "2 h 5 min")]
)
def test_durations(seconds, text):
    assert report.duration(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(999.0, "999 "), (1.94e6, "1.94 M"), (2e10, "20 G"), (3e12, "3 T")])
def test_quantities(number, text):
    assert report.quantity(number) == text


@pytest.mark.parametrize(("rate", "text"), [(0.12345, "0.123"), (45.67, "45.7"), (2784.0, "2,780"), (123.4, "123")])
def test_rates(rate, text):
    assert report.speed(1, rate, 1.0).startswith(f"{text} steps/s")


def test_plain_lines_come_now_and_then_and_at_the_end(capsys):
    plain = report.PlainReport()
    plain.start(0, 30)
    for step in range(1, 31):
        plain.progress(step, 10.0, 640.0, METRICS)
    plain.stop()
    assert capsys.readouterr().out == (
        "step 30/30  10 steps/s  640 examples/s  0 s left  D 0.500  G 1.250  D(x) 0.750  D(G(z)) 0.250\n"
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("width", ["20", "200"])
def test_any_encoding_and_width_is_survived(monkeypatch, encoding, terminal, width):
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding, write_through=True)
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # rich then draws as on a terminal
    shown = report.make_report()
    assert isinstance(shown, report.LiveReport) == (terminal and encoding == "utf-8")
    shown.line("Data        Schnürsenkel 靴紐")
    shown.start(0, 2)
    shown.progress(1, 0.0, 0.0, {})
    shown.progress(2, 10.0, 640.0, METRICS)
    shown.stop()
    text = written.getvalue().decode(encoding)
    assert "Data" in text
    assert "Schn" in text
