import functools

import numpy as np
import pytest
from laboratory import dirac
from laboratory.dirac import CELLS, DYNAMICS, FAR, NEAR, Setting
from laboratory.dirac_engine import nearby, observed, simulate_many

STEPS = 1000
WEIGHTS = {"instance_noise": 0.7}


@functools.cache
def trained(dynamics, start, rate_d=0.1, rate_g=0.1):
    """Every loss and penalty, and its path; the program of a dynamics is compiled once for all tests."""
    settings = [Setting(loss, name, dynamics, rate_d, rate_g, WEIGHTS.get(name, 1.0)) for name, loss in CELLS]
    return list(zip(settings, np.asarray(simulate_many(settings, STEPS, start)), strict=True))


# Oracle: powers of the closed-form operator. Near the equilibrium the library's engine, losses and penalties must move
# as it says, step by step: every loss, every penalty, every dynamics, two learning rates.
@pytest.mark.parametrize("dynamics", DYNAMICS)
def test_the_engine_moves_as_the_operator_says(dynamics):
    start = (1e-3, -2e-3)
    for case, path in trained(dynamics, start, rate_d=0.2):
        if dirac.equilibrium(case):
            expected = dirac.predicted(case, 25, start)
            np.testing.assert_allclose(path[:26], expected, atol=1e-3 * np.abs(expected).max(), err_msg=str(case))


# Oracle: the closed form. Wherever it decides within these steps, training near the equilibrium does what it says.
@pytest.mark.parametrize("dynamics", DYNAMICS)
def test_decided_cells_agree(dynamics):
    words = [(case, dirac.verdict(case, STEPS), nearby(path)) for case, path in trained(dynamics, NEAR)]
    decided = [(case, theory, seen) for case, theory, seen in words if theory in ("converges", "diverges")]
    assert len(decided) >= (20 if dynamics.startswith("alternating") else 30)
    assert [row for row in decided if row[1] != row[2]] == []


# Oracle: Mescheder et al. 2018, lemmas 2.3 and 4.1: eigenvalues +-f'(0) i, and with R1 -g/2 +- sqrt(g^2/4 - f'(0)^2).
@pytest.mark.parametrize("gamma", [0.3, 1.0, 4.0])
def test_eigenvalues_are_those_of_the_paper(gamma):
    plain = dirac.eigenvalues(Setting())
    np.testing.assert_allclose(np.sort(plain.imag), [-0.5, 0.5])
    np.testing.assert_allclose(plain.real, 0, atol=1e-12)
    expected = -gamma / 2 + np.array([1, -1]) * np.sqrt(complex(gamma**2 / 4 - 0.25))
    found = dirac.eigenvalues(Setting(penalty="r1", weight=gamma))
    np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(expected), atol=1e-12)


# Oracle: closed forms. Simultaneous: |1 + i sqrt(ab) / 2|; alternating: 1 for any two rates while sqrt(ab) / 2 <= 2.
@pytest.mark.parametrize(("rate_d", "rate_g"), [(0.1, 0.1), (0.4, 0.1), (0.01, 1.0)])
def test_two_time_scales_alone_do_not_converge(rate_d, rate_g):
    simultaneous = Setting(dynamics="simultaneous", rate_d=rate_d, rate_g=rate_g)
    assert dirac.radius(simultaneous) == pytest.approx(np.sqrt(1 + rate_d * rate_g / 4))
    assert dirac.verdict(simultaneous) == "diverges"
    alternating = simultaneous._replace(dynamics="alternating")
    assert dirac.radius(alternating) == pytest.approx(1)
    assert dirac.verdict(alternating) == "undecided"


# Oracle: Mescheder et al. 2018, abstract and figure 3: not convergent without penalty, nor WGAN, nor WGAN-GP with a
# finite number of critic steps; convergent with instance noise, consensus and zero-centred penalties.
@pytest.mark.parametrize(
    ("loss", "penalty", "dynamics", "expected"),
    [
        ("minimax", "none", "alternating", "circles"),
        ("wasserstein", "none", "alternating", "circles"),
        ("wasserstein", "clipping", "alternating_5", "circles"),
        ("wasserstein", "wgan_gp", "alternating_5", "circles"),
        ("non_saturating", "consensus", "alternating", "converges"),
        ("non_saturating", "instance_noise", "alternating", "converges"),
        ("non_saturating", "r1", "alternating", "converges"),
        ("minimax", "r2", "alternating", "converges"),
        ("minimax", "none", "simultaneous", "diverges"),
        ("wasserstein", "instance_noise", "alternating", "circles"),
        ("rp_non_saturating", "none", "extragradient", "converges"),
    ],
)
def test_what_the_paper_says_converges(loss, penalty, dynamics, expected):
    path = next(path for case, path in trained(dynamics, FAR) if case[:2] == (loss, penalty))
    assert observed(path) == expected


# Oracle: by hand. Spirals inwards, outwards and neither; one that grows to a circle has stopped growing.
def test_words_for_a_path():
    t = np.linspace(0, 10, 1001)
    circle = np.stack([np.cos(5 * t), np.sin(5 * t)], 1)
    assert [nearby(circle * grow[:, None]) for grow in (np.exp(-t), np.exp(t), 1 + 0 * t)] == [
        "converges", "diverges", "circles",
    ]  # fmt: skip
    assert observed(circle * np.exp(t)[:, None]) == "diverges"
    assert observed(circle * (3 - 2 * np.exp(-5 * t))[:, None]) == "circles"
    assert observed(np.full((100, 2), np.nan)) == "diverges"
