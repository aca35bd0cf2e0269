"""What fills holes and what judges it, and what both do for users, by a configuration of `recipes.inpainting`."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Key

from jaxgan.errors import UserError
from jaxgan.fields import Field, Spec, any_size, only
from jaxgan.game import GameState, Verb, dtype_of
from jaxgan.made.holes import holes
from jaxgan.nets.context import ContextEncoder, middle
from jaxgan.nets.dcgan import DCGANDiscriminator
from jaxgan.nets.inpaint import GatedInpainter, PatchCritic, sketched
from jaxgan.recipes.common.wiring import as_used

Network: TypeAlias = Literal["gated", "context"]


class Networks(NamedTuple):
    """What fills, and what judges.

    Attributes:
        G: `(x, hole, *lines, train) -> (rough answer, refined answer)`.
        D: `(seen, train) -> logits`.
        seen: `(x, hole, *lines) -> ` what D looks at of a picture that may be completed.
    """

    G: nn.Module
    D: nn.Module
    seen: Callable[..., Array]


def networks(config: Any, image: Field, axis_name: str | None) -> Networks:
    """The networks of a configuration; UserError for options that do not go together.

    Args:
        config: of `recipes.inpainting`.
        image: the pictures.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """
    dtype, channels = dtype_of(config.precision), image.fixed[-1]
    if config.network == "gated":
        G = GatedInpainter(channels, config.g_width, config.dilations, config.attention, dtype)
        D = PatchCritic(config.d_width, config.d_layers, dtype)
        return Networks(G, D, lambda x, hole, *lines: jnp.concatenate([hole, *lines, x], -1))
    if config.sketch:
        raise UserError("--sketch takes --network gated; a context encoder follows no lines.")
    whole = not _one_box(config)
    G = ContextEncoder(channels, config.g_width, config.bottleneck, whole, dtype, axis_name)
    D = DCGANDiscriminator(config.d_width, biases=True, dtype=dtype, axis_name=axis_name)
    return Networks(G, D, lambda x, _: x if whole else middle(x))


def masks_of(config: Any) -> tuple[str, ...]:
    """The field of the data's own holes, where the networks take holes anywhere; else nothing."""
    return () if _one_box(config) else ("mask",)


def hole_of(config: Any, given: Mapping[str, Array], keys: Key[Array, " b"]) -> Float[Array, "b h w 1"]:
    """1 in the hole: from the half of a given mask on, or drawn by the configuration's law."""
    if "mask" in given:
        return (given["mask"] > 0.5).astype(jnp.float32)
    _, height, width, _ = given["image"].shape
    return holes(keys, height, width, config.holes)


def _one_box(config: Any) -> bool:
    return config.network == "context" and config.holes == "centre"


def lines_of(config: Any, x: Float[Array, "b h w c"], hole: Float[Array, "b h w 1"]) -> list[Array]:
    """The picture's edges in its hole, where the networks follow any; else nothing."""
    return [sketched(x) * hole] if config.sketch else []


def completed(
    x: Float[Array, "b h w c"], made: Float[Array, "b h w c"], hole: Float[Array, "b h w 1"]
) -> Float[Array, "b h w c"]:
    """`x` where it is known, `made` in the hole."""
    return jnp.where(hole > 0, made, x)


def verbs(config: Any, fields: Spec, G: nn.Module) -> dict[str, Verb]:
    """To fill holes that are drawn or the data's, and the hole of a mask; for one box neither takes a mask."""
    image = fields["image"]
    mask, grey = (Field(kind, (*image.fixed[:2], 1)) for kind in ("mask", "image"))

    def filled(state: GameState, given: dict[str, Array], hole: Array, lines: list[Array]) -> dict[str, Array]:
        x = given["image"]
        return {"image": completed(x, as_used(G, state.players["g"], x, hole, *lines)[1], hole), "mask": hole}

    def fill(state: GameState, given: dict[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        hole = hole_of(config, given, keys)
        return filled(state, given, hole, lines_of(config, given["image"], hole))

    def translate(state: GameState, given: dict[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        hole = hole_of(config, given, keys)
        lines = [(given["sketch"] > 0) * hole] if config.sketch else []
        return {"image": filled(state, given, hole, lines)["image"]}

    taken = only({"image": image, "mask": mask}, "image", *masks_of(config)) | (
        {"sketch": grey} if config.sketch else {}
    )
    if config.network == "gated":
        taken = {name: any_size(field) for name, field in taken.items()}
    return {
        "fill": Verb(fill, {"image": image, "mask": mask}, fields, truth=("image",)),
        "translate": Verb(translate, only(taken, "image"), taken),
    }
