"""Oracle: NumPy's mean and covariance in float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from jaxgan.errors import UserError
from jaxgan.game.parallel import AXIS, make_mesh
from jaxgan.metrics.numbers import gaussian
from jaxgan.metrics.numbers.double import double
from tests.metrics.feature_sets import golden

REAL, FAKE, _ = golden()


def streamed(features, batch, mask_rows=0, wide=True):
    """Statistics gathered in batches of one size, the last one padded with rubbish that the mask hides."""
    with double() if wide else jax.default_matmul_precision("float32"):
        stats = gaussian.init(features.shape[1])
        for start in range(0, len(features), batch):
            part = features[start : start + batch]
            filled = np.full((batch, features.shape[1]), 1e9, features.dtype)
            filled[: len(part)] = part
            stats = jax.jit(gaussian.update)(stats, filled, np.arange(batch) < len(part))
        return stats


def assert_is(found, features, rtol):
    expected = features.astype(np.float64)
    assert found.n == len(features)
    np.testing.assert_allclose(found.mean, expected.mean(0), rtol=rtol)
    covariance = np.cov(expected.T)
    assert np.linalg.norm(found.covariance - covariance) < rtol * np.linalg.norm(covariance)


@pytest.mark.parametrize("batch", [1, 64, 1000, 1024])
def test_streaming_is_the_whole(batch):
    """Products of float32 features, merged in float64; 1000 is no multiple of 64."""
    assert_is(gaussian.finalize(streamed(REAL[:257], batch)), REAL[:257], 1e-6)


def test_all_at_once():
    assert_is(gaussian.gaussian(REAL), REAL, 1e-13)


def test_a_large_mean_costs_no_digits():
    """At a mean of 800 standard deviations raw moments in float32 lose everything; these lose one digit."""
    features = (np.random.RandomState(0).randn(2000, 8) + 800).astype(np.float32)
    assert_is(gaussian.finalize(streamed(features, 64)), features, 1e-5)
    assert_is(gaussian.finalize(streamed(features, 64, wide=False)), features, 1e-4)


def test_merging_is_associative():
    with double():
        a, b, c = (gaussian.of_batch(jnp.asarray(x, jnp.float64)) for x in (REAL[:5], REAL[5:300], REAL[300:]))
        left, right = gaussian.merge(gaussian.merge(a, b), c), gaussian.merge(a, gaussian.merge(c, b))
        for found in (left, right):
            assert_is(gaussian.finalize(found), REAL, 1e-13)


def test_merging_nothing_changes_nothing():
    with double():
        stats = gaussian.of_batch(jnp.asarray(REAL, jnp.float64))
        merged = gaussian.merge(gaussian.init(64), stats)
        for found, expected in zip(jax.tree.leaves(merged), jax.tree.leaves(stats), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-15)
        empty = gaussian.merge(gaussian.init(3), gaussian.init(3))
        assert all(not leaf.any() for leaf in jax.tree.leaves(empty))


def test_devices_merge_by_the_same_function():
    """Eight shards of different means, the last one half hidden by the mask."""
    features = REAL[:160] + np.repeat(np.arange(8.0, dtype=np.float32), 20)[:, None]
    mask = np.arange(160) < 150

    def shard(x, kept):
        return gaussian.merge_across(gaussian.of_batch(x, kept), AXIS)

    split, whole = PartitionSpec(AXIS), PartitionSpec()
    run = jax.shard_map(shard, mesh=make_mesh(), in_specs=(split, split), out_specs=whole)
    assert_is(gaussian.finalize(jax.jit(run)(features, mask)), features[:150], 1e-6)


def test_counts_are_exact():
    """Above 2^24 a float32 cannot count."""
    many = gaussian.GaussianStats(jnp.int32(2**24), jnp.zeros(2), jnp.eye(2))
    one = functools.partial(gaussian.merge, gaussian.of_batch(jnp.ones((1, 2))))
    assert int(one(one(many)).n) == 2**24 + 2


@pytest.mark.parametrize("ddof", [0, 1])
def test_ddof(ddof):
    found = gaussian.finalize(streamed(REAL[:50], 50), ddof)
    np.testing.assert_allclose(found.covariance, np.cov(REAL[:50].T.astype(float), ddof=ddof), rtol=1e-4, atol=1e-6)


def test_too_few():
    with pytest.raises(UserError, match="at least 2 images, got 1"):
        gaussian.finalize(gaussian.of_batch(jnp.ones((1, 3))))
