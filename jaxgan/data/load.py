"""The one door: a name or a path to `Data`."""

import os
from pathlib import Path
from typing import Any, Literal

from jaxgan import fields
from jaxgan.data import bundles
from jaxgan.data import settings as settings_module
from jaxgan.data.meant import BUNDLED, Place, marked, parse, place
from jaxgan.data.settings import Resize, Settings, Size
from jaxgan.data.source import Data, noted
from jaxgan.errors import UserError
from jaxgan.fields import Needs


def _load_path(
    place: Place, spec: str, needs: Needs, settings: Settings, halves: tuple[str, str] | None, skip: bool
) -> Data:
    from jaxgan.data.readers import arrays, cifar, files, folders, idx

    path, split = place
    name = parse(spec)[0] if split is not None else spec
    if (path / "config.json").is_file() and (path / "checkpoints").is_dir():
        raise UserError(f"--data {spec} is a run, whose pictures are no data; jaxgan evaluate and sample take runs.")
    if path.is_dir():
        images = idx.images_file(path)
        if images:
            return arrays.load_idx(images, spec, needs, settings)
        if (version := cifar.files_of_folder(path)) is not None:
            return cifar.load(version, name, needs, settings, split)
        return folders.load(files.of_folder(path, name), needs, settings, halves, split, skip)
    if path.name.endswith(".zip"):
        return folders.load(files.of_zip(path, name), needs, settings, halves, split, skip)
    if path.name.endswith((".tar.gz", ".tgz", ".tar")):
        return cifar.load(cifar.files_of_tar(path), name, needs, settings, split)
    if split is not None:
        raise UserError(f"--data {spec}: {name} is one file, which has no splits.")
    if path.suffix in (".npz", ".npy"):
        return arrays.load_numpy(path, spec, needs, settings)
    if "-images-idx3-ubyte" in path.name:
        return arrays.load_idx(path, spec, needs, settings)
    raise UserError(f"--data {spec} is a file, but not a .zip, .npz, .npy or *-images-idx3-ubyte file of images.")


def _load(
    spec: str,
    needs: Needs,
    settings: Settings,
    halves: tuple[str, str] | None,
    data_dir: str | os.PathLike[str] | None,
    skip: bool,
) -> Data:
    found = place(spec)
    if found is not None:
        return _load_path(found, spec, needs, settings, halves, skip)
    if not spec or marked(spec):
        raise UserError(f"--data {spec!r} does not exist; it takes a folder of images, a file of them or a TFDS name.")
    from jaxgan.data.readers import tfds

    here = spec if spec != BUNDLED and Path(spec).exists() else ""
    try:
        loaded = tfds.load(spec, needs, settings, data_dir)
    except UserError as error:
        raise UserError(f"{error} ./{here} is the one here." if here else str(error)) from error
    return noted(loaded, f"the set of TFDS, not ./{here}" if here else "")


def load(
    spec: str,
    *,
    needs: Needs = fields.IMAGES,
    halves: tuple[str, str] | None = None,
    image_size: int | Size | Literal["own", "any"] | None = None,
    resize: Resize = "crop",
    channels: int | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    skip_unreadable: bool = False,
) -> Data:
    """Loads data by name or from a path.

    Args:
      spec: "fashion_mnist_10k" or another bundled set (`bundles`); or an existing folder, `.zip`, `.npz`, `.npy` or
        IDX file; or a TensorFlow Datasets name such as "mnist", "celeb_a[test]", "name/config:version[train[:50%]]".
        Of a folder or zip with splits "train" is meant, and "photos[val]" or "photos[train+val]" are others.
      needs: the fields that are wanted. A folder gives them as sub-folders of their names, paired by file name; as
        pictures with captions beside; as one set of pictures, sounds or voxels, whose sub-folders are labels. An `.npz`
        gives them as arrays of their names, a TFDS set as features of their names.
      halves: the fields that are the left and the right half of each picture of a folder.
      image_size: pixels a side, or (height, width); None keeps the images' common size of at most 512 pixels a side,
        and is 64 where they have none; "own" keeps their common size whatever it is, "any" each picture's
        own, in a folder or zip of one field.
      resize: "crop" scales to cover and cuts the middle out, "pad" scales to lie within and fills with black, "stretch"
        lets the aspect ratio go.
      channels: 1 grey, 3 colour; None is grey if every image is.
      data_dir: where TFDS data lie; $TFDS_DATA_DIR or ~/tensorflow_datasets if None.
      skip_unreadable: leave out files of a folder or zip that cannot be read, and name them in the description.

    Returns:
      The examples as they are stored, all of one shape, and a line that says what was loaded and how.

    Raises:
      UserError: one sentence on what is wrong with the name, the options or the files.
    """
    settings = settings_module.check(image_size, resize, channels)
    if halves is not None:
        settings_module.check_halves(halves, needs)
    if bundles.known(spec):
        how: dict[str, Any] = {"image_size": image_size, "resize": resize, "channels": channels, "data_dir": data_dir}
        loaded = bundles.load(spec, settings, lambda: load(BUNDLED, **how), needs)
    else:
        loaded = _load(spec, needs, settings, halves, data_dir, skip_unreadable)
    fields.check(loaded.spec, needs, f"--data {spec}")
    return loaded
