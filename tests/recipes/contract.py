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
    "gan/relativistic": {
        "loss": "ra_hinge",
        "label_noise": 0.1,
        "updates": "optimistic",
        "g_widths": (12,),
        "d_widths": (12,),
    },
    "gan/packed": {
        "loss": "wasserstein",
        "penalty": "gradient_penalty",
        "penalty_every": 2,
        "penalty_weight": 0.1,
        "n_critic": 2,
        "packing": 2,
        "g_widths": (12,),
        "d_widths": (12,),
    },
    "gan/extragradient": {
        "loss": "rp_non_saturating",
        "penalty": "r1_r2",
        "penalty_weight": 0.1,
        "penalty_weight_end": 0.01,
        "updates": "extragradient",
        "rate_end": 0.5,
        "top_k": 0.5,
        "g_widths": (12,),
        "d_widths": (12,),
    },
    "dcgan": {"g_width": 4, "d_width": 4},
    "cgan": {"g_width": 4, "d_width": 4, "classes": 3},
    "cgan/mlp": {"network": "mlp", "g_widths": (12,), "d_widths": (12,), "classes": 3},
    "sngan": {"g_width": 3, "d_width": 3},
    "sngan/projection": {"condition": "projection", "g_width": 3, "d_width": 3, "classes": 3},
    "sngan/auxiliary": {"condition": "auxiliary", "g_norm": "self", "g_width": 3, "d_width": 3, "classes": 3},
    "sngan/concat": {"condition": "concat", "g_norm": "adain", "g_width": 3, "d_width": 3, "classes": 3},
    # With so little information, both players still have the adversarial interest that the contract looks for.
    "infogan": {"info_weight": 0.01, "categories": 3, "g_width": 4, "d_width": 4, "units": 6},
    "infogan/learned": {
        "info_weight": 0.01,
        "variance": "learned",
        "categories": 3,
        "g_width": 4,
        "d_width": 4,
        "units": 6,
    },
    "lsgan": {"g_width": 4, "d_width": 4},
    "r3gan": {"width": 2, "growth": 2, "max_width": 4, "group_size": 4, "burn_in": 4},
    "r3gan/labels": {"labels": "used", "width": 2, "growth": 2, "max_width": 4, "group_size": 4, "classes": 3},
    "wgan": {"n_critic": 2, "g_width": 4, "d_width": 4},
    "wgan_gp": {"n_critic": 2, "sides": "one", "d_norm": "layer", "g_width": 4, "d_width": 4},
}
# Their own tests ask enough, and the contract's on labels and on devices.
ELSEWHERE = ("sngan/projection", "sngan/auxiliary", "sngan/concat", "infogan/learned", "r3gan/labels")
CASES = tuple(case for case in SMALL if case not in ELSEWHERE)
RECIPES = tuple(case for case in CASES if "/" not in case)
# Where only differences of logits count, nothing depends on D's last bias.
MAY_REST = dict.fromkeys(("gan/relativistic", "gan/packed", "gan/extragradient"), ("Dense_1/bias",))
CONDITIONAL = ("cgan", "cgan/mlp", "sngan/projection")
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
