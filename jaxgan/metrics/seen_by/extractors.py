"""The extractors that have a name on the command line, and which of them is taken where nobody says."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.fields import Field, Kind
from jaxgan.game import Precision
from jaxgan.metrics.seen_by.features import Extractor

Name: TypeAlias = Literal[
    "auto", "fashion-cnn", "inception", "clean-inception", "torchvision", "random-inception", "pixels"
]
SMALL = 64  # pixels a side of grey images that the classifier of clothes may stand for
PIXELS = 16
REDUCED: dict[Kind, tuple[int, ...]] = {
    "mask": (PIXELS, PIXELS),
    "voxels": (8, 8, 8),
    "video": (4, 8, 8),
    "vector": (256,),
}
"""Sides to which examples of other kinds are reduced, axis by axis from the first."""


WITHOUT_WEIGHTS = (
    f"Inception's weights are not on this machine, so images are seen as their pixels, reduced to {PIXELS} x {PIXELS}: "
    "such a distance sees a collapse and little else, and is no FID; for one, `jaxgan weights download` fetches them."
)


def at_hand(name: Name, seen: Sequence[Field], say: Callable[[str], None], weights: str | None = None) -> Name:
    """The name, or "pixels" where "auto" would be Inception and its weights are not on this machine.

    Args:
        name: which extractor is wanted.
        seen: the fields that it shall see.
        say: is told if it is "pixels" for that reason.
        weights: file of Inception weights, where one is named.

    Raises:
        UserError: `$JAXGAN_INCEPTION_WEIGHTS` names a file that there is not.
    """
    from jaxgan.metrics.inception.published import INCEPTION_2015, find

    images = bool(seen) and all(field.kind == "image" for field in seen)
    if name != "auto" or weights is not None or not images or _small(seen) or find(INCEPTION_2015):
        return name
    say(WITHOUT_WEIGHTS)
    return "pixels"


def _small(images: Sequence[Field]) -> bool:
    """Whether the classifier of clothes may stand for Inception."""
    return all(h <= SMALL and w <= SMALL and c == 1 for h, w, c in (field.fixed for field in images)) and bool(images)


def choose(
    name: Name,
    seen: Sequence[Field],
    *,
    weights: str | None = None,
    precision: Precision = "float32",
    download: bool = False,
    allow_unverified: bool = False,
) -> Extractor:
    """An extractor by its name.

    "auto" is "fashion-cnn" for grey images of at most 64 pixels a side, which needs nothing that is not in the package,
    and "inception" for all other images; `at_hand` knows a way without its weights. What is no image is seen by its own
    numbers, reduced to few (`reduced`).

    Args:
        name: which one.
        seen: the fields that it shall see.
        weights: file of Inception weights; searched for in the usual places unless given.
        precision: of Inception's products.
        download: fetch Inception weights where they are nowhere to be found.
        allow_unverified: take Inception weights of unknown content.

    Raises:
        UserError: an unknown name, weights that are not there, or options that the extractor does not take.
    """
    if name not in get_args(Name):
        raise UserError(f"--extractor takes one of {', '.join(get_args(Name))}, got {name}.")
    kinds: set[Kind] = {field.kind for field in seen if field.kind != "image"}
    if kinds:
        return _of_numbers(name, kinds)
    name = ("fashion-cnn" if _small(seen) and weights is None else "inception") if name == "auto" else name
    if name in ("fashion-cnn", "pixels", "random-inception"):
        if weights is not None:
            raise UserError(f"--weights belongs to the Inception networks; --extractor {name} takes none.")
        if precision != "float32" and name != "random-inception":
            raise UserError(f"--precision of --extractor {name} is float32, got {precision}.")
        return _own(name, precision)
    from jaxgan.metrics.inception.weights import load_inception, load_torchvision_inception

    how: dict[str, Any] = {"precision": precision, "allow_unverified": allow_unverified}
    if name == "torchvision":
        return load_torchvision_inception(weights, **how)
    return load_inception(weights, resize="clean" if name == "clean-inception" else "legacy", download=download, **how)


def _of_numbers(name: Name, kinds: set[Kind]) -> Extractor:
    if name not in ("auto", "pixels") or len(kinds) > 1 or not kinds <= set(REDUCED):
        raise UserError(
            f"--extractor {name} does not see {' and '.join(sorted(kinds))}; {', '.join(REDUCED)} are seen by auto."
        )
    return reduced(next(iter(kinds)))


def reduced(kind: Kind) -> Extractor:
    """The numbers of an example themselves, its axes reduced to a few averages: sees a collapse, and little else."""
    sides = REDUCED[kind]
    name = f"{kind}-{sides[-1]}"
    return Extractor(name, "", "x".join(map(str, sides)), "float32", functools.partial(_reduce, sides), {}, kind)


def _reduce(sides: tuple[int, ...], params: Any, examples: Array | np.ndarray) -> dict[str, Float[Array, "b d"]]:
    del params
    x = jnp.asarray(examples, jnp.float32)
    x = x / 255 if jnp.issubdtype(examples.dtype, jnp.integer) else x
    shape = tuple(min(have, side) for have, side in zip(x.shape[1:], sides, strict=False))
    shape = (len(x), *shape, *x.shape[1 + len(shape) :])
    small = jax.image.resize(x, shape, "linear", precision=jax.lax.Precision.HIGHEST)
    return {"features": small.reshape(len(x), -1)}


def pixels() -> Extractor:
    """The pixels themselves, reduced to 16 x 16: sees a collapse, and little else."""
    return Extractor(f"pixels-{PIXELS}", "", f"{PIXELS}x{PIXELS}", "float32", _pixels, {}, size=(PIXELS, PIXELS))


def _own(name: str, precision: Precision) -> Extractor:
    if name == "pixels":
        return pixels()
    if name == "fashion-cnn":
        from jaxgan.metrics.seen_by.fashion_cnn import fashion_cnn

        return fashion_cnn()
    from jaxgan.metrics.inception.inception import random_inception

    return random_inception(0, precision=precision)


def _pixels(params: Any, images: Array | np.ndarray) -> dict[str, Float[Array, "b d"]]:
    del params
    shape = (len(images), PIXELS, PIXELS, images.shape[-1])
    precision = jax.lax.Precision.HIGHEST
    small = jax.image.resize(jnp.asarray(images, jnp.float32) / 255, shape, "linear", precision=precision)
    return {"features": small.reshape(len(images), -1)}
