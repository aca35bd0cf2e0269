import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.augment import blur, degrade
from jaxgan.data.photographs import photograph

SIDE = 24
X = jnp.float32(np.stack([photograph(name)[90 : 90 + SIDE, 90 : 90 + SIDE] for name in ("astronaut", "chelsea")])) / 255
KEYS = jax.random.split(jax.random.key(3), 2)
MANY = jax.random.split(jax.random.key(0), 2_000)


@pytest.fixture(scope="module")
def whole():
    """The whole chain, compiled once."""
    return jax.jit(jax.vmap(degrade.degraded))


def test_pictures_get_worse_each_by_its_own_key(whole):
    made = np.asarray(whole(KEYS, X))
    assert made.shape == X.shape
    assert 0 <= made.min() < made.max() <= 1
    np.testing.assert_allclose(made * 255, np.round(made * 255), atol=1e-3)
    assert all(0.01 < each < 0.4 for each in abs(made - X).mean((1, 2, 3)))
    alone = np.asarray(whole(KEYS.at[1].set(jax.random.key(9)), X.at[1].set(0.5)))
    np.testing.assert_allclose(alone[0], made[0], atol=1.01 / 255)
    other = np.asarray(whole(KEYS[::-1], X))
    assert (abs(other - made).mean((1, 2, 3)) > 0.005).all()


def test_on_average_the_picture_is_still_there(whole):
    """Oracle: the picture itself, smooth and with no symmetry; blur, noise and sizes have no direction."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    one = jnp.float32(np.stack([0.2 + 0.6 * x, 0.8 - 0.6 * y, 0.2 + 0.6 * x * y], -1))
    keys = jax.random.split(jax.random.key(1), 64)
    mean = np.mean([whole(keys[i : i + 2], jnp.stack([one, one])).mean(0) for i in range(0, 64, 2)], 0)
    for channel in range(3):
        assert np.corrcoef(mean[..., channel].ravel(), one[..., channel].ravel())[0, 1] > 0.95
    np.testing.assert_allclose(mean.mean((0, 1)), one.mean((0, 1)), atol=0.03)


# Oracle: the chances and ranges of the paper's authors, within five standard errors.
def test_kernels_and_sizes_have_their_chances():
    kernels = np.asarray(jax.jit(jax.vmap(lambda key: degrade.drawn_kernel(key, (0.2, 3.0))))(MANY))
    np.testing.assert_allclose(kernels.sum((1, 2)), 1, atol=1e-5)
    reach = (np.abs(kernels).max(1) > 0)[:, blur.REACH :].sum(1) - 1  # of tails that are not 0 in float32
    assert reach.max() == blur.REACH
    rings = (kernels < -1e-4).any((1, 2)).mean()
    assert abs(rings - degrade.RINGING) < 5 * np.sqrt(0.09 / len(MANY))
    draw = jax.jit(jax.vmap(lambda key: degrade.drawn_size(degrade.FIRST, key, (100, 200))))
    sizes = np.asarray(draw(MANY))
    low, high = degrade.FIRST.factors
    assert (sizes[:, 0] >= 100 * low - 1).all()
    assert (sizes[:, 0] <= 100 * high).all()
    assert abs(sizes[:, 1] - 2 * sizes[:, 0]).max() <= 1
    for chosen, chance in zip((sizes[:, 0] > 100, sizes[:, 0] < 100), degrade.FIRST.resizes, strict=False):
        # A factor within 1 % of 1 rounds to 100.
        assert abs(chosen.mean() - chance) < 5 * np.sqrt(0.25 / len(MANY)) + 0.01
