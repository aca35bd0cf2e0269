"""What a recipe can take over from published files of weights: a constant `IMPORTS` of its module."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from jaxgan.errors import UserError
from jaxgan.fields import Spec
from jaxgan.weights.layouts.layout import Layout

About: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Of each file that is taken over what its network is like, by the name of the part that it is."""


class Part(NamedTuple):
    """A network that a file can fill.

    Attributes:
        player: whose it is.
        layouts: of files that fit.
        ends: how names of such files end, as the public code names them: "G_A" of `latest_net_G_A.pth`.
        network: its name, where the player is several networks.
    """

    player: str
    layouts: tuple[Layout, ...]
    ends: tuple[str, ...]
    network: str | None = None


class Imports(NamedTuple):
    """What a recipe can take over.

    Attributes:
        parts: by name; a file whose name says nothing is the first that its layout fits.
        settle: `(about, side of the pictures) -> (options of the recipe, fields of its data)`; a UserError where the
            files do not fit each other.
    """

    parts: Mapping[str, Part]
    settle: Callable[[About, int], tuple[dict[str, Any], Spec]]


def translator_options(about: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a recipe whose translators are `nets.unet`'s."""
    names = {"network": "network", "width": "g_width", "depth": "depth", "blocks": "blocks", "norm": "norm"}
    return {ours: about[theirs] for theirs, ours in names.items() if theirs in about}


def patch_options(about: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a recipe whose discriminators are `nets.patch`'s."""
    return {"d_width": about["width"], "d_layers": about["layers"], "norm": about["norm"]}


def agreed(options: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The options that all parts have, by name of a part.

    Raises:
        UserError: two parts want different ones.
    """
    found: dict[str, Any] = {}
    for part, wanted in options.items():
        for name, value in wanted.items():
            if found.setdefault(name, value) != value:
                said = f"{part} has {name} {value}, another one {found[name]}"
                raise UserError(f"the files do not fit each other: {said}.")
    return found
