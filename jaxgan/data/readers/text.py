"""Captions beside images: `x.txt` beside `x.jpg`, or one file of captions for all; words become numbers."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import Int32

from jaxgan.data import encoded, source
from jaxgan.data.readers import classes, files, images, looks
from jaxgan.data.settings import Settings, agree_all, joined
from jaxgan.errors import UserError
from jaxgan.fields import Field, Needs

WORDS = 5000
"""Places in a vocabulary, the first two included."""
LONGEST = 32
"""Words of a caption that are kept."""
PADDING, UNKNOWN = "", "?"
"""Words 0 and 1 of every vocabulary."""
LISTS = ("captions.txt", "captions.csv", "captions.jsonl")
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_HEADS = frozenset({"image", "name", "file", "file_name", "filename", "image_name"})
_TEXTS = ("caption", "text")


def words(caption: str) -> list[str]:
    """Returns the words of a caption: runs of letters and digits, in lower case."""
    return _WORD.findall(caption.lower())


def vocabulary(captions: Sequence[str]) -> tuple[str, ...]:
    """Returns "" (fills up), "?" (any other word), then the words: most frequent first, ties by alphabet."""
    counts = Counter(word for caption in captions for word in words(caption))
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return (PADDING, UNKNOWN, *ordered[: WORDS - 2])


def encode(captions: Sequence[str], known: Sequence[str], length: int) -> Int32[np.ndarray, "n length"]:
    """Returns each caption as places in the vocabulary, cut or filled up with 0 to `length`."""
    place = {word: index for index, word in enumerate(known)}
    tokens = np.zeros((len(captions), length), np.int32)
    for row, caption in enumerate(captions):
        found = [place.get(word, known.index(UNKNOWN)) for word in words(caption)[:length]]
        tokens[row, : len(found)] = found
    return tokens


def load(tree: files.Tree, field: str, tokens: str, needs: Needs, settings: Settings) -> source.Data:
    """Returns pictures and their captions; of several captions of a picture the first.

    Args:
      tree: the files.
      field: what the needs call the pictures.
      tokens: what the needs call the captions.
      needs: what the recipe takes; whether there are labels.
      settings: size, resize, channels.

    Raises:
      UserError: where captions are missing or name no picture, or naming the files that cannot be read.
    """
    found = classes.listing(tree, files.extensions())
    if not found.paths:
        raise images.none_there(tree)
    captions = _captions(tree, found.paths)
    known = vocabulary(captions)
    longest = max(1, *(len(words(caption)) for caption in captions))
    numbers = encode(captions, known, min(longest, LONGEST))
    pictures, guess = looks.survey(tree.open, found.paths, needs.kinds(field), field)
    targets, note = agree_all({field: pictures.headers}, {field: pictures.kind}, settings)

    def read(index: int) -> source.Example:
        return {field: pictures.read(index, targets[field]), tokens: numbers[index]}

    spec = {
        field: targets[field].field(pictures.names),
        tokens: Field("tokens", (numbers.shape[1],), known),
    }
    spec, read_all = files.labelled(found, needs, spec, read)
    told = f"captions cut to {LONGEST} of up to {longest} words" if longest > LONGEST else ""
    examples = encoded.Encoded([str(path) for path in found.paths], read_all, spec)
    return encoded.load(
        examples, tree.name, joined(note, guess, told, files.noted(found, needs)), {"resize": settings.resize}
    )


def has_captions(tree: files.Tree) -> bool:
    """Whether a file of captions lies there, or a text beside a picture."""
    texts = {path.with_suffix("") for path in files.chosen(tree.paths, {".txt"})}
    beside = any(path.with_suffix("") in texts for path in files.chosen(tree.paths, files.extensions()))
    return beside or _list_of(tree) is not None


def _list_of(tree: files.Tree) -> PurePosixPath | None:
    """Returns the file of all captions nearest to the root, None if there is none."""
    found = (path for path in tree.paths if path.name in LISTS)
    return min(found, key=lambda path: (len(path.parts), LISTS.index(path.name)), default=None)


def _captions(tree: files.Tree, paths: Sequence[PurePosixPath]) -> list[str]:
    together = _list_of(tree)
    by_path = _beside(tree, paths) if together is None else _listed(tree, together, paths)
    missing = [str(path) for path in paths if not words(by_path.get(path, ""))]
    if missing:
        takes = "x.txt beside x.jpg, or captions.txt, captions.csv or captions.jsonl with a name and a caption a line"
        raise UserError(
            f"--data {tree.name}: {len(missing)} of {len(paths)} images have no caption ({takes}): "
            f"{files.first(missing)}."
        )
    return [by_path[path] for path in paths]


def _beside(tree: files.Tree, paths: Sequence[PurePosixPath]) -> dict[PurePosixPath, str]:
    texts = {path.with_suffix(""): path for path in files.chosen(tree.paths, {".txt"})}
    beside = {path: texts[path.with_suffix("")] for path in paths if path.with_suffix("") in texts}
    return {path: next(iter(_text(tree, text).splitlines()), "") for path, text in beside.items()}


def _text(tree: files.Tree, path: PurePosixPath) -> str:
    with tree.open(path) as file:
        return file.read().decode("utf-8-sig", "replace")


def _listed(tree: files.Tree, path: PurePosixPath, paths: Sequence[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Returns the captions of one file; a name may be a path from there, or a file's name that is one of its kind."""
    by_name: dict[str, PurePosixPath] = {}
    for picture in paths:
        by_name |= dict.fromkeys(_spellings(picture, path.parent), picture)
    captions: dict[PurePosixPath, str] = {}
    strangers = []
    for name, caption in _rows(_text(tree, path), path):
        if name not in by_name:
            strangers.append(name)
        else:
            captions.setdefault(by_name[name], caption)
    if strangers:
        raise UserError(f"{path} in {tree.name}: {len(strangers)} lines name no image: {files.first(strangers)}.")
    return captions


def _spellings(picture: PurePosixPath, root: PurePosixPath) -> list[str]:
    inside = picture.relative_to(root) if picture.is_relative_to(root) else picture
    whole = [str(picture), str(inside), picture.name]
    return whole + [str(PurePosixPath(one).with_suffix("")) for one in whole]


def _rows(text: str, path: PurePosixPath) -> Iterator[tuple[str, str]]:
    """Yields (name, caption) of each line; a first line of headings is left out."""
    if path.suffix == ".jsonl":
        yield from (_json_row(line, path) for line in text.splitlines() if line.strip())
        return
    if path.suffix == ".csv":
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
    else:
        rows = [line.split("\t" if "\t" in line else ",", 1) for line in text.splitlines() if line.strip()]
    for number, row in enumerate(rows):
        if len(row) < 2:
            raise UserError(f"line {number + 1} of {path} should be a name and a caption, got {row[0]!r}.")
        if number or row[0].strip().lower() not in _HEADS:
            yield row[0].strip(), row[1].strip()


def _json_row(line: str, path: PurePosixPath) -> tuple[str, str]:
    try:
        row = json.loads(line)
        name = next(str(row[key]) for key in sorted(_HEADS) if key in row)
        return name, next(str(row[key]) for key in _TEXTS if key in row)
    except (ValueError, StopIteration, TypeError) as error:
        raise UserError(
            f'each line of {path} should be like {{"file_name": "a.jpg", "caption": "a cat"}}, got {line[:60]!r}.'
        ) from error
