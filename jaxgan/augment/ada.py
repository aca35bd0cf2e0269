"""ADA's pipe: changes that happen to an image with probability p, so gently that the generator does not learn them.

Karras, Aittala, Hellsten, Laine, Lehtinen and Aila 2020, "Training Generative Adversarial Networks with Limited Data"
(arXiv:2006.06676), section 3 and appendix B: blits (mirror, quarter turns, whole pixels), geometry (scales, turns,
shifts) and colours, its default. While p is below about 0.8, the distribution of the changed images tells the
distribution of the images, so that what G makes need not be changed to match. The paper's filters, noise and cutout,
which it leaves off, are not here.

All geometry is one matrix. The image, mirrored at its edges, is enlarged by two, read between its pixels, and shrunk by
two, with an orthogonal wavelet filter (sym6) on both ways: that of the identity is the identity.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxgan.layers.fir import filtered

_SYM6 = np.array([
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466,
    0.787641141030194, 0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578,
    0.0017677118642428036, -0.007800708325034148,
])  # fmt: skip
# Of the filter, in taps. It is not symmetric: about its centre of mass smooth pictures are mirrored to 3e-4, about its
# middle tap they would move by two fifths of a pixel. Noise near the highest frequency is not mirrored exactly.
_CENTRE = float(np.arange(len(_SYM6)) @ _SYM6 / _SYM6.sum())
_GREY = np.ones((3, 3)) / 3  # onto the axis of greys
_CROSS = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)  # about it


def ada(
    rng: Key[Array, "b"], x: Float[Array, "b h w c"], p: Float[Array, ""], conditions: int = 0
) -> Float[Array, "b h w c"]:
    """Each image changed by blits, geometry and colours, each of them with probability p.

    Args:
        rng: one key an image.
        x: images, black being -1 and white 1.
        p: from 0, which leaves images as they are but for rounding, to 1.
        conditions: so many of the first channels are what the picture belongs to: they keep their colours. Pictures of
            neither one nor three channels do, too.
    """

    def one(key: Array, x: Array) -> Array:
        of_place, of_colour = jax.random.split(key)
        x = placed(x, place(of_place, (x.shape[0], x.shape[1]), p))
        kept, picture = x[..., :conditions], x[..., conditions:]
        if picture.shape[-1] not in (1, 3):
            return x
        return jnp.concatenate([kept, coloured(picture, colours(of_colour, p, picture.shape[-1] == 3))], -1)

    return jax.vmap(one)(rng, x)


def place(key: Key[Array, ""], size: tuple[int, int], p: Float[Array, ""]) -> Float[Array, "3 3"]:
    """Where each pixel of the changed image comes from: a matrix from its place to that in the image, from the middle.

    Args:
        key: of one image.
        size: height and width.
        p: probability of each change; turns, of which there are two, happen with 1 - sqrt(1 - p) each.
    """
    height, width = size
    coins, amounts = jax.random.split(key)
    fires = jax.random.uniform(coins, (6,)) < p
    turns = jax.random.uniform(jax.random.fold_in(coins, 1), (2,)) < 1 - jnp.sqrt(1 - p)
    u, n = jax.random.uniform(amounts, (6,)), jax.random.normal(jax.random.fold_in(amounts, 1), (4,))
    quarters = jnp.floor(4 * u[1])
    whole = jnp.round((2 * u[2:4] - 1) / 8 * jnp.array([width, height]))
    half_turn = jnp.pi * (2 * u[4:6] - 1)
    stretch = jnp.exp2(0.2 * n[1])
    # The inverses of the changes, from the first to the last.
    changes = (
        (fires[0], _scale(jnp.where(u[0] < 0.5, -1.0, 1.0), 1.0)),
        (fires[1], _turn(-jnp.pi / 2 * quarters)),
        (fires[2], _shift(-whole[0], -whole[1])),
        (fires[3], _scale(jnp.exp2(-0.2 * n[0]), jnp.exp2(-0.2 * n[0]))),
        (turns[0], _turn(-half_turn[0])),
        (fires[4], _scale(1 / stretch, stretch)),
        (turns[1], _turn(-half_turn[1])),
        (fires[5], _shift(-n[2] * width / 8, -n[3] * height / 8)),
    )
    matrix = jnp.eye(3)
    for happens, inverse in changes:
        matrix = matrix @ jnp.where(happens, inverse, jnp.eye(3))
    return matrix


def placed(x: Float[Array, "h w c"], matrix: Float[Array, "3 3"]) -> Float[Array, "h w c"]:
    """The image read where the matrix says, smoothly; what lies outside is its mirror image, once, and then 0."""
    height, width, _ = x.shape
    taps = tuple(float(tap) for tap in _SYM6 / _SYM6.sum())
    mirrored = jnp.pad(x, ((height - 1,) * 2, (width - 1,) * 2, (0, 0)), mode="reflect")
    large = filtered(mirrored[None], tuple(2 * tap for tap in taps), up=2, pads=(len(taps) - 1, len(taps) - 1))[0]
    # Pixel n of the enlarged image lies at (n - centre) / 2 of the mirrored one, as do those that are to be shrunk.
    rows, columns = (jnp.arange(2 * side + len(taps) - 2) for side in (height, width))
    y, x_ = jnp.meshgrid((rows - _CENTRE - height + 1) / 2, (columns - _CENTRE - width + 1) / 2, indexing="ij")
    from_x, from_y = (row[0] * x_ + row[1] * y + row[2] for row in matrix[:2])
    at_y, at_x = (
        2 * (place + (side - 1) / 2 + side - 1) + _CENTRE for place, side in ((from_y, height), (from_x, width))
    )
    read = _between(large, at_y, at_x)
    return filtered(read[None], tuple(reversed(taps)), down=2)[0]


def colours(key: Key[Array, ""], p: Float[Array, ""], hues: bool) -> Float[Array, "3 4"]:
    """Brightness, contrast, a flip of luma, hue and saturation: a matrix and an offset of red, green and blue.

    Args:
        key: of one image.
        p: probability of each.
        hues: leave out hue and saturation, which grey has not, where False.
    """
    coins, amounts = jax.random.split(key)
    fires = jax.random.uniform(coins, (5,)) < p * jnp.array([1, 1, 1, hues, hues])
    n, u = jax.random.normal(amounts, (3,)), jax.random.uniform(jax.random.fold_in(amounts, 1), (2,))
    angle, grey = jnp.pi * (2 * u[1] - 1), jnp.asarray(_GREY)
    hue = grey + jnp.cos(angle) * (jnp.eye(3) - grey) + jnp.sin(angle) * jnp.asarray(_CROSS)
    changes = (
        (fires[1], jnp.exp2(0.5 * n[1]) * jnp.eye(3)),
        (fires[2], jnp.where(u[0] < 0.5, 1.0, 0.0) * -2 * grey + jnp.eye(3)),
        (fires[3], hue),
        (fires[4], grey + jnp.exp2(n[2]) * (jnp.eye(3) - grey)),
    )
    matrix = jnp.concatenate([jnp.eye(3), jnp.where(fires[0], 0.2 * n[0], 0.0) * jnp.ones((3, 1))], 1)
    for happens, change in changes:
        matrix = jnp.where(happens, change, jnp.eye(3)) @ matrix
    return matrix


def coloured(x: Float[Array, "h w c"], matrix: Float[Array, "3 4"]) -> Float[Array, "h w c"]:
    """The picture with the matrix applied to each pixel; grey takes the mean of its rows."""
    if x.shape[-1] == 1:
        gain, offset = matrix[:, :3].sum(1).mean(), matrix[:, 3].mean()
        return (gain * x + offset).astype(x.dtype)
    exact = jax.lax.Precision.HIGHEST
    return (jnp.matmul(x, matrix[:, :3].T, precision=exact) + matrix[:, 3]).astype(x.dtype)


def _between(image: Float[Array, "h w c"], y: Float[Array, "m n"], x: Float[Array, "m n"]) -> Float[Array, "m n c"]:
    """Bilinear between pixels; zeros outside."""
    height, width, channels = image.shape
    flat, total = image.reshape(-1, channels), jnp.zeros((*y.shape, channels), image.dtype)
    low_y, low_x = jnp.floor(y), jnp.floor(x)
    for dy in (0, 1):
        for dx in (0, 1):
            row, column = low_y + dy, low_x + dx
            share = (1 - jnp.abs(y - row)) * (1 - jnp.abs(x - column))
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            index = jnp.clip(row, 0, height - 1) * width + jnp.clip(column, 0, width - 1)
            total = total + jnp.where(inside, share, 0)[..., None].astype(image.dtype) * flat[index.astype(jnp.int32)]
    return total


def _scale(x: Array | float, y: Array | float) -> Float[Array, "3 3"]:
    return jnp.diag(jnp.stack([jnp.asarray(each, jnp.float32) for each in (x, y, 1.0)]))


def _turn(angle: Array) -> Float[Array, "3 3"]:
    c, s = jnp.cos(angle), jnp.sin(angle)
    return jnp.eye(3).at[:2, :2].set(jnp.array([[c, -s], [s, c]]))


def _shift(x: Array, y: Array) -> Float[Array, "3 3"]:
    return jnp.eye(3).at[:2, 2].set(jnp.stack([x, y]))
