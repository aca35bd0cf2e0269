"""Means and covariances on disk: the npz that pytorch-fid, clean-fid and TTUR write and read, with its protocol beside.

The keys `mu` and `sigma` are everybody's; `n`, `extractor`, `weights_sha256`, `resize`, `prepared`, `tap`, `precision`,
`ddof`, `of`, `reference` and `library` are ours, and other readers pass over them.
"""

import zipfile
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

import jaxgan
from jaxgan.errors import UserError
from jaxgan.metrics.numbers.gaussian import Gaussian

TEXTS = ("extractor", "weights_sha256", "resize", "prepared", "tap", "precision", "reference")


class Statistics(NamedTuple):
    """A file of statistics.

    Attributes:
        gaussian: mean, covariance and, where known, the number of images.
        about: the texts that say what they were made of; {} in files of other tools.
        ddof: of the covariance; everybody but StyleGAN writes 1.
        of: of how many images those measured are a part; 0 where they are all, or the file does not say.
    """

    gaussian: Gaussian
    about: dict[str, str]
    ddof: int
    of: int = 0


def is_statistics(path: Path) -> bool:
    """Whether a file is an npz of statistics, not of images."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {"mu.npy", "sigma.npy"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def read(path: Path) -> Statistics:
    """The statistics in a file.

    Raises:
        UserError: not a whole npz of plain arrays, or its mean and covariance do not fit each other.
    """
    try:
        with path.open("rb") as file:
            arrays = _read(file)
        mean, covariance = (_real(arrays[key]) for key in ("mu", "sigma"))
        n, ddof, of = int(arrays.get("n", 0)), int(arrays.get("ddof", 1)), int(arrays.get("of", 0))
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise UserError(f"{path} is not an npz with a mean 'mu' and a covariance 'sigma' of plain numbers.") from error
    if n < 0:
        raise UserError(f"{path} says that it is of {n} images.")
    if mean.ndim != 1 or not len(mean) or covariance.shape != (len(mean), len(mean)):
        raise UserError(f"{path} has 'mu' of shape {list(mean.shape)} and 'sigma' of {list(covariance.shape)}.")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise UserError(f"{path} has numbers that are not finite.")
    about = {key: str(arrays[key]) for key in TEXTS if key in arrays}
    return Statistics(Gaussian(mean, covariance, n), about if set(TEXTS) <= set(about) else {}, ddof, of)


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    """Our keys only: files of others may hold thousands of images beside."""
    with np.load(file, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in ("mu", "sigma", "n", "ddof", "of", *TEXTS) if key in arrays.files}


def _real(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "fiu":
        raise ValueError(array.dtype)
    return array.astype(np.float64)


def write(path: Path, gaussian: Gaussian, about: dict[str, str], ddof: int = 1, of: int = 0) -> None:
    """Write statistics; `about` has the texts `TEXTS`, `of` as in `Statistics`. A reader never sees half a file."""
    temporary = path.with_name(path.name + ".tmp")
    arrays: dict[str, Any] = {key: np.str_(about.get(key, "")) for key in TEXTS}
    arrays |= {"mu": np.asarray(gaussian.mean, np.float64), "sigma": np.asarray(gaussian.covariance, np.float64)}
    arrays |= {"n": np.int64(gaussian.n), "ddof": np.int64(ddof), "of": np.int64(of)}
    arrays |= {"library": np.str_(f"jaxgan {jaxgan.__version__}")}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UserError(f"{path} cannot be written: {error.strerror or error}.") from error
