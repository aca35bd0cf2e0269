"""What a text behind `--data` means: a place on the disk, or the name of a set."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from jaxgan.data import bundles
from jaxgan.paths import typed

BUNDLED = "fashion_mnist_10k"
FILE_ENDINGS = (".zip", ".npz", ".npy", ".gz", ".tgz", ".tar", "-ubyte")


class Place(NamedTuple):
    """Something on the disk.

    Attributes:
      path: of a folder or file.
      split: which part of it is meant, None for the usual one.
    """

    path: Path
    split: str | None

    @property
    def absolute(self) -> str:
        """The same for `--data`, wherever one stands."""
        return str(self.path.resolve()) + (f"[{self.split}]" if self.split is not None else "")


def parse(spec: str) -> tuple[str, str | None]:
    """Splits "folder[val]" into "folder" and "val"; the second is None where there are no brackets."""
    match = re.fullmatch(r"(.+?)\[([^\[\]]*)\]", spec)
    return (match[1], match[2].strip()) if match else (spec, None)


def marked(spec: str) -> bool:
    """Whether a text can only be a path: ./photos, ~/photos, photos/, photos.zip."""
    bare = parse(spec)[0]
    ends = (os.sep, "/", "\\", *FILE_ENDINGS)
    return bare.startswith((".", "~", "/", "\\")) or bare.endswith(ends) or Path(bare).is_absolute()


def place(spec: str) -> Place | None:
    """Returns the place that a text means, None where it is a name.

    A word that names a bundled set or one of TFDS is a name, whatever lies in the working directory.
    """
    path = typed(spec)
    base, split = parse(spec)
    there = Place(path, None) if os.path.exists(path) else Place(typed(base), split)
    if not spec or not os.path.exists(there.path) or (not marked(spec) and names_a_set(spec)):
        return None
    return there


def names_a_set(spec: str) -> bool:
    """Whether a text is the name of a bundled set, or of one of TFDS."""
    name = spec.partition("[")[0]
    if name == BUNDLED or bundles.known(name):
        return True
    from jaxgan.data.readers import tfds

    return tfds.knows(name)


def absolute(spec: str) -> str:
    """Returns what means the same from another working directory."""
    found = place(spec)
    return found.absolute if found else spec
