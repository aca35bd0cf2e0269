"""Which published files fill the networks of SPADE."""

from typing import Any

from jaxgan.errors import UserError
from jaxgan.fields import Field, Spec, image
from jaxgan.recipes.common.imports import About, Imports, Part, agreed
from jaxgan.weights.layouts.spade import DISCRIMINATORS, ENCODERS, GENERATORS

_LEVELS = 5  # of the published generators, but for pictures twice as wide as high


def _settled(about: About, side: int) -> tuple[dict[str, Any], Spec]:
    """Options and fields of networks from files; every plane of a map is a label, none the edges of things."""
    if "g" not in about:
        raise UserError("discriminators and encoders alone make nothing; spade takes the file of a generator too.")
    g, d, e = about["g"], about.get("d"), about.get("e")
    if e and "z" not in g:
        raise UserError("the files do not fit each other: e gives styles, and g begins with a map.")
    for each in (g, e):
        if each and each.get("side", side) != side:
            raise UserError(f"these networks are for pictures of {each['side']} pixels, but --image-size is {side}.")
    if d and d["takes"] != g["labels"] + g["makes"]:
        both = f"{g['labels']} labels and pictures of {g['makes']} channels"
        raise UserError(f"the files do not fit each other: d takes {d['takes']} channels, g has {both}.")
    options = {"g": {"g_width": g["width"], "g_hidden": g["hidden"], "encoder": "z" in g}}
    options["g"] |= {"g_levels": _LEVELS} | ({"z_dim": g["z"]} if "z" in g else {})
    options |= {"d": {"d_width": d["width"], "d_layers": d["layers"]}} if d else {}
    options |= {"e": {"g_width": e["width"], "z_dim": e["z"]}} if e else {}
    labels = tuple(map(str, range(g["labels"])))
    return agreed(options), {
        "source": Field("label_map", (side, side), labels),
        "target": image(side, side, g["makes"]),
    }


PUBLISHED = Imports(
    {
        "g": Part("g", GENERATORS, ("G",), "generator"),
        "e": Part("g", ENCODERS, ("E",), "encoder"),
        "d": Part("d", DISCRIMINATORS, ("D",)),
    },
    _settled,
)
"""Files of the public code of SPADE."""
