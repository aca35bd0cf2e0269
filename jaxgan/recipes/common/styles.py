"""How a generator with a style for each layer is played, regularised and shown."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from jaxgan.fields import Field, Spec, only
from jaxgan.game import Aux, GameState, LossFn, Show, Verb, normal, variables
from jaxgan.losses.penalties import path_length
from jaxgan.nets.stylegan2 import AVERAGE, StyleGAN2Generator, styles_of

LENGTH = "path_length"
"""Entry of `GameState.extras`: the moving mean of the lengths."""
PSI = (-1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
"""Truncations of a strip, from the opposite of a picture over the mean one to beyond it."""
SHOWS = (Show("sample"), Show("mix"), Show("truncate"))


class Styles(NamedTuple):
    """A generator of styles in a game.

    Attributes:
        G: the generator.
        z_dim: length of a latent vector.
        mixing: share of images that have two latent vectors.
        conditional: it takes the label of each image.
        remat: keep nothing of the synthesis but what went in.
    """

    G: StyleGAN2Generator
    z_dim: int
    mixing: float
    conditional: bool
    remat: bool

    def play(self, params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[Array, Aux]:
        """Fakes of new latent vectors, with new noise; the mean of w moves."""
        of_styles, of_noise = _split(rng)
        ws, average = self.drawn(params, vars, batch, of_styles)
        return self.made(params, vars, ws, of_noise), Aux(vars={"g": average})

    def drawn(self, params: Any, vars: Any, batch: Any, rng: Key[Array, " b"]) -> tuple[Float[Array, "b n d"], Any]:
        """A style for each layer of each image, and the mean of w after it.

        An image with two latent vectors changes to the second at one of the layers after the first, all as likely; each
        image at one of its own, where the authors' code has one for the batch.
        """
        g, label = variables(params, vars, "g"), {"label": batch["label"]} if self.conditional else {}
        first, second, of_mixing = _split(rng, 3)
        mapped = partial(self.G.apply, g, **label, train=True, mutable=[AVERAGE], method="styles")
        w, average = mapped(normal(first, (self.z_dim,)))
        n = styles_of(self.G.image_shape)
        if not self.mixing:
            return jnp.repeat(w[:, None], n, axis=1), average
        other, _ = mapped(normal(second, (self.z_dim,)))
        return jnp.where(_change(of_mixing, self.mixing, n)[..., None], other[:, None], w[:, None]), average

    def made(self, params: Any, vars: Any, ws: Float[Array, "b n d"], rng: Key[Array, " b"]) -> Float[Array, "b h w c"]:
        """Images of styles, with random noise."""
        make = partial(self.G.apply, mode="random", method="make")
        make = jax.checkpoint(make) if self.remat else make
        return jnp.asarray(make(variables(params, vars, "g"), ws, rng=rng))

    def path_loss(self, weight: float) -> LossFn:
        """The weighted path lengths of every second image, and the moving mean of lengths."""

        def loss(params: Any, vars: Any, outcome: Any, batch: Any, rng: Array) -> tuple[Array, Aux]:
            of_styles, of_noise, of_y = _split(rng[::2], 3)
            half = jax.tree.map(lambda x: x[::2], batch)
            ws, _ = self.drawn(params, vars, half, of_styles)
            make = partial(self.made, params, vars, rng=of_noise)
            spread, mean = path_length(make, ws, of_y, vars["extras"][LENGTH])
            return weight * spread.mean(), Aux({"path/length": mean}, extras={LENGTH: mean})

        return loss

    @staticmethod
    def first_extras() -> dict[str, Array]:
        """Of `GameState.extras`, what `path_loss` keeps."""
        return {LENGTH: jnp.float32(0)}


def style_verbs(styles: Styles, spec: Spec) -> dict[str, Verb]:
    """Strips of pictures: the styles of one image from layer to layer exchanged for another's; and truncation.

    `mix` makes a strip from one picture to another, of which each takes one level more of the styles of the latter, the
    coarsest last: the first has all of its own styles, the last none. `truncate` makes one latent vector's
    pictures at `PSI`.
    """
    G, given = styles.G, only(spec, "label") if styles.conditional else {}
    height, width, channels = spec["image"].fixed
    levels = styles_of(G.image_shape) // 2

    def strip(state: GameState, ws: Float[Array, "b k n d"]) -> Float[Array, "b h wide c"]:
        b, k, *rest = ws.shape
        g = state.players["g"].variables(averaged=True)
        x = G.apply(g, ws.reshape(b * k, *rest), clip=True, method="make")
        x = jnp.asarray(x).reshape(b, k, height, width, channels)
        return x.transpose(0, 2, 1, 3, 4).reshape(b, height, k * width, channels)

    def mapped(state: GameState, given: Mapping[str, Array], keys: Array, method: str = "styles") -> Array:
        g = state.players["g"].variables(averaged=True)
        return jnp.asarray(G.apply(g, normal(keys, (styles.z_dim,)), method=method, **dict[str, Any](given)))

    def mix(state: GameState, given: Mapping[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        a, b = (mapped(state, given, each)[:, None, None] for each in _split(keys))
        # Picture j has the styles of b in its finest j levels.
        fine = np.arange(2 * levels) >= 2 * (levels - np.arange(levels + 1))[:, None]
        return {"mixed": strip(state, jnp.where(fine[None, :, :, None], b, a))}

    def truncate(state: GameState, given: Mapping[str, Array], keys: Key[Array, " n"]) -> dict[str, Array]:
        g, w = state.players["g"].variables(averaged=True), mapped(state, given, keys)
        nearer = [jnp.asarray(G.apply(g, w, psi, method="nearer")) for psi in PSI]
        ws = jnp.repeat(jnp.stack(nearer, 1)[:, :, None], 2 * levels, axis=2)
        return {"truncated": strip(state, ws)}

    def verb(run: Any, name: str, pictures: int) -> Verb:
        return Verb(run, {name: Field("image", (height, pictures * width, channels))}, given)

    return {"mix": verb(mix, "mixed", levels + 1), "truncate": verb(truncate, "truncated", len(PSI))}


def _change(rng: Key[Array, " b"], share: float, n: int) -> Array:
    """Whether each layer of each image has the second latent vector's styles, `[b, n]`."""

    def one(key: Array) -> Array:
        which, where = jax.random.split(key)
        at = jax.random.randint(where, (), 1, n)
        return (jnp.arange(n) >= at) & jax.random.bernoulli(which, share)

    return jax.vmap(one)(rng)


def _split(rng: Key[Array, " b"], parts: int = 2) -> Key[Array, "parts b"]:
    return jax.vmap(lambda key: jax.random.split(key, parts), out_axes=1)(rng)
