"""Named, typed fields: what data give, what recipes need, and what systems take and make.

A `Field` says of one named array how it is stored and what networks see of it. Whoever handles examples (readers,
batches, previews, files, metrics, commands) reads these declarations, and knows nothing of images or labels by itself.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxgan.errors import UserError

Kind: TypeAlias = Literal[
    "image", "mask", "label_map", "label", "code", "vector", "tokens", "wave", "voxels", "video", "number"
]


class Storage(NamedTuple):
    """How arrays of a kind are stored, and the way into networks and back.

    Attributes:
        dtype: of what is stored, on the disk and on the device.
        inside: pure; stored numbers to what networks see.
        outside: its inverse, rounded and clipped to `dtype`.
    """

    dtype: np.dtype
    inside: Callable[[Array | np.ndarray], Array]
    outside: Callable[[Array | np.ndarray], Array]


def _symmetric(x: Array | np.ndarray) -> Array:
    return jnp.asarray(x, jnp.float32) / 127.5 - 1.0


def _from_symmetric(x: Array | np.ndarray) -> Array:
    return jnp.clip(jnp.round((jnp.asarray(x, jnp.float32) + 1.0) * 127.5), 0, 255).astype(jnp.uint8)


def _share(x: Array | np.ndarray) -> Array:
    return jnp.asarray(x, jnp.float32) / 255.0


def _from_share(x: Array | np.ndarray) -> Array:
    return jnp.clip(jnp.round(jnp.asarray(x, jnp.float32) * 255.0), 0, 255).astype(jnp.uint8)


def _wave(x: Array | np.ndarray) -> Array:
    return jnp.asarray(x, jnp.float32) / 32768.0


def _from_wave(x: Array | np.ndarray) -> Array:
    return jnp.clip(jnp.round(jnp.asarray(x, jnp.float32) * 32768.0), -32768, 32767).astype(jnp.int16)


def _whole(x: Array | np.ndarray) -> Array:
    return jnp.asarray(x, jnp.int32)


def _real(x: Array | np.ndarray) -> Array:
    return jnp.asarray(x, jnp.float32)


_PIXELS = Storage(np.dtype(np.uint8), _symmetric, _from_symmetric)
_SHARES = Storage(np.dtype(np.uint8), _share, _from_share)
_WHOLE = Storage(np.dtype(np.int32), _whole, _whole)
_REAL = Storage(np.dtype(np.float32), _real, _real)

KINDS: dict[Kind, Storage] = {
    "image": _PIXELS,  # [h, w, c]: 0..255, seen as -1..1
    "video": _PIXELS,  # [t, h, w, c]
    "mask": _SHARES,  # [h, w, 1]: 0..255, seen as 0..1
    "voxels": _SHARES,  # [d, h, w]: how full, 0..255, seen as 0..1
    "label_map": _WHOLE,  # [h, w]: a class for each pixel
    "label": _WHOLE,  # []: one of `names`
    "code": _WHOLE,  # []: one of `names`, to which the system gives a meaning of its own
    "tokens": _WHOLE,  # [n]: places in the vocabulary `names`; 0 fills up
    "wave": Storage(np.dtype(np.int16), _wave, _from_wave),  # [n]: 16-bit samples, seen as -1..1
    "vector": _REAL,
    "number": _REAL,  # []
}
"""How each kind is stored and seen; the test of kinds holds tiles, files and extractors to the same keys."""


class Field(NamedTuple):
    """One named array of an example: how it is stored, what networks see of it, what its numbers mean.

    Attributes:
        kind: a key of `KINDS`.
        shape: of one example; None stands for any size.
        names: of a label's values, a label map's values, or the vocabulary; in order.
        rate: samples or frames a second.
    """

    kind: Kind
    shape: tuple[int | None, ...] = ()
    names: tuple[str, ...] = ()
    rate: float | None = None

    @property
    def dtype(self) -> np.dtype:
        """Of what is stored."""
        return KINDS[self.kind].dtype

    def inside(self, stored: Any) -> Array:
        """What networks see of stored numbers `[..., *shape]`; pure."""
        return KINDS[self.kind].inside(stored)

    def outside(self, seen: Any) -> Array:
        """Stored numbers from what networks make `[..., *shape]`; pure, the inverse of `inside`."""
        return KINDS[self.kind].outside(seen)

    @property
    def size(self) -> int:
        """Numbers of one example; UserError where a side is not known."""
        return int(np.prod(self.fixed))

    @property
    def fixed(self) -> tuple[int, ...]:
        """The shape, of which every side must be known; else UserError."""
        if None in self.shape:
            raise UserError(f"a {self.kind} of any size has no fixed shape; --image-size gives one.")
        return tuple(side for side in self.shape if side is not None)


Spec: TypeAlias = Mapping[str, Field]
"""The fields of an example by name."""


class Needs(NamedTuple):
    """What a recipe takes of data: a constant of its module.

    Attributes:
        fields: name to kind; "label?" may be missing, "image|label_map" is either.
        apart: each field is a set of its own, drawn independently of the others.
    """

    fields: Mapping[str, str]
    apart: bool = False

    def kinds(self, name: str) -> tuple[str, ...]:
        """The kinds that the field may be of."""
        return tuple(self.fields[name].removesuffix("?").split("|"))

    def optional(self, name: str) -> bool:
        """Whether the field may be missing."""
        return self.fields[name].endswith("?")


IMAGES = Needs({"image": "image", "label": "label?"})
"""Images with a class each, where there are any."""


def whole(field: Field) -> bool:
    """Whether networks see whole numbers: classes, codes, places in a vocabulary."""
    return KINDS[field.kind] is _WHOLE


def label(names: tuple[str, ...]) -> Field:
    """A class, one of `names`."""
    return Field("label", (), names)


def code(values: int) -> Field:
    """A whole number below `values` to which a system gives a meaning of its own."""
    return Field("code", (), tuple(str(value) for value in range(values)))


def image(height: int | None, width: int | None, channels: int) -> Field:
    """Pixels of an image."""
    return Field("image", (height, width, channels))


def any_size(field: Field) -> Field:
    """The field with sides of any size: what a fully convolutional network takes and makes.

    Channels stay; a label map has none.
    """
    channels = () if field.kind == "label_map" else field.shape[-1:]
    return field._replace(shape=(None,) * (len(field.shape) - len(channels)) + channels)


def planes(field: Field) -> int:
    """Channels that `as_planes` gives."""
    return len(field.names) if field.kind == "label_map" else int(field.shape[-1] or 1)


def as_planes(field: Field, seen: Array) -> Array:
    """Pixels `[b, h, w, planes]` in [-1, 1] of an image, a mask or a label map, whose classes become one-hot planes."""
    if field.kind == "label_map":
        return 2 * jax.nn.one_hot(seen, len(field.names)) - 1
    return 2 * seen - 1 if field.kind == "mask" else seen


def only(spec: Spec, *names: str) -> dict[str, Field]:
    """The fields of these names, in this order; a name that the spec lacks is left out."""
    return {name: spec[name] for name in names if name in spec}


def classes(spec: Spec, name: str = "label") -> int:
    """How many classes the field `name` has; 0 without it."""
    return len(spec[name].names) if name in spec else 0


def inside(spec: Spec, stored: Mapping[str, Any]) -> dict[str, Array]:
    """What networks see of a batch of stored fields; those that the spec does not name are left out."""
    return {name: field.inside(stored[name]) for name, field in spec.items()}


def outside(spec: Spec, seen: Mapping[str, Any]) -> dict[str, Array]:
    """What is stored of a batch that networks made; UserError where a field of the spec is not among it."""
    missing = sorted(set(spec) - set(seen))
    if missing:
        raise UserError(f"a verb makes {', '.join(spec)}, but its `run` gave no {', '.join(missing)}.")
    return {name: field.outside(seen[name]) for name, field in spec.items()}


def shapes(spec: Spec, rows: int) -> dict[str, jax.ShapeDtypeStruct]:
    """Shapes and dtypes of a batch as networks see it."""
    return {
        name: jax.eval_shape(field.inside, jax.ShapeDtypeStruct((rows, *field.fixed), field.dtype))
        for name, field in spec.items()
    }


def check(spec: Spec, needs: Needs, what: str = "the data") -> None:
    """Raise UserError where the spec lacks what the needs ask for, or has it as another kind."""
    for name in needs.fields:
        kinds = needs.kinds(name)
        if name not in spec:
            if not needs.optional(name):
                has = ", ".join(f"{each} ({field.kind})" for each, field in spec.items()) or "nothing"
                raise UserError(f"this recipe needs {name} ({' or '.join(kinds)}), but {what} has {has}.")
        elif spec[name].kind not in kinds:
            raise UserError(f"this recipe needs {name} as {' or '.join(kinds)}, but {what} has {spec[name].kind}.")


def to_json(spec: Spec) -> dict[str, Any]:
    """The spec as JSON values."""
    return {
        name: {"kind": field.kind, "shape": list(field.shape), "names": list(field.names), "rate": field.rate}
        for name, field in spec.items()
    }


def from_json(content: Any, source: str) -> dict[str, Field]:
    """A spec from what `to_json` made; UserError, which names the `source`, for anything else."""
    try:
        return {
            str(name): Field(_kind(each["kind"]), tuple(each["shape"]), tuple(each["names"]), each["rate"])
            for name, each in content.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{source} does not say which fields the data has: {error!r}.") from error


def _kind(name: str) -> Any:
    if name not in get_args(Kind):
        raise ValueError(f"{name!r} is no kind")
    return name
