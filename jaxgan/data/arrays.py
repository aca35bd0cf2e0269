"""Images that come as one uint8 array: IDX files, npz and npy."""

import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Int32, UInt8
from PIL import Image

from jaxgan.data import decode, idx, source
from jaxgan.data.settings import Header, Settings, agree
from jaxgan.data.threads import in_threads
from jaxgan.errors import UserError

IMAGE_KEYS = ("images", "image", "x_train", "arr_0")
LABEL_KEYS = ("labels", "label", "y_train", "arr_1")


def from_arrays(
    images: UInt8[np.ndarray, "n h w *c"], labels: Int32[np.ndarray, "n"] | None, name: str, settings: Settings
) -> source.Data:
    """Returns the images, brought to the size and channels asked for, ready for training.

    Args:
      images: grey [N, H, W], or [N, H, W, C] with C = 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA).
      labels: class indices; their names become "0", "1", ...
      name: what the user asked for.
      settings: size, resize, channels.

    Raises:
      UserError: if there is no image.
    """
    if images.size == 0:
        raise UserError(f"{name} holds no images.")
    total, height, width = images.shape[:3]
    grey = images.ndim == 3 or images.shape[3] <= 2
    target, note = agree([Header(height, width, grey)], settings)
    fitted = np.empty((total, *target.shape), np.uint8)
    flat = images[..., 0] if images.ndim == 4 and images.shape[3] == 1 else images
    classes = 0 if labels is None else int(labels.max()) + 1
    class_names = tuple(str(label) for label in range(classes)) if classes > 1 else ()
    held = {"image": fitted} if labels is None or not class_names else {"image": fitted, "label": labels}
    examples = source.ArraySource(held)

    def visit(index: int) -> bytes:
        fitted[index] = decode.to_array(Image.fromarray(flat[index]), target)
        return source.digest(examples[index])

    digests = in_threads(visit, total)
    return source.make_data(examples, target.spec(class_names), name, note, digests, target.settings)


def load_idx(path: Path, name: str, settings: Settings) -> source.Data:
    """Returns the set in an IDX image file and the label file beside it; raises UserError if one is damaged."""
    images, labels = idx.read(path)
    return from_arrays(images, labels, name, settings)


def load_numpy(path: Path, name: str, settings: Settings) -> source.Data:
    """Returns the set in an `.npy` file of images, or an `.npz` file of images and perhaps labels.

    Raises:
      UserError: if it is damaged, or holds no uint8 images.
    """
    try:
        arrays = _read(path)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is not a NumPy file of plain arrays: {error}.") from error
    images = next((arrays[key] for key in IMAGE_KEYS if key in arrays), None)
    labels = next((arrays[key] for key in LABEL_KEYS if key in arrays), None)
    if images is None or images.dtype != np.uint8 or not _image_shape(images.shape):
        found = ", ".join(f"{key}: {value.dtype} {list(value.shape)}" for key, value in arrays.items())
        raise UserError(
            f"{path} should hold uint8 images [N, H, W] or [N, H, W, C] under one of {', '.join(IMAGE_KEYS)}; "
            f"it holds {found}."
        )
    return from_arrays(images, _checked(labels, len(images), path), name, settings)


def _read(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file:  # NumPy leaves a file open that it cannot read
        loaded = np.load(file, allow_pickle=False)
        return {"images": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)


def _image_shape(shape: tuple[int, ...]) -> bool:
    return len(shape) == 3 or (len(shape) == 4 and 1 <= shape[3] <= 4)


def _checked(labels: np.ndarray | None, total: int, path: Path) -> Int32[np.ndarray, "n"] | None:
    if labels is None:
        return None
    if labels.size != total or not np.issubdtype(labels.dtype, np.integer) or labels.min(initial=0) < 0:
        raise UserError(f"labels in {path} should be {total} class indices, not {labels.dtype} {list(labels.shape)}.")
    return labels.reshape(total).astype(np.int32)
