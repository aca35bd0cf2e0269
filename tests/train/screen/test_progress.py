"""Progress on stderr, of which several processes show one."""

import jax

from jaxgan.train.screen import report


def test_only_the_first_process_shows_progress(monkeypatch, capsys):
    monkeypatch.setattr(report, "SECONDS_BETWEEN_LINES", -1.0)
    for process, shown in ((0, "features: 3 of 5\n"), (1, "")):
        monkeypatch.setattr(jax, "process_index", lambda process=process: process)
        with report.counting("features", 5) as tell:
            tell(3)
        assert capsys.readouterr().err == shown
