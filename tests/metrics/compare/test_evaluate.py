"""Metrics by name. Oracles: the functions that they call, and the rules of the protocol by example."""

import dataclasses

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.compare import doubts
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
        # Subsets are of half of the 800 images, not of 1000: the one protocol here that is not the standard.
        assert score.protocol.preset == ("" if score.protocol.metric == "kd" else "legacy"), score


def test_values_are_those_of_the_functions():
    found = {score.protocol.metric: score for score in evaluate(REAL_SIDE, FAKE_SIDE, ("fd", "kd", "pr", "dc"))}
    assert found["fd"].value == frechet_distance(REAL, FAKE).value
    assert found["fd"].mean_term + found["fd"].covariance_term == found["fd"].value
    assert found["kd"].value == pytest.approx(kernel.kernel_distance(REAL, FAKE, subset_size=400).mean)
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


def small(n, seed=0, **taps):
    rng = np.random.default_rng(seed)
    return side(rng.normal(size=(n, 4)).astype(np.float32), **{k: rng.normal(size=(n, 5)) for k in taps})


@pytest.mark.parametrize(("n", "size"), [(5000, 1000), (2000, 1000), (1999, 999), (1000, 500), (20, 10), (19, 0)])
def test_subsets_are_never_nearly_the_whole_set(n, size):
    """With subsets of all images the spread is that of rounding (torch-fidelity 45)."""
    assert doubts.subset_size(n) == size
    assert bool(doubts.of_subsets(n)) == (size < 1000)


def test_the_spread_of_a_kernel_distance():
    (some,) = evaluate(small(30, 1), small(40, 2), ("kd",))
    assert some.std is not None
    assert some.std > 1e-3
    assert dict(some.protocol.settings) == {"subsets": 100, "subset_size": 15}
    (few,) = evaluate(small(19, 1), small(40, 2), ("kd",))
    assert few.std is None
    features = small(19, 1).taps["features"], small(40, 2).taps["features"]
    assert few.value == pytest.approx(float(kernel.polynomial_mmd(*features)))
    assert "has no spread" in few.warnings[0]


@pytest.mark.parametrize(("n", "parts"), [(50_000, 10), (500, 10), (499, 9), (100, 2), (99, 1), (5, 1)])
def test_splits_of_an_inception_score_hold_images(n, parts):
    """Splits of one image each score 1 with a spread of 0, whatever the images are."""
    assert doubts.splits(n) == parts
    assert bool(doubts.of_splits(n)) == (parts < 10)


def test_an_inception_score_of_few_images_has_no_spread():
    (found,) = evaluate(small(30, logits=1), small(30, logits=1), ("is",))
    assert found.std is None
    assert found.value > 1


@pytest.mark.parametrize("metric", ["fd_infinity", "is_infinity"])
def test_a_line_to_infinity_takes_many_images(metric):
    with pytest.raises(UserError, match=f"{metric} draws a line .* at least 100 images; got 99"):
        evaluate(small(99, logits=1), small(99, logits=1), (metric,))
    assert "begins at 10 images" in " ".join(doubts.of_line(10, 0, 1.0))
    assert len(doubts.of_line(10, 64, -1.0)) == 3
    assert doubts.of_line(5000, 2048, 1.0) == ()


def test_the_smallest_class_is_what_a_distance_within_classes_hangs_on():
    fake = small(40)
    (score,) = evaluate(small(40), fake._replace(labels=np.arange(40) % 20 // 19), ("intra_fd",))
    assert score.warnings == (
        "the smallest class has 2 images, which cannot fill a covariance of 4 features; compare the number at equal n "
        "only",
    )


def test_errors_of_few_say_so():
    one = frechet_score(REAL_SIDE, FAKE_SIDE)
    two = combined([one, dataclasses.replace(one, value=one.value + 1)])
    assert "from 2 seeds is itself uncertain by about 71 %" in two.warnings[-1]
    same = combined([one, one, one])  # such as of a translator without noise
    assert same.stderr is None
    assert "3 seeds give the same number" in same.warnings[-1]
    with pytest.raises(UserError, match="from at least 10 generated images, got 9"):
        bootstrap(lambda x: 0.0, np.zeros((9, 1)), 20)
    assert len(doubts.of_resamples(99, 19)) == 2
    assert doubts.of_resamples(100, 20) == ()


def test_a_part_is_called_one(tmp_path, fashion):
    part, whole = feature_set_of_data(fashion, pixels(), limit=100), small(50)._replace(about=about(pixels()))
    assert str(frechet_score(part, part)).startswith("FD[pixels-16, 16x16 resize, 100 drawn of 10000 vs 100 drawn of")
    statistics.write(tmp_path / "s.npz", gaussian(whole.taps["features"]), about(pixels()) | {"reference": ""}, of=99)
    score = frechet_score(side_of_statistics("s", statistics.read(tmp_path / "s.npz")), whole)
    assert score.sides == "50 drawn of 99 vs 50"
    assert score.to_json()["of"] == [99, 0]


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
