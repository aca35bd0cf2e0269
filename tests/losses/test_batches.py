from functools import partial
from inspect import unwrap

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from jaxgan.errors import UserError
from jaxgan.losses import batches

LOGITS = jnp.array([0.3, -1.0, 2.0, 0.1, 5.0, -3.0, 0.2, 1.0])


# Oracle: sorting by hand.
@pytest.mark.parametrize(("fraction", "kept"), [(1.0, range(8)), (0.5, [0, 2, 4, 7]), (0.25, [2, 4]), (0.01, [4])])
def test_top_k_keeps_the_most_real_and_has_mean_one(fraction, kept):
    expected = np.where(np.isin(np.arange(8), list(kept)), 8 / len(kept), 0)
    np.testing.assert_allclose(batches.top_k_weights(LOGITS, fraction), expected, rtol=1e-6)
    scheduled = jax.jit(batches.top_k_weights)(LOGITS, jnp.float32(fraction))
    np.testing.assert_allclose(scheduled, expected, rtol=1e-6)
    patches = [LOGITS[:, None] + jnp.array([-9.0, 9.0]), LOGITS]
    np.testing.assert_allclose(batches.top_k_weights(patches, fraction), expected, rtol=1e-6)


def test_equal_logits_do_not_make_more_of_them():
    np.testing.assert_allclose(batches.top_k_weights(jnp.zeros(6), 0.5).sum(), 6, rtol=1e-6)
    assert (batches.top_k_weights(jnp.zeros(6), 0.5) > 0).sum() == 3


def test_no_gradient_flows_through_the_choice():
    gradient = jax.grad(lambda x: (batches.top_k_weights(x, 0.25) * x).sum())(LOGITS)
    np.testing.assert_array_equal(gradient, batches.top_k_weights(LOGITS, 0.25))


# Oracle: one device. The two best fakes are on the second and the third of four devices, none on the others.
def test_the_best_of_all_devices_are_kept():
    chosen = partial(batches.top_k_weights, fraction=0.25, axis_name="data")
    mesh = Mesh(np.array(jax.devices()[:4]), ("data",))
    mapped = jax.shard_map(chosen, mesh=mesh, in_specs=PartitionSpec("data"), out_specs=PartitionSpec("data"))
    expected = batches.top_k_weights(LOGITS, 0.25)
    np.testing.assert_array_equal(jax.jit(mapped)(LOGITS), expected)
    np.testing.assert_array_equal(jax.pmap(chosen, axis_name="data")(LOGITS.reshape(4, 2)).ravel(), expected)


# Oracle: concatenation by hand.
@pytest.mark.parametrize("shape", [(6, 4, 3, 2), (6, 5)])
def test_pack_puts_neighbours_side_by_side(shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    packs = batches.pack(jnp.asarray(x), 3)
    for i in range(2):
        np.testing.assert_array_equal(packs[i], np.concatenate([x[3 * i + j] for j in range(3)], axis=-1))
    np.testing.assert_array_equal(batches.pack(jnp.asarray(x), 1), x)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: batches.top_k_weights(LOGITS, 0.0), "fraction"),
        (lambda: batches.top_k_weights(LOGITS, 1.5), "fraction"),
        (lambda: batches.pack(LOGITS[:, None], 3), "divides the 8 rows"),
        (lambda: batches.pack(LOGITS[:, None], 0), "divides the 8 rows"),
        (lambda: batches.top_k_weights(LOGITS, float("nan")), "fraction"),
        (lambda: unwrap(batches.pack)(LOGITS[:, None], 2.0), "whole number that divides the 8 rows"),
    ],
)
def test_impossible_arguments_are_named(call, words):
    with pytest.raises(UserError, match=words):
        call()
