"""Sound: `.wav` files of whole-number samples, one rate, brought to one length; sub-folders are labels."""

import wave
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int16

from jaxgan.data import encoded, source
from jaxgan.data.readers import classes, files
from jaxgan.data.settings import File, joined
from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs

ENDINGS = frozenset({".wav", ".wave"})
LONGEST = 2**16
"""Samples of a file that are kept."""


class Head(NamedTuple):
    """What a file says of itself."""

    samples: int
    rate: int


def _opened(file: File) -> wave.Wave_read:
    try:
        return wave.open(file)
    except wave.Error as error:
        if "unknown format" in str(error):
            raise UserError("its samples are no whole numbers; save it as 16-bit PCM") from error
        raise UserError(f"not a .wav file: {error}") from error
    except EOFError as error:
        raise UserError("not a .wav file: cut short") from error


def head(file: File) -> Head:
    """Returns length and rate of a `.wav` file; UserError where it is none."""
    with _opened(file) as sound:
        return Head(sound.getnframes(), sound.getframerate())


def decode(file: File, length: int) -> Int16[np.ndarray, "length"]:
    """Returns a `.wav` file as 16-bit samples, its channels averaged, cut or filled up with zeros to `length`.

    8, 16, 24 and 32 bits a sample are taken; 8 bits are unsigned, the others signed (RIFF WAVE). Of more than 16 bits
    the highest 16 are kept.

    Raises:
      UserError: where it cannot be read.
    """
    with _opened(file) as sound:
        channels, width = sound.getnchannels(), sound.getsampwidth()
        content = sound.readframes(length)
    if width not in (1, 2, 3, 4):
        raise UserError(f"it has {8 * width} bits a sample; 8, 16, 24 and 32 are read")
    whole = len(content) // (channels * width) * channels * width
    samples = _sixteen(np.frombuffer(content[:whole], np.uint8).reshape(-1, channels, width), width)
    mono = np.rint(samples.astype(np.float64).mean(1)).astype(np.int16)
    return np.pad(mono, (0, length - len(mono)))


def _sixteen(raw: np.ndarray, width: int) -> Int16[np.ndarray, "n channels"]:
    """Returns little-endian samples [n, channels, bytes] as 16 bits."""
    if width == 1:
        return ((raw[..., 0].astype(np.int16) - 128) * 256).astype(np.int16)
    return np.ascontiguousarray(raw[..., width - 2 :]).view("<i2")[..., 0].astype(np.int16)


def load(tree: files.Tree, field: str, needs: Needs) -> source.Data:
    """Returns the `.wav` files of a folder or zip.

    Args:
      tree: the files.
      field: what the needs call the sound.
      needs: what the recipe takes; whether there are labels.

    Raises:
      UserError: if there are none, two rates, or naming the files that cannot be read.
    """
    found = classes.listing(tree, ENDINGS)
    if not found.paths:
        raise UserError(f"--data {tree.name} holds no sound: none of its files ends in .wav.")
    heads = _heads(tree, found.paths)
    rate = _one_rate(heads, found.paths, tree.name)
    longest = max(one.samples for one in heads)
    length = max(1, min(longest, LONGEST))

    def read(index: int) -> source.Example:
        with tree.open(found.paths[index]) as file:
            return {field: decode(file, length)}

    spec, read_all = files.labelled(found, needs, {field: Field("wave", (length,), rate=float(rate))}, read)
    sounds = encoded.Encoded([str(path) for path in found.paths], read_all, spec, "sounds")
    return encoded.load(sounds, tree.name, joined(_note(heads, length, rate), files.noted(found, needs)))


def _heads(tree: files.Tree, paths: Sequence[files.PurePosixPath]) -> list[Head]:
    def look(index: int) -> Head:
        with tree.open(paths[index]) as file:
            return head(file)

    return encoded.look_at_all(look, list(map(str, paths)), tree.name, "sounds")


def _one_rate(heads: Sequence[Head], paths: Sequence[files.PurePosixPath], name: str) -> int:
    rate = heads[0].rate
    for path, one in zip(paths, heads, strict=True):
        if one.rate != rate:
            raise UserError(
                f"--data {name} must have one rate: {paths[0]} has {rate} samples a second, {path} has {one.rate}."
            )
    return rate


def _note(heads: Sequence[Head], length: int, rate: int) -> str:
    cut = sum(one.samples > length for one in heads)
    filled = sum(one.samples < length for one in heads)
    lengths = f"{length / rate:.3g} s at {rate} samples a second"
    told_cut = f"{cut} cut" if cut else ""
    return joined(lengths, told_cut, f"{filled} filled up with silence" if filled else "")
