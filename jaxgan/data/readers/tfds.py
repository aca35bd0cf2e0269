"""Any TensorFlow Datasets name, read as `array_record` through `tfds.data_source`, without TensorFlow."""

import contextlib
import importlib.util
import io
import os
import re
import socket
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from absl import logging
from tensorflow_datasets.core.registered import DatasetNotFoundError

from jaxgan.data import encoded, source
from jaxgan.data.builder import FashionMnist10k
from jaxgan.data.readers import features
from jaxgan.data.readers.wants import told
from jaxgan.data.settings import Settings, joined
from jaxgan.errors import UserError, did_you_mean
from jaxgan.fields import Needs
from jaxgan.paths import typed

SPEC = re.compile(r"(?P<name>[\w/:.*=,]+)(\[(?P<split>.+)\])?")
DEFAULT_SPLIT = "train"


@contextlib.contextmanager
def _muted() -> Iterator[None]:
    """Keeps log lines out of the terminal."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keeps progress bars and prints out of the terminal too."""
    nowhere = io.StringIO()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        yield


@contextlib.contextmanager
def _tidy() -> Iterator[None]:
    """Takes away what TFDS leaves in the temporary directory when it looks for what is known of a set."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as place:
        tempfile.tempdir = place
        try:
            yield
        finally:
            tempfile.tempdir = before


def _data_dir(data_dir: str | os.PathLike[str] | None) -> Path:
    """Returns where TFDS data lie: the argument, $TFDS_DATA_DIR or ~/tensorflow_datasets."""
    return typed(data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets")


def parse(spec: str) -> tuple[str, str]:
    """Splits "name[split]" into TFDS name and split; the split defaults to "train".

    Raises:
      UserError: if it is not of that form.
    """
    match = SPEC.fullmatch(spec)
    if match is None:
        raise UserError(
            f"--data {spec!r}: no file or folder here has that name, and a TFDS name is NAME, NAME/CONFIG:VERSION or "
            "NAME[SPLIT]."
        )
    return match["name"], match["split"] or DEFAULT_SPLIT


def near(name: str) -> str:
    """Returns a clause that suggests data set names like this one, "" if none is."""
    known = [FashionMnist10k.name, *tfds.list_builders(with_community_datasets=False)]
    close = did_you_mean(re.split("[/:]", name)[0], known)
    return f"; {close}" if close else "."


def knows(name: str) -> bool:
    """Whether TFDS has a set of this name, with its config and version where it has such: "mnist:3.0.1"."""
    match = re.fullmatch(r"(\w+)(?:/([\w.-]+))?(?::[\w.*]+)?", name)
    if match is None or match[1] not in tfds.list_builders(with_community_datasets=False):
        return False
    return match[2] is None or match[2] in tfds.builder_cls(match[1]).builder_configs


def _builder(name: str, directory: Path) -> Any:
    try:
        with _silent(), _tidy():
            return tfds.builder(name, data_dir=directory)
    except DatasetNotFoundError as error:
        raise UserError(f"--data {name}: neither a file or folder here nor a TFDS data set{near(name)}") from error
    except Exception as error:  # TFDS raises ValueError, AssertionError and others for an unknown config or version
        raise UserError(f"--data {name}: TFDS cannot open it ({_why(error)}).") from error


def _why(error: Exception) -> str:
    """Returns the first sentence of an error, without what TFDS puts before it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return line.rpartition('}": ')[2].split(". ")[0].rstrip(".: ")


def _check_host(builder: Any) -> None:
    """Raises UserError when the set's first download host cannot be reached; TFDS itself would retry for minutes."""
    urls = list(builder.url_infos)
    if not urls or urllib.request.getproxies():
        return
    address = urllib.parse.urlsplit(urls[0])
    try:
        socket.create_connection((address.hostname, address.port or 443), timeout=10).close()
    except OSError as error:
        raise UserError(
            f"--data {builder.name} has to be downloaded first, and {address.hostname} cannot be reached; "
            "prepare it on a machine with a network connection and copy its folder into --data-dir."
        ) from error


def _prepare(builder: Any, directory: Path) -> None:
    """Writes a set that is not there yet.

    TFDS writes into a folder beside and renames it at the end, so a killed or a second process does no harm.
    """
    if isinstance(builder, FashionMnist10k):
        with _silent():
            builder.download_and_prepare(file_format="array_record")
        return
    if importlib.util.find_spec("tensorflow") is None:
        raise UserError(
            f"--data {builder.name} is not in {directory} yet, and preparing it takes TensorFlow once: install the "
            "extra 'tensorflow' (pip install '.[tensorflow]' in jaxgan's checkout); the set is then read without it."
        )
    _check_host(builder)
    builder.download_and_prepare(file_format="array_record")


def _prepared(name: str, directory: Path) -> Any:
    """Returns a builder whose data lie ready in the directory."""
    builder = _builder(name, directory)
    if builder.is_prepared():
        return builder
    failure = "its folder there is incomplete; delete it and start again"
    try:
        _prepare(builder, directory)
    except UserError:
        raise
    except Exception as error:  # a download, a disk, or another process that was faster
        failure = _why(error)
    builder = _builder(name, directory)
    if not builder.is_prepared():
        raise UserError(f"--data {name} cannot be prepared in {directory}: {failure} (see --data-dir).")
    return builder


def _open(builder: Any, split: str, keys: Sequence[str]) -> Any:
    """Returns the random-access source of a split; its images stay encoded, because ours is the one way to decode."""
    kinds = dict(builder.info.features)
    images = [key for key, feature in kinds.items() if isinstance(feature, tfds.features.Image)]
    try:
        opened = builder.as_data_source(split=split, decoders={key: tfds.decode.SkipDecoding() for key in images})
        present = bool(len(opened)) and all(opened[0][key] is not None for key in keys)
    except NotImplementedError as error:
        form = builder.info.file_format.value
        raise UserError(
            f"--data {builder.name} lies in {builder.data_dir} as {form}, which cannot be read without TensorFlow; "
            "prepare it as array_record in another --data-dir."
        ) from error
    except Exception as error:
        raise UserError(f"--data {builder.name}[{split}]: {_why(error)}.") from error
    if not present:
        raise UserError(f"--data {builder.name}[{split}] holds no images.")
    return opened


def load(spec: str, needs: Needs, settings: Settings, data_dir: str | os.PathLike[str] | None) -> source.Data:
    """Returns a TFDS data set: for each field the feature of its name, or else its first image and its first class.

    Args:
      spec: "name", "name/config:version", with "[split]" behind; the split defaults to "train".
      needs: what the recipe takes.
      settings: size, resize, channels.
      data_dir: where TFDS data lie; $TFDS_DATA_DIR or ~/tensorflow_datasets if None.

    Raises:
      UserError: if there is no such set, it lacks a feature, or it cannot be prepared or read here.
    """
    if needs.apart:
        raise UserError(f"--data {spec}: a TFDS data set is one set; this recipe takes {told(needs)} apart.")
    name, split = parse(spec)
    with _muted():
        builder = _prepared(name, _data_dir(data_dir))
        chosen = features.choose(builder.info.features, needs, builder.name)
        opened = _open(builder, split, [one.key for one in chosen.values()])
    chosen, absent = features.present(opened, chosen, needs)
    targets, note = features.targets(chosen, settings)
    found = features.encoded(opened, chosen, targets)
    identity = f"{builder.info.full_name}[{split}]: {len(opened)} of {int(builder.info.dataset_size)} bytes"
    return encoded.load(found, spec, joined(note, absent), {"resize": settings.resize}, identity)
