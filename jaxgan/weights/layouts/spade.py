"""Files of the public code of SPADE, `{epoch}_net_{G|D|E}.pth`: a generator, discriminators, an encoder.

Names are facts of published files (Park et al. 2019, arXiv:1903.07291); `weights.spade` makes variables of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from jaxgan.weights.layouts.layout import Found, Layout, Shapes, Take
from jaxgan.weights.spade import UNUSED, Network, place, spade_variables

_SMALLEST = 32  # times as many pixels has the picture as the features that a generator begins with
_DEEPEST = 16  # times as many channels have those


def generator(shapes: Shapes) -> Found | None:
    """The generator, with or without a style at its beginning."""
    last, shared, first = (
        shapes.get(f"{name}.weight", ()) for name in ("conv_img", "head_0.norm_0.mlp_shared.0", "fc")
    )
    if not len(last) == len(shared) == 4 or len(first) not in (2, 4):
        return None
    width = last[1]
    about: dict[str, Any] = {"width": width, "hidden": shared[0], "labels": shared[1], "makes": last[0]}
    if len(first) == 2:
        about |= {"z": first[1], "side": _SMALLEST * round((first[0] / (_DEEPEST * width)) ** 0.5)}
    names = [*_layer("fc"), *_layer("conv_img")]
    for block in ("head_0", "G_middle_0", "G_middle_1"):
        names += _block(block, learned=False)
    for block in range(4):
        names += _block(f"up_{block}", learned=True)
    return _found(about, names, "generator")


def discriminator(shapes: Shapes) -> Found | None:
    """Two discriminators of patches, at full and at half the size."""
    first = shapes.get("discriminator_0.model0.0.weight")
    if first is None or len(first) != 4:
        return None
    hidden = [name for name in shapes if name.startswith("discriminator_0.") and name.endswith(".weight_orig")]
    names: list[str] = []
    for scale in range(2):
        own = f"discriminator_{scale}"
        names += _layer(f"{own}.model0.0")
        names += [name for i in range(len(hidden)) for name in _spectral(f"{own}.model{i + 1}.0.0", bias=False)]
        names += _layer(f"{own}.model{len(hidden) + 1}.0")
    about = {"width": first[0], "layers": len(hidden) + 1, "takes": first[1]}
    return _found(about, names, "discriminator")


def encoder(shapes: Shapes) -> Found | None:
    """The encoder of pictures to styles."""
    first, mean = shapes.get("layer1.0.weight_orig"), shapes.get("fc_mu.weight")
    if first is None or mean is None or len(first) != 4 or len(mean) != 2:
        return None
    layers = len([name for name in shapes if name.endswith(".weight_orig")])
    names = [name for i in range(layers) for name in _spectral(f"layer{i + 1}.0", bias=False)]
    about = {"width": first[0], "z": mean[0], "side": 4 * 2**layers, "takes": first[1]}
    return _found(about, [*names, *_layer("fc_mu"), *_layer("fc_var")], "encoder")


def _layer(name: str) -> Sequence[str]:
    return (f"{name}.weight", f"{name}.bias")


def _spectral(name: str, *, bias: bool) -> Sequence[str]:
    return (f"{name}.weight_orig", f"{name}.weight_u", *([f"{name}.bias"] if bias else []))


def _block(name: str, *, learned: bool) -> Iterator[str]:
    """Of a block, whose shortcut is learned where it changes the channels."""
    for part in ("0", "1", *(["s"] if learned else [])):
        yield from _spectral(f"{name}.conv_{part}", bias=part != "s")
        own = f"{name}.norm_{part}"
        yield from (f"{own}.param_free_norm.{leaf}" for leaf in ("running_mean", "running_var"))
        for layer in ("mlp_shared.0", "mlp_gamma", "mlp_beta"):
            yield from _layer(f"{own}.{layer}")


def _found(about: Mapping[str, Any], names: Sequence[str], network: Network) -> Found:
    takes = {}
    for name in names:
        collection, path = place(name, network)
        takes["/".join([collection, *path])] = Take(name)
        if path[-2] == "gamma":  # with beta one layer of ours, which is called by the name of gamma's
            takes["/".join([collection, *path[:-2], "gamma_beta", path[-1]])] = Take(name)
    unused = {f"{name.rpartition('.')[0]}.{leaf}" for name in names for leaf in UNUSED}
    return Found(about, takes, frozenset(unused), partial(_made, network))


def _made(network: Network, state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    leaves = jax.tree_util.tree_flatten_with_path(spade_variables(state, network))[0]
    return {jax.tree_util.keystr(path, simple=True, separator="/"): x for path, x in leaves}


GENERATORS = (Layout("a generator of SPADE", generator),)
DISCRIMINATORS = (Layout("the discriminators of SPADE", discriminator),)
ENCODERS = (Layout("an encoder of SPADE", encoder),)
