"""From images to features: what an extractor is, and how one runs over many images on all devices."""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxgan.data import Data, gather, some_rows
from jaxgan.errors import UserError
from jaxgan.fields import Field, Kind
from jaxgan.game.parallel import AXIS, make_mesh

BATCH = 64
Progress = Callable[[int], None]


class Extractor(NamedTuple):
    """A network, or any other function, that turns images into features; two extractors that differ have other fields.

    Attributes:
        name: what it is called.
        weights: SHA-256 of the content of its weights, in hex; "" where it has none.
        resize: what is done to the images first: "legacy" (bilinear, as TensorFlow 1), "clean" (bicubic, antialiased),
            or words of its own.
        precision: number format of its products.
        apply: pure `(params, images [b, h, w, c]) -> {"features": [b, d], ...}`, images on the scale 0..255 as uint8 or
            float32, and perhaps further outputs such as "logits" [b, k] and "spatial" [b, s].
        params: a pytree of arrays.
        kind: of the fields that it sees.
        size: height and width that it brings images to; None where it does not say.
    """

    name: str
    weights: str
    resize: str
    precision: str
    apply: Callable[[Any, Any], dict[str, Any]]
    params: Any
    kind: Kind = "image"
    size: tuple[int, int] | None = None


def extract(
    extractor: Extractor,
    batches: Iterable[np.ndarray],
    taps: Sequence[str] = ("features",),
    *,
    batch_size: int = BATCH,
    devices: Sequence[Any] | None = None,
    progress: Progress | None = None,
    resized: bool = False,
) -> dict[str, np.ndarray]:
    """Features of all images together: {tap: float32 [n, ...]}; arguments and errors as for `stream_features`."""
    how: dict[str, Any] = {"batch_size": batch_size, "devices": devices, "progress": progress, "resized": resized}
    found = list(stream_features(extractor, batches, taps, **how))
    return {tap: np.concatenate([each[tap] for each in found]) for tap in taps}


def stream_features(
    extractor: Extractor,
    batches: Iterable[np.ndarray],
    taps: Sequence[str] = ("features",),
    *,
    batch_size: int = BATCH,
    devices: Sequence[Any] | None = None,
    progress: Progress | None = None,
    resized: bool = False,
) -> Iterator[dict[str, np.ndarray]]:
    """Features of images, in order, batch after batch.

    Every batch has the same size, the last one filled up with black images whose features are dropped: one program is
    compiled, and no feature depends on how the images came.

    Args:
        extractor: what to run.
        batches: uint8 images on the scale 0..255, as many at a time as is handy.
        taps: which of its outputs.
        batch_size: images at a time over all devices, made a multiple of their number.
        devices: this process's unless given.
        progress: is told how many images are done, now and then.
        resized: the images are float32 of the extractor's own size already, from `each.examples_of`.

    Yields:
        {tap: float32 [b, ...]}.

    Raises:
        UserError: no image, images that are not uint8, or an output that the extractor does not have.
    """
    mesh = make_mesh(jax.local_devices() if devices is None else devices)
    size = -(-batch_size // mesh.size) * mesh.size
    run = _compiled(extractor.apply, tuple(taps), mesh)
    params = jax.device_put(extractor.params, NamedSharding(mesh, PartitionSpec()))
    pending, done = None, 0
    for images in _cut(batches, size, extractor.kind == "image" and not resized):
        filled = np.zeros((size, *images.shape[1:]), images.dtype)
        filled[: len(images)] = images
        following = run(params, filled), len(images)
        if pending:  # fetched while the device works on the next batch
            yield _fetch(*pending)
        pending, done = following, done + len(images)
        if progress:
            progress(done)
    if pending is None:
        raise UserError("there are no images to take features of.")
    yield _fetch(*pending)


def outputs_of(extractor: Extractor, field: Field) -> dict[str, tuple[int, ...]]:
    """The extractor's outputs for examples of this field, and the shape of each for one; computes nothing."""
    images = jax.ShapeDtypeStruct((1, *field.fixed), field.dtype)
    found = jax.eval_shape(extractor.apply, extractor.params, images)
    return {tap: tuple(value.shape[1:]) for tap, value in found.items()}


def batches_of(data: Data, name: str, limit: int | None = None, size: int = BATCH) -> Iterator[np.ndarray]:
    """The field `name` of a data set in its order, `size` examples at a time; of at most `limit` by `some_rows`."""
    return (examples[name] for examples in examples_of(data, name, limit, size))


def examples_of(data: Data, name: str, limit: int | None = None, size: int = BATCH) -> Iterator[dict[str, np.ndarray]]:
    """The same with labels, where there are any: {name: stored [b, ...], "label": int32 [b]}."""
    table, rows = data.table(name), some_rows(data.table(name).rows, count_of(data, name, limit))
    names = [each for each in (name, "label") if each in table.spec]
    for start in range(0, len(rows), size):
        yield gather(table.source, rows[start : start + size], names)


def count_of(data: Data, name: str, limit: int | None) -> int:
    """Examples of a data set that have the field `name`, at most `limit`."""
    rows = data.table(name).rows
    return rows if limit is None else min(limit, rows)


@functools.lru_cache(maxsize=16)
def _compiled(apply: Callable[[Any, Any], dict[str, Any]], taps: tuple[str, ...], mesh: Mesh) -> Callable[..., Any]:
    whole, split = PartitionSpec(), PartitionSpec(AXIS)

    def run(params: Any, images: Any) -> dict[str, Any]:
        outputs = apply(params, images)
        missing = [tap for tap in taps if tap not in outputs]
        if missing:
            raise UserError(f"the extractor has the outputs {', '.join(outputs)}, not {', '.join(missing)}.")
        return {tap: outputs[tap].astype("float32") for tap in taps}

    # Each device runs its own images: automatic partitioning would give all images to all devices where an extractor
    # maps over them. Nothing is exchanged, so there is no varying-axes check that a user's function must pass.
    return jax.jit(jax.shard_map(run, mesh=mesh, in_specs=(whole, split), out_specs=split, check_vma=False))


def _cut(batches: Iterable[np.ndarray], size: int, stored: bool) -> Iterator[np.ndarray]:
    """The same images, `size` at a time; the last ones fewer."""
    held: np.ndarray | None = None
    for images in batches:
        if stored:
            _check_images(images)
        if held is not None and images.shape[1:] != held.shape[1:]:
            raise UserError(f"images must have one shape, got {held.shape[1:]} and {images.shape[1:]}.")
        joined = images if held is None or not len(held) else np.concatenate([held, images])
        whole = len(joined) - len(joined) % size
        for start in range(0, whole, size):
            yield joined[start : start + size]
        held = joined[whole:]
    if held is not None and len(held):
        yield held


def _check_images(images: np.ndarray) -> None:
    if images.ndim != 4:
        raise UserError(f"images have four axes [n, height, width, channels], got {list(images.shape)}.")
    if images.dtype != np.uint8:
        ends = f" from {images.min():.4g} to {images.max():.4g}" if images.size else ""
        raise UserError(
            f"metrics take uint8 images from 0 to 255, got {images.dtype}{ends}; "
            "the `outside` of an image field makes them from numbers in -1..1."
        )


def _fetch(outputs: dict[str, Any], n: int) -> dict[str, np.ndarray]:
    return {tap: np.asarray(values)[:n] for tap, values in outputs.items()}
