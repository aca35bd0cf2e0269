"""Pictures that belong together: a sub-folder a field, paired by file name; or the two halves of one picture."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from jaxgan.data import encoded, source
from jaxgan.data.decode import check_size, forgiving, header, opened, to_array, upright
from jaxgan.data.readers import files, images, looks
from jaxgan.data.settings import File, Fit, Header, Look, Settings, agree_all, joined
from jaxgan.data.threads import in_threads
from jaxgan.errors import UserError
from jaxgan.fields import Needs

NAMES_FILE = "names.txt"


def load(tree: files.Tree, names: Sequence[str], needs: Needs, settings: Settings) -> source.Data:
    """Returns the pictures of sub-folders named like fields, paired by their names without endings.

    All pictures of an example have one size; label maps are brought to it by taking the nearest pixel.

    Args:
      tree: the files.
      names: of the fields, which are names of sub-folders.
      needs: what the recipe takes.
      settings: size, resize, channels.

    Raises:
      UserError: naming what has no partner, or cannot be read.
    """
    folders = files.sub_folders(tree, files.extensions() | looks.GRIDS)
    stems = {name: _by_stem(folders[name], name, tree.name) for name in names}
    keys = _partners(stems, tree.name)
    classes = class_names(tree, names)
    beside = classes.get("", ())
    seen = {
        name: looks.survey(
            tree.open,
            [stems[name][key] for key in keys],
            needs.kinds(name),
            name,
            # What a recipe can do without, such as the numbers of things, are other classes than those of its maps.
            classes.get(name, () if needs.optional(name) else beside),
        )
        for name in names
    }
    pictures = {name: each for name, (each, _) in seen.items()}
    targets, note = fits(pictures, settings)

    def read(index: int) -> source.Example:
        return {name: _named(each, index, targets[name]) for name, each in pictures.items()}

    spec = {name: targets[name].field(each.names) for name, each in pictures.items()}
    pairs = encoded.Encoded(keys, read, spec, "pairs")
    left_out = sorted(set(folders) - set(names))
    ignored = f"{', '.join(left_out)} left out" if left_out else ""
    notes = joined(note, *(guess for _, guess in seen.values()), ignored)
    return encoded.load(pairs, tree.name, notes, {"resize": settings.resize})


def fits(pictures: dict[str, looks.Pictures], settings: Settings) -> tuple[dict[str, Fit], str]:
    """Returns the shape of each field's pictures, all of one size, and what to tell people about it."""
    kinds: dict[str, Look] = {name: each.kind for name, each in pictures.items()}
    return agree_all({name: each.headers for name, each in pictures.items()}, kinds, settings)


def _named(pictures: looks.Pictures, index: int, target: Fit) -> looks.Stored:
    """Returns a picture; an error says which of the pair's files it is."""
    try:
        return pictures.read(index, target)
    except Exception as error:
        raise UserError(f"{pictures.paths[index]}: {encoded.reason(error)}") from error


def _by_stem(found: Sequence[tuple[PurePosixPath, PurePosixPath]], field: str, name: str) -> dict[str, PurePosixPath]:
    counts = Counter(str(inner.with_suffix("")) for _, inner in found)
    twice = [f"{field}/{stem}" for stem, count in counts.items() if count > 1]
    if twice:
        raise UserError(f"--data {name}: {len(twice)} names stand for several files: {files.first(twice)}.")
    return {str(inner.with_suffix("")): path for path, inner in found}


def _partners(stems: dict[str, dict[str, PurePosixPath]], name: str) -> list[str]:
    """Returns the names that all sub-folders have, sorted; UserError where one lacks a name."""
    every = sorted(set().union(*stems.values()))
    alone = [
        f"{field}/{stem}"
        for stem in every
        if not all(stem in each for each in stems.values())
        for field, each in stems.items()
        if stem in each
    ]
    if alone:
        raise UserError(
            f"--data {name}: {len(alone)} files of {', '.join(stems)} have no partner of the same name: "
            f"{files.first(alone)}."
        )
    return every


def class_names(tree: files.Tree, fields: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Returns the lines of each `names.txt`: by field of those in its sub-folder, by "" of the one beside these."""
    found: dict[str, PurePosixPath] = {}
    for path in sorted(tree.paths, key=lambda path: len(path.parts)):
        if path.name == NAMES_FILE:
            found.setdefault(path.parent.name if path.parent.name in fields else "", path)
    return {field: _lines(tree, path) for field, path in found.items()}


def _lines(tree: files.Tree, path: PurePosixPath) -> tuple[str, ...]:
    with tree.open(path) as file:
        lines = file.read().decode("utf-8", "replace").splitlines()
    return tuple(line.strip() for line in lines if line.strip())


def load_halves(tree: files.Tree, halves: tuple[str, str], needs: Needs, settings: Settings) -> source.Data:
    """Returns the left and the right half of every picture as two fields.

    Args:
      tree: the files.
      halves: the fields that are on the left and on the right.
      needs: what the recipe takes.
      settings: size, resize, channels; of a half.

    Raises:
      UserError: where a picture cannot be halved, or naming those that cannot be read.
    """
    found = files.listing(tree.paths, files.extensions())
    if not found.paths:
        raise images.none_there(tree)
    kinds: dict[str, Look] = {name: _half_kind(name, needs) for name in halves}
    heads = _half_headers(tree, found.paths)
    targets, note = agree_all(dict.fromkeys(halves, heads), kinds, settings)

    def read(index: int) -> source.Example:
        with tree.open(found.paths[index]) as file:
            return dict(zip(halves, _split(file, [targets[name] for name in halves]), strict=True))

    spec = {name: targets[name].field() for name in halves}
    pairs = encoded.Encoded([str(path) for path in found.paths], read, spec)
    return encoded.load(pairs, tree.name, note, {"resize": settings.resize})


def _half_kind(name: str, needs: Needs) -> Look:
    kinds: tuple[Look, ...] = ("image", "mask")
    for kind in kinds:
        if kind in needs.kinds(name):
            return kind
    raise UserError(f"--halves takes fields that are images or masks; {name} is {' or '.join(needs.kinds(name))}.")


def _half_headers(tree: files.Tree, paths: Sequence[PurePosixPath]) -> list[Header]:
    def look(index: int) -> Header | None:
        try:
            with tree.open(paths[index]) as file:
                whole = header(file)
        except Exception:  # decoding it raises again, and is reported
            return None
        return whole._replace(width=max(whole.width // 2, 1), name=str(paths[index]))

    return [one for one in in_threads(look, len(paths)) if one is not None]


def _split(file: File, targets: Sequence[Fit]) -> list[looks.Stored]:
    return forgiving(lambda file: _split_at(file, targets), file)


def _split_at(file: File, targets: Sequence[Fit]) -> list[looks.Stored]:
    with opened(file) as image:
        check_size(image, image.size)
        whole = upright(image)
        width, height = whole.size
        if width % 2:
            raise UserError(f"its width of {width} pixels has no two halves")
        boxes = ((0, 0, width // 2, height), (width // 2, 0, width, height))
        return [to_array(whole.crop(box), target) for box, target in zip(boxes, targets, strict=True)]
