"""Fields that are made of others. Oracle: what is made, by hand."""

import numpy as np

from jaxgan import data, fields
from jaxgan.data import with_derived
from jaxgan.game import Derived

HALF = Derived(fields.image(2, 2, 1), "target", lambda large: large[::2, ::2])
LARGE = np.arange(48, dtype=np.uint8).reshape(3, 4, 4, 1)


def of(**arrays):
    return data.of_arrays(arrays, {name: fields.image(*x.shape[1:]) for name, x in arrays.items()}, "toy", "")


def test_examples_get_the_field_that_is_made_of_theirs():
    found = with_derived(of(target=LARGE), {"source": HALF})
    assert found.spec == {"target": fields.image(4, 4, 1), "source": HALF.field}
    arrays = data.resident(found, found.spec)[0]
    np.testing.assert_array_equal(arrays["source"], LARGE[:, ::2, ::2])
    np.testing.assert_array_equal(arrays["target"], LARGE)


def test_a_field_that_is_there_stays_and_one_of_nothing_is_not_made():
    own = np.zeros((3, 2, 2, 1), np.uint8)
    both = of(target=LARGE, source=own)
    assert with_derived(both, {"source": HALF}).spec == both.spec
    np.testing.assert_array_equal(with_derived(both, {"source": HALF}).tables[0].source[1]["source"], own[1])
    other = of(image=LARGE)
    assert with_derived(other, {"source": HALF}).spec == other.spec
    assert with_derived(other, {}) is other
