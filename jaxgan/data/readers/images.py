"""One folder or zip of pictures; sub-folders are labels."""

from jaxgan.data import encoded, source
from jaxgan.data.readers import classes, files, looks
from jaxgan.data.settings import Settings, agree_all, joined, several, sizes_of
from jaxgan.errors import UserError
from jaxgan.fields import Needs


def none_there(tree: files.Tree) -> UserError:
    """Returns the sentence for a place without pictures, with the endings that its files have."""
    endings = sorted({path.suffix.lower() for path in tree.paths} - {""})
    others = f"; they end in {', '.join(endings[:5])}. --needs RECIPE reads other kinds of files" if endings else ""
    return UserError(
        f"--data {tree.name} holds no images: none of its files has an ending such as .png, .jpg or .webp{others}."
    )


def load(tree: files.Tree, field: str, needs: Needs, settings: Settings) -> source.Data:
    """Returns all pictures of a folder or zip as the one field of images, masks or label maps.

    Args:
      tree: the files.
      field: what the needs call the pictures.
      needs: what the recipe takes; whether there are labels.
      settings: size, resize, channels.

    Raises:
      UserError: if there are none, or naming those that cannot be read.
    """
    grids = looks.GRIDS if "label_map" in needs.kinds(field) else frozenset()
    found = classes.listing(tree, files.extensions() | grids)
    if not found.paths:
        raise none_there(tree)
    pictures, guess = looks.survey(tree.open, found.paths, needs.kinds(field), field)
    headers = pictures.headers
    largest = None
    if settings.size == "any" and several(headers):
        largest = max(one.height for one in headers), max(one.width for one in headers)
        settings = settings._replace(size=largest)
    targets, note = agree_all({field: headers}, {field: pictures.kind}, settings)
    target, own = targets[field], targets[field].field(pictures.names)
    if largest:
        note, target = f"{sizes_of(headers)}, each as it is", target._replace(height=0)
        own = own._replace(shape=(None, None, *own.shape[2:]))
    spec, read = files.labelled(found, needs, {field: own}, lambda index: {field: pictures.read(index, target)})
    images = encoded.Encoded([str(path) for path in found.paths], read, spec, largest=largest)
    return encoded.load(images, tree.name, joined(note, guess, files.noted(found, needs)), target.settings)
