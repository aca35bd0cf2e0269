"""Metrics by name. Oracles: the functions that they call, and the rules of the protocol by example."""

import dataclasses

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.compare.evaluate import (
    METRICS,
    bootstrap,
    combined,
    evaluate,
    frechet_score,
    taps_of,
    usual_metrics,
)
from jaxgan.metrics.compare.feature_sets import (
    FeatureSet,
    about,
    feature_set_of,
    feature_set_of_data,
    side_of_statistics,
)
from jaxgan.metrics.compare.protocol import KINDS, STANDARD_WEIGHTS
from jaxgan.metrics.numbers import kernel, neighbours, statistics
from jaxgan.metrics.numbers.frechet import frechet_distance
from jaxgan.metrics.numbers.gaussian import gaussian
from jaxgan.metrics.numbers.statistics import Statistics
from jaxgan.metrics.seen_by.extractors import pixels
from tests.metrics.feature_sets import golden

REAL, FAKE, LOGITS = golden()
(WEIGHTS,) = STANDARD_WEIGHTS
INCEPTION = {
    "extractor": "inception-2015",
    "weights_sha256": WEIGHTS,
    "resize": "legacy",
    "prepared": "",
    "tap": "features",
    "precision": "float32",
    "reference": "",
}


def side(features, made=INCEPTION, **taps):
    labels = np.arange(len(features)) % 2
    return FeatureSet("images", len(features), {"features": features, **taps}, None, made, labels=labels)


REAL_SIDE = side(REAL, spatial=REAL[:, :20], logits=LOGITS)
FAKE_SIDE = side(FAKE, spatial=FAKE[:, :20], logits=LOGITS[:800])


def test_every_metric_gives_scores_of_its_kinds():
    scores = evaluate(REAL_SIDE, FAKE_SIDE, tuple(METRICS))
    assert {score.protocol.metric for score in scores} == set(KINDS)
    for score in scores:
        assert np.isfinite(score.value)
        assert score.n in ((1000, 800), (800,))
        # Subsets of 1000 cannot be drawn from 800 images: the one protocol here that is not the standard.
        assert score.protocol.preset == ("" if score.protocol.metric == "kd" else "legacy"), score


def test_values_are_those_of_the_functions():
    found = {score.protocol.metric: score for score in evaluate(REAL_SIDE, FAKE_SIDE, ("fd", "kd", "pr", "dc"))}
    assert found["fd"].value == frechet_distance(REAL, FAKE).value
    assert found["fd"].mean_term + found["fd"].covariance_term == found["fd"].value
    assert found["kd"].value == pytest.approx(kernel.kernel_distance(REAL, FAKE, subset_size=800).mean)
    assert (found["precision"].value, found["recall"].value) == pytest.approx((0.24875, 0.329))  # prdc 0.2
    assert found["coverage"].value == pytest.approx(neighbours.density_coverage(REAL, FAKE, k=5).coverage)


def test_the_order_of_sides_matters():
    """Negative control of the test before: precision and recall change places."""
    found = {score.protocol.metric: score.value for score in evaluate(FAKE_SIDE, REAL_SIDE, ("pr",))}
    assert (found["recall"], found["precision"]) == pytest.approx((0.24875, 0.329))


def test_what_is_usual_depends_on_the_extractor():
    assert usual_metrics(("features",)) == ("fd", "kd", "pr", "dc", "mind", "vendi", "authenticity")
    assert "is" in usual_metrics(("features", "logits"))
    assert taps_of(("is", "fd", "sfd")) == ("features", "logits", "spatial")
    with pytest.raises(UserError, match="--metrics takes some of fd, kd"):
        evaluate(REAL_SIDE, FAKE_SIDE, ("fid",))


def statistics_side(features, made, ddof=1):
    return side_of_statistics("x.npz", Statistics(gaussian(features, ddof), made, ddof))


def test_statistics_on_either_side():
    whole = frechet_score(REAL_SIDE, FAKE_SIDE)
    for real, fake in (
        (statistics_side(REAL, INCEPTION), FAKE_SIDE),
        (REAL_SIDE, statistics_side(FAKE, INCEPTION)),
        (statistics_side(REAL, INCEPTION), statistics_side(FAKE, INCEPTION)),
    ):
        score = frechet_score(real, fake)
        assert score.value == pytest.approx(whole.value, rel=1e-10)
        assert (score.protocol, score.n) == (whole.protocol, whole.n)


def test_silent_statistics_earn_no_fid():
    silent = statistics_side(REAL, {})
    score = frechet_score(silent, FAKE_SIDE)
    assert score.protocol.name == "FD"
    assert "nothing in x.npz says what made the statistics" in score.warnings[0]
    with pytest.raises(UserError, match="may not be compared"):
        assert score < score
    trusted = frechet_score(silent, FAKE_SIDE, trust=True)
    assert trusted.protocol.name == "FID"
    assert "on the word of --trust-statistics" in trusted.warnings[0]
    assert frechet_score(silent, silent, trust=True).protocol.name == "FD"  # nobody to trust


