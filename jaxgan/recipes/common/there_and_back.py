"""Two translators between two domains: what they do for users, and which published files fill them."""

from collections.abc import Mapping
from typing import Any

from flax import linen as nn
from jaxtyping import Array, Key

from jaxgan.errors import UserError
from jaxgan.fields import Spec, any_size, image
from jaxgan.game import GameState, Verb
from jaxgan.recipes.common.imports import About, Imports, Part, agreed, patch_options, translator_options
from jaxgan.recipes.common.several import own
from jaxgan.weights.layouts.translation import DISCRIMINATORS, TRANSLATORS

DOMAINS = ("a", "b")
WAYS = {"a2b": ("a", "b"), "b2a": ("b", "a")}
"""Translators: the domain that each takes, and the one that it makes."""
BACK = {"a2b": "b2a", "b2a": "a2b"}
ROUND_TRIPS = {"a2b2a": "a2b", "b2a2b": "b2a"}
"""Verbs that lead there and back, and the way there."""


def verbs_between(G: Mapping[str, nn.Module], spec: Spec, player: str = "g") -> dict[str, Verb]:
    """`a2b`, `b2a`, and `a2b2a`, `b2a2b`, whose right end is the picture that they begin with.

    Args:
        G: translators by way; pictures of any size.
        spec: the fields `a` and `b`.
        player: whose networks they are, by name; its averaged weights are used where it keeps any.
    """
    free = {name: any_size(spec[name]) for name in DOMAINS}

    def used(state: GameState, way: str, x: Array) -> Any:
        return G[way].apply(own(state.players[player].variables(averaged=True), way), x, train=False)

    def there(way: str) -> Verb:
        source, target = WAYS[way]

        def run(state: GameState, given: dict[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
            return {target: used(state, way, given[source])}

        return Verb(run, {target: free[target]}, {source: free[source]})

    def and_back(way: str) -> Verb:
        source, target = WAYS[way]

        def run(state: GameState, given: dict[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
            made = used(state, way, given[source])
            return {target: made, source: used(state, BACK[way], made)}

        return Verb(run, {target: free[target], source: free[source]}, {source: free[source]}, truth=(source,))

    return {way: there(way) for way in WAYS} | {name: and_back(way) for name, way in ROUND_TRIPS.items()}


def _settled(about: About, side: int) -> tuple[dict[str, Any], Spec]:
    """Options and fields of networks from files."""
    ways = {name: about[name] for name in WAYS if name in about}
    if not ways:
        raise UserError("discriminators alone translate nothing; this recipe takes the file of a translator too.")
    options = {name: translator_options(each) for name, each in ways.items()}
    options |= {name: patch_options(each) for name, each in about.items() if name not in WAYS}
    ends = {way: dict(zip(WAYS[way], (each["takes"], each["makes"]), strict=True)) for way, each in ways.items()}
    ends |= {name: {name[-1]: each["takes"]} for name, each in about.items() if name not in WAYS}
    channels = agreed(ends)
    same = {} if channels["a"] == channels["b"] else {"identity_weight": 0.0}
    return agreed(options) | same, {name: image(side, side, channels[name]) for name in DOMAINS}


PUBLISHED = Imports(
    {
        "a2b": Part("g", TRANSLATORS, ("G_A", "G"), "a2b"),
        "b2a": Part("g", TRANSLATORS, ("G_B",), "b2a"),
        "d_b": Part("d", DISCRIMINATORS, ("D_A",), "b"),  # in the public code a discriminator has its fakes' letter
        "d_a": Part("d", DISCRIMINATORS, ("D_B",), "a"),
    },
    _settled,
)
"""Files of the public code of CycleGAN."""
