"""Which published files fill the generator of ESRGAN."""

from typing import Any

from jaxgan.fields import Spec, image
from jaxgan.recipes.common.imports import About, Imports, Part
from jaxgan.weights.layouts.superres import ENLARGERS


def _settled(about: About, side: int) -> tuple[dict[str, Any], Spec]:
    """Options and fields of a network from a file, which has learned pixels already: the run begins with the game."""
    g = about["g"]
    options = {"scale": g["scale"], "g_width": g["width"], "blocks": g["blocks"], "growth": g["growth"]}
    return {**options, "pixel_steps": 0}, {"target": image(side, side, g["makes"])}


PUBLISHED = Imports({"g": Part("g", ENLARGERS, ("G",))}, _settled)
"""Files of BasicSR and ESRGAN."""