@pytest.mark.parametrize("key", ["extractor", "weights_sha256", "resize", "prepared", "tap", "precision"])
def test_sides_by_different_means_are_refused(key):
    with pytest.raises(UserError, match=f"{key} is other in one"):
        frechet_score(side(REAL, {**INCEPTION, key: "other"}), FAKE_SIDE)


def test_statistics_keep_their_tap():
    """Features of another depth are no FID, and no sFID either."""
    logits = statistics_side(REAL, {**INCEPTION, "tap": "logits"})
    found = frechet_score(logits, logits)
    assert (found.protocol.tap, found.protocol.name) == ("logits", "FD")
    with pytest.raises(UserError, match="spatial of images"):
        frechet_score(statistics_side(REAL, INCEPTION), FAKE_SIDE, key="sfd")


def test_images_that_were_changed_first_earn_no_fid():
    made = {**INCEPTION, "prepared": "crop to 8"}
    score = frechet_score(side(REAL, made), side(FAKE, made))
    assert str(score).startswith("FD[inception-2015 6726825d, crop to 8, legacy resize")


def test_what_is_no_number_is_refused():
    with pytest.raises(UserError, match=r"KD_full is (nan|inf)"):
        evaluate(side(REAL * np.float32(1e30)), side(FAKE * np.float32(1e30)), ("kd_full",))
    with pytest.raises(UserError, match=r"x\.npz holds statistics"):
        evaluate(statistics_side(REAL, INCEPTION), FAKE_SIDE, ("kd",))
    cubes = pixels()._replace(apply=lambda params, x: {"features": x.astype("float32")})
    with pytest.raises(UserError, match="one row an image"):
        feature_set_of("photos", cubes, [np.zeros((3, 4, 4, 1), np.uint8)])


def test_ddof_of_a_file_must_be_the_one_asked_for():
    zero = statistics_side(REAL, INCEPTION, ddof=0)
    with pytest.raises(UserError, match=r"x\.npz has ddof 0; --ddof must be the same, got 1"):
        frechet_score(zero, FAKE_SIDE)
    assert frechet_score(zero, FAKE_SIDE, ddof=0).protocol.name == "FD"


def test_several_seeds_give_a_mean_and_its_error():
    """Oracle: NumPy."""
    values = [1.0, 2.0, 4.0]
    scores = [dataclasses.replace(frechet_score(REAL_SIDE, FAKE_SIDE), value=value) for value in values]
    found = combined(scores)
    assert (found.value, found.repeats) == (pytest.approx(7 / 3), 3)
    assert found.stderr == pytest.approx(np.std(values, ddof=1) / np.sqrt(3))
    assert combined(scores[:1]) is scores[0]


def test_bootstrap():
    """The standard error of a mean of n numbers is their deviation over the root of n."""
    numbers = np.random.RandomState(0).randn(400, 1)
    found = bootstrap(lambda x: float(x.mean()), numbers, 400)
    assert found == pytest.approx(numbers.std() / 20, rel=0.15)
    assert bootstrap(lambda x: float(x.mean()), numbers, 400) == found
    with pytest.raises(UserError, match="at least 2"):
        bootstrap(lambda x: 0.0, numbers, 1)


def test_sides_of_images(fashion):
    part = feature_set_of_data(fashion, pixels(), limit=100)
    assert (part.n, part.name, len(part.labels)) == (100, "fashion_mnist_10k", 100)
    assert part.about["reference"] != feature_set_of_data(fashion, pixels(), limit=99).about["reference"]
    assert about(pixels()) == {key: part.about[key] for key in about(pixels())}


def test_images_that_cannot_be_measured():
    one = np.zeros((1, 4, 4, 1), np.uint8)
    with pytest.raises(UserError, match="photos holds 1 image"):
        feature_set_of("photos", pixels(), [one])
    broken = pixels()._replace(apply=lambda params, x: {"features": x.reshape(len(x), -1) / 0.0})
    with pytest.raises(UserError, match="the features of 3 of 3 images of photos are not finite"):
        feature_set_of("photos", broken, [np.repeat(one, 3, 0)])


def test_files_keep_what_sides_are(tmp_path):
    found = frechet_score(REAL_SIDE, FAKE_SIDE)
    statistics.write(tmp_path / "x.npz", gaussian(REAL), INCEPTION)
    read = side_of_statistics("x.npz", statistics.read(tmp_path / "x.npz"))
    again = frechet_score(read, FAKE_SIDE)
    assert str(again) == str(found)
