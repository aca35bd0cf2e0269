"""Holes. Oracles: the law's own numbers, and a stroke drawn by hand from straight pieces."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import label

from jaxgan.made import holes as made
from jaxgan.made.holes import holes

KEYS = jax.random.split(jax.random.key(0), 200)


@functools.cache
def drawn(kind, height=64, width=48):
    return np.asarray(jax.jit(lambda keys: holes(keys, height, width, kind))(KEYS))


def test_boxes_are_half_the_sides_less_a_sixteenth_at_each_edge():
    masks = drawn("boxes")[..., 0]
    sizes = []
    for mask in masks:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        assert mask.sum() == len(rows) * len(columns)
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (len(rows), len(columns))
        sizes.append((len(rows), len(columns)))
    assert (np.min(sizes, 0) >= (32 - 8, 24 - 6)).all()
    assert (np.max(sizes, 0) <= (32, 24)).all()
    assert np.ptp(sizes, 0).min() >= 4
    assert masks.any(0)[8:-8, 6:-6].all()  # a box may lie anywhere


def test_strokes_are_few_connected_pieces_that_differ():
    masks = drawn("strokes")[..., 0]
    pieces = [label(mask, np.ones((3, 3)))[1] for mask in masks]
    assert set(pieces) == {1, 2, 3}
    assert len({mask.tobytes() for mask in masks}) == len(masks)
    assert 0.02 < masks.mean((1, 2)).min() < masks.mean((1, 2)).max() < 0.6


def test_both_is_the_union_by_the_same_keys():
    np.testing.assert_array_equal(drawn("both"), np.maximum(drawn("boxes"), drawn("strokes")))


def test_the_centre_is_the_middle_half():
    mask = drawn("centre", 28, 16)[7, ..., 0]
    wanted = np.zeros((28, 16))
    wanted[7:21, 4:12] = 1
    np.testing.assert_array_equal(mask, wanted)


def test_a_hole_depends_on_its_key_alone():
    few = np.asarray(jax.jit(lambda keys: holes(keys, 64, 48))(KEYS[3:9]))
    np.testing.assert_array_equal(few, drawn("both")[3:9])


def test_distances_to_a_piece():
    a, b = jnp.array([[2.0, 1.0], [5.0, 5.0]]), jnp.array([[2.0, 6.0], [5.0, 5.0]])
    found = np.asarray(made._distances(a, b, 8, 8))
    assert found[0, 4, 3] == pytest.approx(2.5)  # straight below the piece
    assert found[0, 2, 7] == pytest.approx(np.hypot(0.5, 1.5))  # past its end
    assert found[1, 7, 2] == pytest.approx(np.hypot(2.5, 2.5))  # a piece without length is a point


def test_moves_turn_to_and_fro_within_the_law():
    moves = np.asarray(jax.jit(jax.vmap(lambda key: made._moves(key, 256.0)))(KEYS))
    lengths, angles = np.linalg.norm(moves, axis=-1), np.arctan2(moves[..., 1], moves[..., 0])
    assert lengths.max() <= 64 + 1e-3
    assert abs(np.median(lengths) - 32) < 2
    sure = lengths > 1  # a piece without length has no direction
    assert (angles[:, ::2][sure[:, ::2]] < 0).all()
    assert (angles[:, 1::2][sure[:, 1::2]] > 0).all()
    off = np.abs(np.abs(angles[sure]) - 2 * np.pi / 5)
    assert 0.3 < off.max() <= 2 * np.pi / 15 + 1e-4
