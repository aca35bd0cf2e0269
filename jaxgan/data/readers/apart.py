"""Sets that are drawn independently: a sub-folder a field, each with as many pictures as it has."""

from jaxgan.data import encoded, source
from jaxgan.data.readers import files, looks, pairs
from jaxgan.data.readers.wants import required
from jaxgan.data.settings import Settings, joined
from jaxgan.errors import UserError
from jaxgan.fields import Needs


def _folder(field: str, folders: dict[str, list]) -> str | None:
    """Returns the sub-folder of a field: named like it, or as CycleGAN's sets are ("trainA")."""
    return next((name for name in (field, f"train{field.upper()}", field.upper()) if name in folders), None)


def load(tree: files.Tree, needs: Needs, settings: Settings) -> source.Data:
    """Returns a table for each field, from the sub-folders named like them; all pictures have one size.

    Args:
      tree: the files.
      needs: what the recipe takes, apart.
      settings: size, resize, channels.

    Raises:
      UserError: where a sub-folder is missing, or naming the files that cannot be read.
    """
    folders = files.sub_folders(tree, files.extensions() | looks.GRIDS)
    places = {field: _folder(field, folders) for field in needs.fields}
    missing = [field for field in required(needs) if places[field] is None]
    if missing:
        raise UserError(
            f"--data {tree.name} should hold a sub-folder of pictures for each of {', '.join(needs.fields)} (or "
            f"train{missing[0].upper()} and so on); it lacks {', '.join(missing)}."
        )
    classes = pairs.class_names(tree, [place for place in places.values() if place is not None])
    beside = classes.get("", ())
    seen = {
        field: looks.survey(
            tree.open, [path for path, _ in folders[place]], needs.kinds(field), field, classes.get(place, beside)
        )
        for field, place in places.items()
        if place is not None
    }
    left_out = sorted(set(folders) - set(places.values()))
    ignored = f"{', '.join(left_out)} left out" if left_out else ""
    pictures = {field: each for field, (each, _) in seen.items()}
    targets, note = pairs.fits(pictures, settings)
    made = [_table(field, each, targets[field], tree.name) for field, each in pictures.items()]
    notes = joined(note, *(guess for _, guess in seen.values()), ignored)
    return source.make_tables(made, tree.name, notes, {"resize": settings.resize})


def _table(field: str, pictures: looks.Pictures, target: looks.Fit, name: str) -> tuple[source.Table, list[bytes]]:
    def read(index: int) -> source.Example:
        return {field: pictures.read(index, target)}

    names = [str(path) for path in pictures.paths]
    return encoded.table(encoded.Encoded(names, read, {field: target.field(pictures.names)}), name)
