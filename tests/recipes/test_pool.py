"""Pools of past fakes. Oracle: the rule, replayed in plain Python from what a row was shown."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.recipes.common.pool import empty_pool, through_pool

KEY = jax.random.key(3)
through = jax.jit(through_pool)


def fakes(t, rows):
    """Fakes `[rows, 2]` that tell their step and row."""
    return jnp.stack([jnp.full(rows, t + 1.0), jnp.arange(rows) + 0.5], -1)


def keys(t, rows):
    return jax.random.split(jax.random.fold_in(KEY, t), rows)


def played(pool, steps, rows):
    for t in steps:
        shown, pool = through(pool, fakes(t, rows), keys(t, rows))
        yield t, np.asarray(shown), jax.tree.map(np.asarray, pool)


def test_an_empty_slot_takes_the_new_fake_and_it_is_shown():
    rows, slots = 3, 4
    pool = empty_pool(10, rows, (2,))
    assert pool["held"].shape == (rows, slots, 2)  # 10 is rounded up to 4 a row
    for t, shown, now in played(pool, range(slots), rows):
        np.testing.assert_array_equal(shown, fakes(t, rows))
        np.testing.assert_array_equal(now["held"][:, : t + 1, 0], [np.arange(t + 1) + 1] * rows)
        np.testing.assert_array_equal(now["full"], [[i <= t for i in range(slots)]] * rows)


def test_a_full_pool_swaps_half_of_the_time_and_any_slot_alike():
    """Bounds: five deviations of the binomial counts of 4,000 rows."""
    rows, slots = 4000, 5
    pool = empty_pool(rows * slots, rows, (2,))
    *_, (_, _, before) = played(pool, range(slots), rows)
    ((t, shown, after),) = played(before, [slots], rows)
    new = np.asarray(fakes(t, rows))
    old = (shown != new).any(-1)
    np.testing.assert_allclose(old.mean(), 0.5, atol=5 * np.sqrt(0.25 / rows))
    changed = (after["held"] != before["held"]).any(-1)
    # Stored where an old one was shown, and in the place of that one; nowhere else.
    np.testing.assert_array_equal(changed.sum(1), old)
    places = changed.argmax(1)[old]
    np.testing.assert_array_equal(after["held"][old, places], new[old])
    np.testing.assert_array_equal(before["held"][old, places], shown[old])
    share = np.bincount(places, minlength=slots) / old.sum()
    np.testing.assert_allclose(share, 1 / slots, atol=5 * np.sqrt(0.16 / old.sum()))


def test_nothing_is_lost_or_made_up():
    """Replay: what a row was shown, and what is left, are the fakes that it was given, each once."""
    rows, steps = 4, 30
    pool, seen = empty_pool(12, rows, (2,)), []
    for _, shown, now in played(pool, range(steps), rows):
        seen.append(shown)
        for row in range(rows):
            left = [each[0] for each, full in zip(now["held"][row], now["full"][row], strict=True) if full]
            given, given_out = {t + 1 for t in range(len(seen))}, [each[row][0] for each in seen]
            assert len(set(left)) == len(left)
            assert set(left) | set(given_out) == given
            # A fake is shown twice only where it was stored when it was new: at the filling.
            twice = {t for t in given if given_out.count(t) == 2}
            assert twice <= {1, 2, 3}
    assert all((each[:, 1] == np.arange(rows) + 0.5).all() for each in seen)  # of their own row


def test_devices_and_microbatches_have_the_slots_of_their_rows():
    """A microbatch of every second row takes the slots of two; halves of it, on two devices, are the whole."""
    pool = empty_pool(16, 8, (2,))
    whole, halves = pool, [jax.tree.map(lambda x: x[:4], pool), jax.tree.map(lambda x: x[4:], pool)]
    for t in range(9):
        shown, whole = through(whole, fakes(t, 4), keys(t, 4))
        parts = [through(half, fakes(t, 4)[cut], keys(t, 4)[cut]) for half, cut in zip(halves, (np.s_[:2], np.s_[2:]))]
        halves = [after for _, after in parts]
        np.testing.assert_array_equal(shown, np.concatenate([each for each, _ in parts]))
        joined = jax.tree.map(lambda *x: np.concatenate(x), *halves)
        jax.tree.map(np.testing.assert_array_equal, joined, whole)
        assert int(whole["full"].sum()) == min(4 * (t + 1), 16)


def test_a_pool_of_nothing():
    with pytest.raises(UserError, match="at least 1 fake and 1 row, got 0 and 4"):
        empty_pool(0, 4, (2,))
