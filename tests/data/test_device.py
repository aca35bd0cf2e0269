"""Oracle: numpy indexing."""

import jax
import numpy as np

from jaxgan import data, fields
from jaxgan.data.source import ArraySource, Table


def test_take_gathers_inside_jit():
    arrays = {"image": np.arange(24, dtype=np.uint8).reshape(6, 2, 2, 1), "label": np.arange(6, dtype=np.int32)}
    rows = np.array([4, 0, 4], np.int32)
    batch = jax.jit(data.take)(arrays, rows)
    for key in arrays:
        np.testing.assert_array_equal(batch[key], arrays[key][rows])
        assert batch[key].dtype == arrays[key].dtype


def test_resident_reads_any_source_and_only_what_is_asked(fashion):
    class Lazy:
        def __len__(self):
            return 50

        def __getitem__(self, index):
            return fashion.table("image").source[index]

    table = Table(Lazy(), fashion.spec)
    (arrays,), (whole,) = (
        data.resident(fashion._replace(tables=(table,)), fashion.spec),
        data.resident(fashion, fashion.spec),
    )
    assert isinstance(fashion.table("image").source, ArraySource)
    for key in ("image", "label"):
        np.testing.assert_array_equal(arrays[key], whole[key][:50])
        assert arrays[key].dtype == whole[key].dtype
    (labels,) = data.resident(fashion._replace(tables=(table,)), fields.only(fashion.spec, "label"))
    assert set(labels) == {"label"}


def test_each_table_is_resident_by_itself():
    apart = [
        data.of_arrays({name: np.zeros((n, 2), np.float32)}, {name: fields.Field("vector", (2,))})
        for name, n in (("a", 2), ("b", 3))
    ]
    both = apart[0]._replace(tables=apart[0].tables + apart[1].tables)
    assert [{k: v.shape for k, v in one.items()} for one in data.resident(both, both.spec)] == [
        {"a": (2, 2)},
        {"b": (3, 2)},
    ]
