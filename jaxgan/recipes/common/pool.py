"""Pools of past fakes: a discriminator that also sees what the generator made before forgets less.

Shrivastava et al. 2017 (arXiv:1612.07828, section 2.3), in the form of CycleGAN (Zhu et al. 2017, arXiv:1703.10593,
section 4). A new fake that finds an empty slot is stored and shown. When all are full, a coin decides: it is shown and
not stored, or it takes the place of a stored one, drawn evenly, which is shown.

The slots are shared out among the rows of the batch, for which the pool belongs in `GameState.local`: each row has its
own. So no row waits for another, and the same run has the same pool on any number of devices. A batch of one has the
papers' pool; a larger one has as long a memory, counted in steps.
"""

from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from jaxgan.errors import UserError

Pool: TypeAlias = dict[str, Array]
"""`held` `[rows, slots, ...]`: stored fakes; `full` `[rows, slots]`: which slots have one."""


def empty_pool(size: int, rows: int, shape: tuple[int, ...]) -> Pool:
    """A pool without a fake.

    Args:
        size: fakes that it holds, rounded up to as many for each row.
        rows: of a batch, over all devices.
        shape: of a fake.

    Raises:
        UserError: no size, or no rows.
    """
    if size < 1 or rows < 1:
        raise UserError(f"a pool has at least 1 fake and 1 row, got {size} and {rows}.")
    slots = -(-size // rows)
    return {"held": jnp.zeros((rows, slots, *shape)), "full": jnp.zeros((rows, slots), bool)}


def through_pool(pool: Pool, made: Float[Array, "b ..."], keys: Key[Array, " b"]) -> tuple[Array, Pool]:
    """What a discriminator is shown `[b, ...]` in place of new fakes, and the pool thereafter.

    Args:
        pool: of a multiple of b rows: a microbatch has the slots of all rows that `accumulate` joins into one of its.
        made: new fakes.
        keys: one for each.
    """
    own = {name: x.reshape(len(made), -1, *x.shape[2:]) for name, x in pool.items()}
    shown, held, full = jax.vmap(_shown)(own["held"], own["full"], made, keys)
    after = {"held": held, "full": full}
    return shown, {name: x.reshape(pool[name].shape) for name, x in after.items()}


def _shown(held: Array, full: Array, new: Array, key: Key[Array, ""]) -> tuple[Array, Array, Array]:
    """One row: what is shown `[...]`, and its slots thereafter."""
    coin, place = jax.random.split(key)
    whole = full.all()
    swapped = whole & jax.random.bernoulli(coin)
    slot = jnp.where(whole, jax.random.randint(place, (), 0, len(full)), jnp.argmin(full))
    old = held[slot]
    left = jnp.where(whole & ~swapped, old, new)
    return jnp.where(swapped, old, new), held.at[slot].set(left), full.at[slot].set(True)
