"""Folders called train, val, test: parts of one set, of which one is trained on, and no classes."""

import re
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath

from jaxgan.data.readers import files
from jaxgan.errors import UserError

ALL = "all"
"""Stands for every split, as in TFDS."""
KINDS = {
    "train": ("train", "training", "trn", "trainset"),
    "val": ("val", "valid", "validation", "validate", "dev", "devel", "development", "minival", "valset", "devset"),
    "test": ("test", "testing", "tst", "testset", "eval", "evaluation", "holdout", "heldout"),
    "rest": ("extra", "unlabeled", "unlabelled", "pred", "predict", "prediction"),
}
FILLERS = frozenset({"set", "split", "image", "images", "img", "imgs", "data", "dataset", "pictures", "photos", "seg"})
"""Words that may stand beside: "training_set", "test_images", "seg_train"."""
_KIND = {word: kind for kind, words in KINDS.items() for word in words}
_WORD = re.compile(r"[a-z]+")


def kind(name: str) -> str | None:
    """Returns which kind of split a folder's name says ("train2017" is "train"); None for another name."""
    words = _WORD.findall(re.sub("(hold|held).?out", "holdout", name.lower()))
    said = [word for word in words if word not in FILLERS]
    return _KIND.get(said[0]) if len(said) == 1 else None


def chosen(tree: files.Tree, split: str | None, endings: Collection[str]) -> tuple[files.Tree, str]:
    """Returns the files of one split, and what was left out; the tree itself where it has no splits.

    Splits are folders of one level with names such as train, val and test: the first level below what all files share,
    or the level below the classes ("cat/train"). Unless one is named, `train` is taken.

    Args:
      tree: all files.
      split: what the user named, such as "val" or "train+val"; None where they named none.
      endings: of the files that count.

    Raises:
      UserError: where the split that is named is not there, or none is named and there is no train.
    """
    found = files.chosen(tree.paths, endings)
    level, names = _level(found)
    if level is None:
        if split is None:
            return tree, ""
        raise UserError(f"--data {tree.name} has no splits: folders called train, val or test.")
    wanted = _wanted(tree.name, names, split)
    data = frozenset(found)
    kept = [path for path in tree.paths if path not in data or _part(path, level) in wanted]
    # What is no picture stays only where it belongs to the split, or to all.
    kept = [path for path in kept if path in data or _part(path, level) not in set(names) - set(wanted)]
    left = [path for path in found if _part(path, level) not in wanted]
    return tree._replace(paths=tuple(kept)), _note(wanted, left, level)


def _level(found: Sequence[PurePosixPath]) -> tuple[int | None, list[str]]:
    """Returns the level of the splits' folders, counted from the root, and their names; None for no splits."""
    below = files.below(found)
    common = len(found[0].parts) - len(below[0].parts) if found else 0
    tops = {_part(path, 0) for path in below} - {""}
    kinds = {kind(top) for top in tops}
    if len(tops) > 1 and ({"train"} < kinds & {"train", "val", "test"} or _all_splits(tops)):
        return common, files.in_order(top for top in tops if kind(top))
    parts: dict[str, set[str]] = {}
    for path in below:
        parts.setdefault(_part(path, 0), set()).add(_part(path, 1))
    seconds = set().union(*parts.values()) if parts else set()
    trained = all(any(kind(part) == "train" for part in each) for each in parts.values())
    if len(seconds) > 1 and _all_splits(seconds) and trained:
        return common + 1, files.in_order(seconds)
    return None, []


def _all_splits(names: Collection[str]) -> bool:
    kinds = {kind(name) for name in names}
    return None not in kinds and len(kinds - {"rest"}) > 0 and len(kinds) > 1


def _part(path: PurePosixPath, level: int) -> str:
    """Returns the folder of this level that a file lies in, "" for none."""
    return path.parts[level] if len(path.parts) > level + 1 else ""


def _wanted(name: str, names: Sequence[str], split: str | None) -> list[str]:
    if split == ALL:
        return list(names)
    if split is None:
        trained = [each for each in names if kind(each) == "train"]
        if len(trained) == 1:
            return trained
        has = "no split train" if not trained else f"several splits to train on ({', '.join(trained)})"
        raise UserError(
            f"--data {name} has {has}, among {', '.join(names)}; name one, or several with +, such as "
            f"--data '{name}[{names[0]}]'."
        )
    return [each for part in split.split("+") for each in _named(name, names, part.strip())]


def _named(name: str, names: Sequence[str], part: str) -> list[str]:
    same = [each for each in names if each == part] or [each for each in names if each.lower() == part.lower()]
    alike = same or [each for each in names if kind(part) and kind(each) == kind(part)]
    if len(alike) != 1:
        raise UserError(f"--data {name} has the splits {', '.join(names)}, or all; got {part!r}.")
    return alike


def _note(wanted: Sequence[str], left: Sequence[PurePosixPath], level: int) -> str:
    told = f"split {'+'.join(wanted)}"
    counts: dict[str, int] = {}
    for path in left:
        place = _part(path, level) or "outside of them"
        counts[place] = counts.get(place, 0) + 1
    rest = ", ".join(f"{place} {count:,}" for place, count in counts.items())
    return f"{told} (left out: {rest})" if rest else told
