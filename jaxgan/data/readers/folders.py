"""Which reader takes a folder or a zip: the needs and the names of its files say it."""

from jaxgan.data import encoded, source
from jaxgan.data.readers import apart, files, images, looks, pairs, sound, splits, text, videos, voxels
from jaxgan.data.readers.wants import named, pictures, required, told
from jaxgan.data.settings import Settings
from jaxgan.errors import UserError
from jaxgan.fields import Needs

ENDINGS = looks.GRIDS | sound.ENDINGS | videos.ENDINGS | voxels.ENDINGS
"""Of files that hold examples, beside pictures."""


def load(
    tree: files.Tree,
    needs: Needs,
    settings: Settings,
    halves: tuple[str, str] | None,
    split: str | None = None,
    skip: bool = False,
) -> source.Data:
    """Returns the examples in a folder or zip.

    Args:
      tree: the files.
      needs: what the recipe takes.
      settings: size, resize, channels.
      halves: the fields on the left and on the right of each picture.
      split: which one is meant, where the folders are splits; None for train.
      skip: leave out what cannot be read, and say so.

    Raises:
      UserError: where no reader gives what is needed, or the files cannot be read.
    """
    part, note = splits.chosen(tree, split, files.extensions() | ENDINGS)
    if not skip:
        return source.noted(_load(part, needs, settings, halves), note)
    loaded, left_out = _without_broken(part, needs, settings, halves)
    return source.noted(source.noted(loaded, note), left_out)


def _without_broken(
    tree: files.Tree, needs: Needs, settings: Settings, halves: tuple[str, str] | None
) -> tuple[source.Data, str]:
    """Returns the examples that can be read, and which cannot; reads anew, for classes and sizes may be others then."""
    broken: list[encoded.Broken] = []
    while True:
        try:
            loaded = _load(tree, needs, settings, halves)
        except encoded.UnreadableError as error:
            rest = _apart_from(tree, error)
            if len(error.broken) == error.total or len(rest.paths) == len(tree.paths):
                raise
            tree, broken = rest, [*broken, *error.broken]
            continue
        return loaded, f"Warning: {len(broken):,} unreadable left out: {encoded.listed(broken)}" if broken else ""


def _apart_from(tree: files.Tree, error: encoded.UnreadableError) -> files.Tree:
    """Returns the tree without what is broken; a pair is called by the name that its files share."""
    names = {one.name for one in error.broken}

    def sound(path: files.PurePosixPath) -> bool:
        tails = (files.PurePosixPath(*path.parts[k:]).with_suffix("") for k in range(1, len(path.parts)))
        return str(path) not in names and not (error.what == "pairs" and any(str(tail) in names for tail in tails))

    return tree._replace(paths=tuple(filter(sound, tree.paths)))


def _load(tree: files.Tree, needs: Needs, settings: Settings, halves: tuple[str, str] | None) -> source.Data:
    """Returns the examples of one split."""
    if needs.apart:
        return apart.load(tree, needs, settings)
    if halves is not None:
        return pairs.load_halves(tree, halves, needs, settings)
    if together := _paired(tree, needs):
        return pairs.load(tree, together, needs, settings)
    image, tokens = next(iter(_main(needs)), None), named(needs, "tokens")
    if image and tokens and (not needs.optional(tokens) or text.has_captions(tree)):
        return text.load(tree, image, tokens, needs, settings)
    if image:
        return images.load(tree, image, needs, settings)
    if (wave := named(needs, "wave")) is not None:
        return sound.load(tree, wave, needs)
    if (grids := named(needs, "voxels")) is not None:
        return voxels.load(tree, grids, needs, settings)
    if (films := named(needs, "video")) is not None:
        return videos.load(tree, films, needs, settings)
    raise UserError(
        f"--data {tree.name} is a folder or a zip, which cannot give {told(needs)}; "
        "an .npz whose arrays bear these names can."
    )


def _main(needs: Needs) -> list[str]:
    """Returns the fields of pictures, those that must be there first."""
    return sorted(pictures(needs), key=needs.optional)


def _paired(tree: files.Tree, needs: Needs) -> list[str]:
    """Returns the fields that have a sub-folder each; none for a set of one field.

    Raises:
      UserError: where the needs have several fields of pictures, and the sub-folders are missing.
    """
    must = [name for name in pictures(needs) if name in required(needs)]
    folders = files.sub_folders(tree, files.extensions() | looks.GRIDS)
    there = [name for name in pictures(needs) if name in folders]
    if len(there) > 1 and set(must) <= set(there):
        return there
    if len(must) < 2:
        return []
    advice = f" or --halves {' '.join(must)} where each picture holds both, side by side" if len(must) == 2 else ""
    missing = [name for name in must if name not in there]
    raise UserError(
        f"--data {tree.name} should hold a sub-folder of pictures for each of {', '.join(must)}, and lacks "
        f"{', '.join(missing)}; rename its sub-folders{advice or ' or write an .npz'}."
    )
