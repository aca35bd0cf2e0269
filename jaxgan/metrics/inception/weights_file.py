"""Reading and converting files of Inception's weights: what a file is, its content says, never its name."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxgan.errors import UserError
from jaxgan.metrics.inception.params import State, check_state, state_shapes
from jaxgan.metrics.inception.published import ALL, Published
from jaxgan.paths import typed
from jaxgan.weights.pth import read_pth

_SOURCE, _CONTENT = "source_sha256", "content_sha256"


class Weights(NamedTuple):
    """What a file holds.

    Attributes:
        state: names and arrays.
        sha256: of the published file's bytes, also where the state comes from a conversion of it.
    """

    state: State
    sha256: str


def read_weights(path: Path, published: Published, *, allow_unverified: bool = False) -> Weights:
    """The weights in a file of PyTorch or of `convert`, after a look at its hash.

    Nothing of a file of PyTorch is interpreted unless its SHA-256 is that of the published file or `allow_unverified`.
    A converted file carries the hash of its source and of its content; the latter is computed again. The former is the
    word of whoever converted it.

    Args:
        path: of the file.
        published: which weights are wanted.
        allow_unverified: take other weights too, if they are of the network.

    Returns:
        The weights; their `sha256` says whether they are the published ones.

    Raises:
        UserError: if the file cannot be read, is damaged, or has other content.
    """
    return _checked(_open(path), path, published, allow_unverified=allow_unverified)


def convert(source: str | os.PathLike[str], target: str | os.PathLike[str], *, allow_unverified: bool = False) -> str:
    """Write the weights of a file as safetensors: float32, PyTorch's names and layout, both hashes as metadata.

    Args:
        source: a file of PyTorch, or one that was converted.
        target: the file to write; its folder is made.
        allow_unverified: take other weights than the published ones, if they are of one of the networks.

    Returns:
        A line for people that says what was written.

    Raises:
        UserError: as of `read_weights`, or if the target cannot be written.
    """
    import safetensors.numpy

    source, target = typed(source), typed(target)
    file = _open(source)
    published = _replaceable(file, allow_unverified=allow_unverified)
    weights = _checked(file, source, published, allow_unverified=allow_unverified)
    shapes = state_shapes(published.variant)
    state = {name: np.ascontiguousarray(weights.state[name], np.float32).reshape(shapes[name]) for name in shapes}
    notes = {"network": published.title, _SOURCE: weights.sha256, _CONTENT: content_sha256(state)}
    content = safetensors.numpy.save(state, notes)
    _write(target, content)
    return f"wrote {target}: {published.title}, source {weights.sha256[:8]}, {len(content):,} bytes"


def identify(path: Path) -> str:
    """What a file is, in words, by the hash of its content.

    Args:
        path: of the file.

    Returns:
        Such as "Inception v3 of 2015 (6726825d)", or that it is something else, or why it cannot be read.
    """
    try:
        sha256 = _open(path).sha256
    except UserError as error:
        return str(error)
    titles = [published.title for published in ALL if published.sha256 == sha256]
    return f"{titles[0]} ({sha256[:8]})" if titles else f"another file, of SHA-256 {sha256}"


def content_sha256(state: State) -> str:
    """SHA-256 of names, dtypes, shapes and numbers, whatever the order and the file they are in.

    Args:
        state: names and arrays.

    Returns:
        Hex digest of a JSON list of [name, dtype, shape] sorted by name, followed by the bytes of each array in that
        order, little-endian, last axis fastest.
    """
    items = sorted(state.items())
    digest = hashlib.sha256(json.dumps([[name, array.dtype.name, array.shape] for name, array in items]).encode())
    for _, array in items:
        digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


class _File(NamedTuple):
    """A file's hash, and its arrays for those who trust it."""

    sha256: str
    parse: Callable[[], State]


def _open(path: Path) -> _File:
    content = _bytes(path)
    if content[8:9] == b"{":  # safetensors: a JSON object after its length; no file of PyTorch has that there
        weights = _read_converted(content, str(path))
        return _File(weights.sha256, lambda: weights.state)
    return _File(hashlib.sha256(content).hexdigest(), lambda: read_pth(content, str(path)))


def _checked(file: _File, path: Path, published: Published, *, allow_unverified: bool) -> Weights:
    _check_hash(path, file.sha256, published, allow_unverified=allow_unverified)
    state = file.parse()
    check_state(published.variant, state, str(path))
    return Weights(state, file.sha256)


def _replaceable(file: _File, *, allow_unverified: bool) -> Published:
    """Which of the published files this is, or, where others are allowed, which one it could take the place of."""
    known = [published for published in ALL if published.sha256 == file.sha256]
    if known or not allow_unverified:
        return known[0] if known else ALL[0]
    classes = len(file.parse().get("fc.bias", ()))
    return next((published for published in ALL if published.variant.classes == classes), ALL[0])


def _check_hash(path: Path, sha256: str, published: Published, *, allow_unverified: bool) -> None:
    if sha256 == published.sha256 or allow_unverified:
        return
    other = [f"{each.title}, " for each in ALL if each.sha256 == sha256]
    raise UserError(
        f"{path} is {other[0] if other else ''}not {published.title}: its SHA-256 is {sha256} and should be "
        f"{published.sha256}; --allow-unverified (allow_unverified=True) takes it under another name."
    )


def _read_converted(content: bytes, source: str) -> Weights:
    import safetensors
    import safetensors.numpy

    try:
        state = safetensors.numpy.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{source} cannot be read as safetensors: it is broken or cut short.") from error
    notes = header.get("__metadata__") or {}
    found = content_sha256(state)
    if _CONTENT not in notes or _SOURCE not in notes:
        return Weights(state, found)
    if notes[_CONTENT] != found:
        raise UserError(f"{source} is damaged: its content has the SHA-256 {found} and it says {notes[_CONTENT]}.")
    return Weights(state, notes[_SOURCE])


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error


def _write(path: Path, content: bytes) -> None:
    """All or nothing."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error
