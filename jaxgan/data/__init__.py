"""Examples for training: bundled, TensorFlow Datasets, folders, zips, arrays; streamed or resident on the device."""

from jaxgan.data.derived import with_derived
from jaxgan.data.device import resident, take
from jaxgan.data.held import hold_out, some, some_rows
from jaxgan.data.load import load
from jaxgan.data.meant import BUNDLED, absolute
from jaxgan.data.order import BatchOrder, order, orders
from jaxgan.data.pipeline import stream
from jaxgan.data.source import ArraySource, Data, Table, gather, nbytes, of_arrays

__all__ = [
    "BUNDLED",
    "ArraySource",
    "BatchOrder",
    "Data",
    "Table",
    "absolute",
    "gather",
    "hold_out",
    "load",
    "nbytes",
    "of_arrays",
    "order",
    "orders",
    "resident",
    "some",
    "some_rows",
    "stream",
    "take",
    "with_derived",
]
