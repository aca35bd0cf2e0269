"""Pictures in tiles. Oracle: the same function on the whole picture."""

import numpy as np
import pytest
import scipy.ndimage

from jaxgan.errors import UserError
from jaxgan.show import tiled

RADIUS = 4  # of what `blurred` sees


def blurred(picture):
    """Each pixel's mean over a square of 9 x 9, mirrored at the edges: what sees four pixels to each side."""
    return scipy.ndimage.uniform_filter(picture.astype(np.float32), (2 * RADIUS + 1,) * 2 + (1,), mode="mirror")


def enlarged(picture):
    return np.kron(blurred(picture), np.ones((2, 2, 1), np.float32))


def noise(height, width, channels=2):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(70, 50), (24, 24), (7, 90), (1, 1)])
@pytest.mark.parametrize(("translate", "scale"), [(blurred, 1), (enlarged, 2)])
def test_no_seam_where_half_the_margin_covers_what_is_seen(translate, scale, shape):
    picture = noise(*shape)
    sides = []

    def of_tile(part):
        sides.append(part.shape)
        return translate(part)

    made = tiled.translated(picture, of_tile, 32, 2 * RADIUS)
    assert set(sides) == {(32, 32, 2)}
    assert len(sides) == tiled.count(picture.shape, 32, 2 * RADIUS)
    assert made.shape == (scale * shape[0], scale * shape[1], 2)
    inside = tuple(
        slice(RADIUS * scale, max(RADIUS, side - RADIUS) * scale) for side in shape
    )  # edges are mirrored twice
    np.testing.assert_allclose(made[inside], translate(picture)[inside], atol=1e-3)


def test_a_narrow_margin_shows():
    picture = noise(70, 50)
    made = tiled.translated(picture, blurred, 32, 2)
    assert np.abs(made - blurred(picture))[RADIUS:-RADIUS, RADIUS:-RADIUS].max() > 1


def test_progress_counts_tiles():
    seen = []
    tiled.translated(noise(40, 20), blurred, 32, 8, seen.append)
    assert seen == [1, 2, 3, 4, 5, 6]


def test_when_there_are_tiles():
    assert tiled.tile_of(None, (1024, 1024)) == 0
    assert tiled.tile_of(None, (1024, 1025)) == tiled.TILE
    assert tiled.tile_of(0, (9000, 9000)) == 0
    assert tiled.tile_of(100, (10, 10)) == 100
    with pytest.raises(UserError, match="--tile must be above twice --overlap, 64, got 64; 0 takes pictures whole"):
        tiled.check(64, 32)
    tiled.check(0, 32)
