"""Results that know what they mean. Oracle: the rules of the module, by example."""

import dataclasses
import json

import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.compare import doubts
from jaxgan.metrics.compare.protocol import KINDS, STANDARD_WEIGHTS, Protocol, Score

(WEIGHTS,) = STANDARD_WEIGHTS
FID = Protocol(metric="fd", extractor="inception-2015", weights=WEIGHTS, resize="legacy", ddof=1)
OURS = Protocol(metric="fd", extractor="fashion-cnn", weights="1a2b3c4d" * 8, resize="28x28", ddof=1)


def score(protocol=FID, value=12.34, n=(50000, 50000), **how):
    return Score(value=value, protocol=protocol, n=n, **how)


def test_it_prints_itself():
    assert str(score()) == "FID 12.34 (50000 vs 50000, inception-2015 6726825d, legacy resize)"
    clean = dataclasses.replace(FID, resize="clean")
    assert str(score(clean)) == "clean-FID 12.34 (50000 vs 50000, inception-2015 6726825d, clean resize)"
    assert (
        str(score(OURS, 3.21, (10000, 5000)))
        == "FD[fashion-cnn 1a2b3c4d, 28x28 resize, 10000 vs 5000] 3.21 -- not comparable with FID"
    )
    assert "3.21 +- 0.12" in str(score(OURS, 3.21, stderr=0.12))
    ours_is = dataclasses.replace(OURS, metric="is", ddof=None)
    assert str(score(ours_is, 2.5, (9,))).endswith("2.50 -- not comparable with IS by the standard protocol")


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "0" * 64},
        {"weights": ""},
        {"extractor": "inception-torchvision"},
        {"resize": "bilinear"},
        {"tap": "768"},
        {"precision": "bfloat16"},
        {"ddof": 0},
        {"dtype": "float32"},
        {"settings": (("k", 3),)},
        {"prepared": "crop to 8"},
    ],
)
def test_only_the_standard_protocol_is_fid(change):
    other = score(dataclasses.replace(FID, **change))
    assert score().protocol.name == "FID"
    assert other.protocol.name == "FD"
    assert not other.to_json()["is_standard_fid"]
    assert str(other).endswith("not comparable with FID")


@pytest.mark.parametrize("metric", KINDS)
def test_every_metric_has_a_standard(metric):
    kind = KINDS[metric]
    how = {"tap": kind.tap, "ddof": kind.ddof, "dtype": kind.dtype, "settings": kind.settings}
    standard = Protocol(metric=metric, extractor="inception-2015", weights=WEIGHTS, resize="legacy", **how)
    assert standard.name == kind.standard
    assert dataclasses.replace(standard, settings=(("other", 1),)).name == kind.general


def test_comparison():
    assert score(value=1.0) < score(value=2.0)
    assert score(value=2.0) > score(value=1.0)
    assert min(score(value=2.0), score(value=1.0)).value == 1.0


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (score(OURS), "extractor is inception-2015 here and fashion-cnn there"),
        (score(dataclasses.replace(FID, resize="clean")), "resize is legacy here and clean there"),
        (score(dataclasses.replace(FID, metric="kd")), "metric is fd"),
        (score(n=(50000, 10000)), "number of images is 50000, 50000 here and 50000, 10000 there"),
        (score(reference="a" * 63 + "b"), "reference data"),
        (score(dataclasses.replace(FID, extractor="unknown")), "the extractor or the number of images is unknown"),
        (score(n=(0, 50000)), "the extractor or the number of images is unknown"),
    ],
)
def test_comparison_across_protocols_is_refused(other, words):
    ours = score(reference="a" * 64)
    with pytest.raises(UserError, match=words):
        assert ours < other
    with pytest.raises(UserError, match="may not be compared"):
        sorted([other, ours])


def test_an_unbiased_metric_may_be_compared_at_any_n():
    protocol = dataclasses.replace(FID, metric="kd", ddof=None)
    assert score(protocol, 1.0, (5, 5)) < score(protocol, 2.0, (5, 50))


def test_json_has_everything():
    found = json.loads(json.dumps(score(mean_term=2.0, covariance_term=10.34, seed=3).to_json()))
    assert found["value"] == 12.34
    assert found["n"] == [50000, 50000]
    assert found["weights_sha256"] == WEIGHTS
    assert found["is_standard_fid"] is True
    assert (found["mean_term"], found["covariance_term"], found["seed"], found["ddof"]) == (2.0, 10.34, 3, 1)
    assert found["library"].startswith("jaxgan ")
    assert found["text"] == str(score())


def test_warnings():
    assert doubts.of_few((50000, 50000), 2048, covariance=True) == ()
    assert "fewer than 10000 images (5000)" in doubts.of_few((50000, 5000), 2048, covariance=True)[0]
    assert "rank-deficient" in doubts.of_few((50000, 2048), 2048, covariance=True)[1]
    assert len(doubts.of_few((50000, 2048), 2048, covariance=False)) == 1
    assert doubts.of_few((0, 20000), 2048, covariance=True) == ()  # a file that does not say
