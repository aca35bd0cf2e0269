import numpy as np
import pytest
import restored

from jaxgan.data.photographs import photograph
from jaxgan.errors import UserError
from jaxgan.recipes.restore import Config

TRUTH = photograph("coffee")[100:164, 80:144]


class Run:
    """A run whose system has this configuration."""

    def __init__(self, config):
        self.system, self.config = self, config


# Oracle: the truth; each method is better than nothing.
@pytest.mark.parametrize(("kind", "strength"), [("denoise", 25.0), ("deblur", 1.75)])
def test_classical_methods_help(kind, strength):
    bad = restored.made_worse(Config(degradation=kind), TRUTH, strength)
    found = dict(restored.classical(kind, bad, strength))
    assert found
    for choices in found.values():
        best = max(restored.scores(TRUTH, each)[0] for each in choices)
        assert best > restored.scores(TRUTH, bad)[0] + 0.5


def test_what_is_printed(monkeypatch, capsys, tmp_path):
    """A run that changes nothing scores as the picture that came."""
    monkeypatch.setattr(restored, "load", lambda run: Run(Config(degradation="jpeg", quality=(20.0, 40.0))))
    monkeypatch.setattr(restored, "restored", lambda trained, bad: bad)
    restored.main(["runs/x", "--out", f"{tmp_path}/x.png"])
    head, came, made = capsys.readouterr().out.splitlines()
    assert head == "runs/x: coffee, jpeg at quality 30"
    assert came.split("PSNR")[1] == made.split("PSNR")[1]
    assert (tmp_path / "x.png").stat().st_size > 1_000
    monkeypatch.setattr(restored, "load", lambda run: Run(None))
    with pytest.raises(UserError, match=r"runs/x is no run of jaxgan train restore\.$"):
        restored.main(["runs/x"])


# Oracle: by hand.
def test_scores_and_strips():
    made = np.clip(TRUTH.astype(int) + 5, 0, 255).astype(np.uint8)
    mse = np.square(made.astype(float) - TRUTH).mean()
    assert restored.scores(TRUTH, made)[0] == pytest.approx(10 * np.log10(255**2 / mse), abs=1e-3)
    whole = photograph("coffee")
    found = [restored.Found("", np.full_like(whole, 50 * i), psnr, 0.0) for i, psnr in enumerate((10, 30, 20, 40))]
    row = restored.strip(found, whole)
    assert row.shape == (restored.SHOWN, 4 * restored.SHOWN, 3)
    assert row[0, :: restored.SHOWN, 0].tolist()[:3] == [0, 50, 150]
    np.testing.assert_array_equal(row[:, 3 * restored.SHOWN :], whole[72:184, 72:184])
