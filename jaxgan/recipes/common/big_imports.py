"""Which published files fill the recipes of BigGAN's family, and what options follow."""

from collections.abc import Callable, Mapping
from typing import Any

from jaxgan.errors import UserError
from jaxgan.fields import Spec, image, label
from jaxgan.recipes.common.imports import About, Imports, Part, agreed
from jaxgan.weights.layouts.layout import Layout

_OWN = {"width": "g_width", "attention": "attention", "z_dim": "z_dim", "embedding": "embedding", "depth": "depth"}
_JUDGES = {"width": "d_width", "attention": "d_attention"}
_ALIKE = ("side", "channels", "classes")


def published(g: tuple[Layout, ...], d: tuple[Layout, ...], **fixed: Any) -> Imports:
    """What a recipe takes of the public PyTorch code: `G_ema.pth` or `G.pth`, and `D.pth`.

    Args:
        g: layouts of generators.
        d: layouts of discriminators.
        **fixed: what must be so of a generator, and is no option of the recipe.
    """
    return Imports({"g": Part("g", g, ("G", "G_ema")), "d": Part("d", d, ("D",))}, _settle(fixed))


def _settle(fixed: Mapping[str, Any]) -> Callable[[About, int], tuple[dict[str, Any], Spec]]:
    def settle(about: About, side: int) -> tuple[dict[str, Any], Spec]:
        del side  # the files have one
        if "g" not in about:
            raise UserError("a discriminator alone makes nothing; this recipe takes the file of a generator too.")
        g = dict(about["g"])
        if wrong := [name for name, value in fixed.items() if g.pop(name) != value]:
            raise UserError(f"these are networks of another recipe: {wrong[0]} is {about['g'][wrong[0]]}.")
        if not fixed and not g["embedding"]:
            raise UserError("this generator has a table of classes in each normalisation: --as sagan takes it.")
        same = agreed({part: {name: each[name] for name in _ALIKE} for part, each in about.items()})
        options = {ours: g[name] for name, ours in _OWN.items() if name in g}
        options |= {ours: about["d"][name] for name, ours in _JUDGES.items() if "d" in about}
        # Samples are made with the statistics of the file.
        options |= {"layout": "published", "standing": 0}
        names = tuple(str(number) for number in range(same["classes"]))
        return options, {"image": image(same["side"], same["side"], same["channels"]), "label": label(names)}

    return settle
