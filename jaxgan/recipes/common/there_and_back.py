"""What two translators between two domains do for users: each way, and each way there and back."""

from collections.abc import Mapping

from flax import linen as nn
from jaxtyping import Array, Key

from jaxgan.fields import Spec, any_size
from jaxgan.game import GameState, Verb
from jaxgan.recipes.common.several import own

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

    def used(state: GameState, way: str, x: Array) -> Array:
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
