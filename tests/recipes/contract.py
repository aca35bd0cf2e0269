"""The smallest case of every recipe, compiled once. A recipe without one here fails the contract.

A new recipe adds two lines: its options in `SMALL` beside the fields of its data, and, if those are of no shape that is
here yet, a spec. `case(name)` then has its first state, one step and each verb, compiled; batches are random fields.
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxgan import fields, recipes
from jaxgan.fields import Field
from jaxgan.game import with_frozen

IMAGES = {"image": fields.image(8, 8, 1)}
LABELLED = {**IMAGES, "label": fields.label(("a", "b", "c"))}
PAIRS = {"source": fields.image(8, 8, 1), "target": fields.image(8, 8, 3)}
MAPS = {"source": Field("label_map", (8, 8), ("a", "b", "c")), "target": fields.image(8, 8, 1)}
COLOUR_MAPS = {**MAPS, "target": fields.image(8, 8, 3)}
DOMAINS = {"a": fields.image(8, 8, 1), "b": fields.image(8, 8, 3)}
PHOTOGRAPHS = {"target": fields.image(16, 16, 3)}
ALIKE = {"a": fields.image(8, 8, 1), "b": fields.image(8, 8, 1)}
VOXELS = {"voxels": Field("voxels", (8, 8, 8))}
MLP = {"g_widths": (12,), "d_widths": (12,)}
DCGAN = {"g_width": 4, "d_width": 4}
SNGAN = {"g_width": 3, "d_width": 3}
# With so little information, both players still have the adversarial interest that the contract looks for.
INFOGAN = {"info_weight": 0.01, "categories": 3, "g_width": 4, "d_width": 4, "units": 6}
# So it is with little weight on differences.
CONTEXT = {
    "network": "context",
    "g_width": 2,
    "d_width": 4,
    "l1_weight": 0.0,
    "l2_weight": 0.01,
    "loss": "non_saturating",
}
# The adversarial interest, which the contract looks for, is little beside the paper's weight of the way back.
CYCLEGAN = {"g_width": 2, "d_width": 4, "blocks": 1, "pool": 16, "cycle_weight": 0.01}
R3GAN = {"width": 2, "growth": 2, "max_width": 4, "group_size": 4}
# As above: the adversarial interest outweighs the differences.
SUPER = {"g_width": 4, "d_width": 4, "pixel_steps": 2, "gan_weight": 1.0, "pixel_weight": 0.1}
SUPER |= {"perceptual_weight": 0.01, "features": "random"}
# With so little weight on features, both players still have the adversarial interest that the contract looks for.
SPADE = {"g_width": 2, "g_hidden": 3, "d_width": 4, "d_layers": 2, "feature_weight": 0.1, "perceptual_weight": 0.1}
# Regularisers see every second step, and little of them: the contract looks for the adversarial interest.
STYLEGAN2 = {"channel_base": 32, "channel_max": 4, "w_dim": 6, "r1_gamma": 1e-3, "path_weight": 1e-3, "path_every": 2}
# As above: the adversarial interest outweighs the differences.
RESTORE = {"g_width": 4, "blocks": 1, "d_width": 4, "d_layers": 1, "gan_weight": 1.0, "pixel_weight": 0.01}
GRADIENT_PENALTY = {"penalty": "gradient_penalty", "penalty_every": 2, "penalty_weight": 0.1}
R1_R2 = {"penalty": "r1_r2", "penalty_weight": 0.1, "penalty_weight_end": 0.01}
# Attention wants 8 channels.
BIGGAN = {
    "g_width": 8,
    "d_width": 8,
    "embedding": 5,
    "begin": "glorot",
    "attention": (8,),
    "d_attention": (0,),
    "standing": 0,
}
SMALL: dict[str, tuple[fields.Spec, dict[str, Any]]] = {
    "gan": (IMAGES, MLP),
    "gan/minimax": (IMAGES, {**MLP, "loss": "minimax"}),
    "gan/relativistic": (IMAGES, {**MLP, "loss": "ra_hinge", "label_noise": 0.1, "updates": "optimistic"}),
    "gan/packed": (IMAGES, {**MLP, **GRADIENT_PENALTY, "loss": "wasserstein", "n_critic": 2, "packing": 2}),
    "gan/extragradient": (
        IMAGES,
        {**MLP, **R1_R2, "loss": "rp_non_saturating", "updates": "extragradient", "rate_end": 0.5, "top_k": 0.5},
    ),
    "biggan": (LABELLED, BIGGAN),
    "biggan_deep": (LABELLED, {**BIGGAN, "g_width": 4, "d_width": 4, "depth": 1, "attention": (0,)}),
    "sagan": (IMAGES, {"g_width": 4, "d_width": 4, "attention": (0,), "standing": 5}),
    "dcgan": (IMAGES, {**DCGAN, "g_units": 0, "d_units": 0}),
    "cgan": (LABELLED, {**DCGAN, "g_units": 5, "d_units": 6}),
    "cgan/mlp": (LABELLED, {**MLP, "network": "mlp"}),
    "sngan": (IMAGES, SNGAN),
    "sngan/projection": (LABELLED, {**SNGAN, "condition": "projection"}),
    "sngan/auxiliary": (LABELLED, {**SNGAN, "condition": "auxiliary", "g_norm": "self"}),
    "infogan": (IMAGES, INFOGAN),
    "infogan/learned": (IMAGES, {**INFOGAN, "variance": "learned"}),
    "lsgan": (IMAGES, DCGAN),
    "r3gan": (IMAGES, {**R3GAN, "burn_in": 4, "gamma": 3.0, "gamma_end": 1.0}),
    "r3gan/labels": (LABELLED, {**R3GAN, "labels": "used"}),
    "stylegan2": (IMAGES, STYLEGAN2),
    "wgan": (IMAGES, {**DCGAN, "n_critic": 2}),
    "pix2pix": (PAIRS, {"g_width": 2, "d_width": 4, "depth": 3}),
    "srgan": (PHOTOGRAPHS, {**SUPER, "blocks": 1, "halvings": 1, "d_units": 6, "norm": "batch"}),
    "esrgan": (
        PHOTOGRAPHS,
        {**SUPER, "blocks": 1, "growth": 2, "halvings": 1, "interpolate": 0.5, "perceptual_weight": 0.0},
    ),
    "esrgan/unet": (
        PHOTOGRAPHS,
        {
            **SUPER,
            "scale": 4,
            "blocks": 0,
            "growth": 2,
            "discriminator": "unet",
            "perceptual_weight": 0.0,
            "relativistic": False,
        },
    ),
    "inpainting": (IMAGES, {"g_width": 2, "d_width": 4, "d_layers": 2, "dilations": (2,), "l1_weight": 0.01}),
    "inpainting/context": (IMAGES, {**CONTEXT, "holes": "boxes"}),
    "spade": (MAPS, SPADE),
    "spade/colour": (COLOUR_MAPS, {**SPADE, "encoder": False, "g_norm": "instance", "g_levels": 2}),
    "restore": (PHOTOGRAPHS, RESTORE),
    "restore/colourise": (PHOTOGRAPHS, {**RESTORE, "degradation": "colourise", "norm": "batch", "fold": 1}),
    "cogan": (DOMAINS, {**DCGAN, "units": 6, "joint": 3}),
    "cyclegan": (ALIKE, CYCLEGAN),
    "cyclegan/unet": (DOMAINS, {**CYCLEGAN, "network": "unet", "depth": 2, "norm": "batch", "identity_weight": 0.0}),
    "voxel_gan": (VOXELS, MLP),
    "voxel_gan/conv": (VOXELS, {"network": "conv", "width": 2, "gate": 0.8, "r1_gamma": 0.0, "d_norm": "batch"}),
    "wgan_gp": (IMAGES, {**DCGAN, "n_critic": 2, "sides": "one", "d_norm": "layer"}),
}
"""By name (the recipe, perhaps a slash and what is special): the fields of the data, and options beside `COMMON`."""
COMMON = {"batch_size": 16, "steps": 4, "z_dim": 6}
ROWS = 4
"""Examples that the compiled verbs make."""
KEY = jax.random.key(5)
CASES = tuple(pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in SMALL)
RECIPES = tuple(each for each in CASES if "/" not in each.values[0])
every_case = pytest.mark.parametrize("name", CASES)
every_recipe = pytest.mark.parametrize("name", RECIPES)


class Case(NamedTuple):
    """A smallest system, compiled.

    Attributes:
        system: of one device.
        state: the first one.
        step: one step.
        runs: each verb, for `ROWS` examples.
        batch: for a step.
        after: the state after one step on that batch.
        metrics: of that step.
    """

    system: Any
    state: Any
    step: Any
    runs: dict[str, Any]
    batch: dict[str, jax.Array]
    after: Any
    metrics: dict[str, jax.Array]


def module(name):
    return recipes.load(name.split("/")[0])


def spec(name):
    return SMALL[name][0]


def config(name, **changes):
    Config = module(name).Config
    common = {option: COMMON[option] for option in COMMON if option in Config.__dataclass_fields__}
    return Config(**{**common, **SMALL[name][1], **changes})


def build(name, axis_name=None, spec=None, **changes):
    return module(name).build(config(name, **changes), SMALL[name][0] if spec is None else spec, axis_name)


def batch_of(system, seed=0):
    return random_batch(system.batch, system.config.batch_size * system.microbatches, seed)


@functools.cache
def case(name):
    """Three programs: the first state, one step, and each verb. Nothing runs outside them."""
    system = build(name)
    batch = batch_of(system)
    state = compiled(system.init, KEY)(KEY)
    if system.frozen is not None:
        state = with_frozen(state, system.frozen())
    step = compiled(system.step, state, batch, KEY)
    after, metrics = step(state, batch, KEY)
    given = {name: given_to(verb, system) for name, verb in system.verbs.items()}
    runs = {verb: compiled(system.verbs[verb], state, given[verb], keys(0)) for verb in system.verbs}
    return Case(system, state, step, runs, batch, after, metrics)


def sized(spec, system):
    """The fields, those of any size as large as those of the batch; those that it lacks, as its first."""
    known = {**system.batch, **{name: derived.field for name, derived in system.derives.items()}}
    first = next(iter(known.values()))

    def fixed(name, field):
        sides = zip(field.shape, known.get(name, first).fixed, strict=False)
        return field._replace(shape=tuple(own if side is None else side for side, own in sides))

    return {name: fixed(name, field) if None in field.shape else field for name, field in spec.items()}


def given_to(verb, system):
    """Random fields that a verb takes."""
    return random_batch(sized(verb.given, system), ROWS, 1)


def compiled(function, *arguments):
    """A program for arguments of these shapes and no others."""
    return jax.jit(lambda *given: function(*given)).lower(*arguments).compile()


def keys(seed):
    return jax.random.split(jax.random.key(seed), ROWS)


def random_batch(spec, rows, seed):
    """Random fields of every kind, in the units that networks see."""
    rng = np.random.default_rng(seed)
    return {name: jnp.asarray(_random(field, (rows, *field.fixed), rng)) for name, field in spec.items()}


def _random(field: Field, shape, rng):
    if fields.whole(field):
        return rng.integers(0, len(field.names), shape, np.int32)
    low, high = limits(field)
    if np.isinf(high):
        return rng.standard_normal(shape, np.float32)
    return rng.uniform(low, high, shape).astype(np.float32)


def limits(field):
    """The least and the largest number that networks see of a field: what its stored numbers become."""
    if fields.whole(field):
        return 0, len(field.names) - 1
    if not np.issubdtype(field.dtype, np.integer):
        return -np.inf, np.inf
    stored = np.iinfo(field.dtype)
    return float(field.inside(jnp.asarray(stored.min))), float(field.inside(jnp.asarray(stored.max)))


def features(system, state):
    """What of the engine a system needs, read off both."""
    collections = {collection for player in state.players.values() for collection in player.vars}
    found = {
        **{collection: collection in collections for collection in ("batch_stats", "spectral")},
        "labels": any(fields.whole(field) for field in system.batch.values()),
        "repeat": system.microbatches > 1,
        "every": bool(state.held),
        "extras": bool(state.extras),
        "local": bool(state.local),
        "frozen": system.frozen is not None,
        "own step": not system.step.__qualname__.startswith("make_train_step"),
    }
    return {feature for feature, has in found.items() if has}


def networks(system):
    """The networks that `init` makes variables of, in that order: G before D."""
    found = []

    def note(call, args, options, context):
        if context.method_name == "__call__" and not context.module.path and context.module.is_initializing():
            found.append(context.module.clone(parent=None))
        return call(*args, **options)

    with nn.intercept_methods(note):
        jax.eval_shape(lambda key: system.init(key), KEY)  # a new function: a trace that is kept would call nothing
    return found


def params(state):
    return {name: player.params for name, player in state.players.items()}


def with_params(state, player, params):
    """The state with other parameters of one player."""
    moved = dataclasses.replace(state.players[player], params=params)
    return dataclasses.replace(state, players={**state.players, player: moved})
