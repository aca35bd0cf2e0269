"""Which reader takes a folder or a zip: the needs and the names of its files say it."""

from jaxgan.data import source
from jaxgan.data.readers import apart, files, images, looks, pairs, sound, splits, text, videos, voxels
from jaxgan.data.readers.wants import named, pictures, required, told
from jaxgan.data.settings import Settings
from jaxgan.errors import UserError
from jaxgan.fields import Needs

ENDINGS = looks.GRIDS | sound.ENDINGS | videos.ENDINGS | voxels.ENDINGS
"""Of files that hold examples, beside pictures."""


def load(
    tree: files.Tree, needs: Needs, settings: Settings, halves: tuple[str, str] | None, split: str | None = None
) -> source.Data:
    """Returns the examples in a folder or zip.

    Args:
      tree: the files.
      needs: what the recipe takes.
      settings: size, resize, channels.
      halves: the fields on the left and on the right of each picture.
      split: which one is meant, where the folders are splits; None for train.

    Raises:
      UserError: where no reader gives what is needed, or the files cannot be read.
    """
    part, note = splits.chosen(tree, split, files.extensions() | ENDINGS)
    loaded = _load(part, needs, settings, halves)
    return source.noted(loaded, note)


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
