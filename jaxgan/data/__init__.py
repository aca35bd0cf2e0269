"""Images for training: bundled, TensorFlow Datasets, folders, zips, arrays; streamed or resident on the device."""

from jaxgan.data.device import normalize, resident, take, to_uint8
from jaxgan.data.load import load
from jaxgan.data.order import BatchOrder, order
from jaxgan.data.pipeline import stream
from jaxgan.data.source import ImageData, gather, nbytes

__all__ = [
    "BatchOrder",
    "ImageData",
    "gather",
    "load",
    "nbytes",
    "normalize",
    "order",
    "resident",
    "stream",
    "take",
    "to_uint8",
]
