"""The smallest configuration of every recipe. A recipe without an entry here fails the contract."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from jaxgan import recipes

COMMON = {"image_shape": (8, 8, 1), "batch_size": 16, "steps": 4, "z_dim": 6}
SMALL: dict[str, dict[str, Any]] = {
    "gan": {"g_widths": (12,), "d_widths": (12,)},
    "gan/minimax": {"loss": "minimax", "g_widths": (12,), "d_widths": (12,)},
    "dcgan": {"g_width": 4, "d_width": 4},
    "cgan": {"g_width": 4, "d_width": 4, "classes": 3},
    "cgan/mlp": {"network": "mlp", "g_widths": (12,), "d_widths": (12,), "classes": 3},
}
CASES = tuple(SMALL)
CONDITIONAL = tuple(case for case in CASES if "classes" in SMALL[case])
KEY = jax.random.key(5)


def module(case):
    return recipes.load(case.split("/")[0])


def config(case, **changes):
    return module(case).Config(**{**COMMON, **SMALL[case], **changes})


def build(case, axis_name=None, **changes):
    return module(case).build(config(case, **changes), axis_name)


@functools.cache
def start(case):
    """The first state of the smallest configuration."""
    return jax.jit(build(case).init)(KEY)


def batch(case, seed=0):
    c = config(case)
    images, labels = jax.random.split(jax.random.key(seed))
    rows = c.batch_size * build(case).microbatches
    made = {"image": jnp.tanh(jax.random.normal(images, (rows, *c.image_shape)))}
    if c.classes:
        made["label"] = jax.random.randint(labels, (rows,), 0, c.classes)
    return made


def labels(case, n):
    c = config(case)
    return jnp.arange(n) % c.classes if c.classes else None
