"""Files of the public PyTorch code of BigGAN, BigGAN-deep and SAGAN: `G.pth`, `G_ema.pth`, `D.pth`.

Its blocks are lists whose numbers are the names: `blocks.0.0.conv1.weight` is a convolution of the first block,
`blocks.0.1.gamma` the attention behind it. Names are facts of github.com/ajbrock/BigGAN-PyTorch (MIT). Bases have
4 x 4 pixels and lie channels first. A layer there divides by |W^T v| with v = W u / |W u| of the stored u, ours by
|W u|; so ours gets a u at which that is the same number.
"""

import itertools
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from jaxgan.weights.layouts.layout import Found, Layout, Names, Shapes, Take

_BASE = 4  # pixels of a side
_LAST = {3: 4, 4: 2, 5: 1, 6: 1}  # channels at the image's size, as a multiple of the width, by doublings
_COUNTERS = ("accumulation_counter", "num_batches_tracked")
_HALVINGS = 60  # of an interval, to a float64's last bits


class _Spectral(Names):
    """Collects spectrally normalised layers."""

    def layer(self, ours: str, theirs: str, *, bias: bool = True, base: bool = False) -> None:
        """A convolution or a linear map; `base`: to features of 4 x 4 pixels, which lie channels first."""
        weight, order = f"{theirs}.weight", channels_last if base else np.asarray
        self.takes[f"params/{ours}/kernel"] = Take(weight, lambda w: kernel(order(w)))
        self.takes[f"spectral/{ours}/u"] = Take(f"{theirs}.u0", lambda u, w: order(stored_u(u, w)), (weight,))
        self.unused.add(f"{theirs}.sv0")
        if bias:
            self.takes[f"params/{ours}/bias"] = Take(f"{theirs}.bias", order)

    def statistics(self, ours: str, theirs: str) -> None:
        """Running means and variances, which lie deeper in files of the code's own batch normalisation."""
        own = f"{theirs}.bn"
        inner = own if f"{own}.stored_mean" in self.shapes or f"{own}.running_mean" in self.shapes else theirs
        kind = "running" if f"{inner}.running_mean" in self.shapes else "stored"
        self.takes |= {f"batch_stats/{ours}/{leaf}": Take(f"{inner}.{kind}_{leaf}") for leaf in ("mean", "var")}
        self.unused |= {f"{inner}.{counter}" for counter in _COUNTERS}

    def conditioned(self, ours: str, theirs: str) -> None:
        """A normalisation by a condition: linear maps of it, or tables of classes."""
        if f"{theirs}.gain.u0" in self.shapes:
            for leaf in ("gain", "bias"):
                self.layer(f"{ours}/{leaf}", f"{theirs}.{leaf}", bias=False)
        else:
            for leaf, start in {"gain": 1, "bias": 0}.items():
                plus = partial(np.add, start)
                self.takes[f"params/{ours}/{leaf}/embedding"] = Take(f"{theirs}.{leaf}.weight", plus)
        self.statistics(f"{ours}/BatchNorm_0", theirs)

    def attention(self, ours: str, theirs: str) -> None:
        """Self-attention."""
        for name, their in {"query": "theta", "key": "phi", "value": "g", "out": "o"}.items():
            self.layer(f"{ours}/{name}", f"{theirs}.{their}", bias=False)
        self.takes[f"params/{ours}/gamma"] = Take(f"{theirs}.gamma")


def kernel(weight: np.ndarray) -> np.ndarray:
    """(out, in, h, w) as (h, w, in, out), (out, in) as (in, out)."""
    return weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight.T


def channels_last(x: np.ndarray) -> np.ndarray:
    """Rows (channel, pixel) of a base as (pixel, channel)."""
    pixels = _BASE * _BASE
    return x.reshape(-1, pixels, *x.shape[1:]).swapaxes(0, 1).reshape(x.shape)


def stored_u(u: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The unit vector, on the way from the file's u to the next one, at which |W u| is what the public code divides by.

    Args:
        u: [1, out], of any length.
        weight: [out, ...].
    """
    w = weight.reshape(len(weight), -1).astype(np.float64)
    start = _unit(u.reshape(-1).astype(np.float64))
    image = w @ _unit(start @ w)
    sigma, end = np.linalg.norm(image), _unit(image)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):  # |W u| rises along the way, from below sigma to above
        middle = (low + high) / 2
        at = _unit((1 - middle) * start + middle * end)
        low, high = (middle, high) if np.linalg.norm(at @ w) < sigma else (low, middle)
    return _unit((1 - high) * start + high * end)


def _unit(x: np.ndarray) -> np.ndarray:
    return x / max(float(np.linalg.norm(x)), 1e-30)


def _table_u(u: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """D's table of classes has them as outputs there, as inputs here: our u is v."""
    return _unit(u.reshape(-1).astype(np.float64) @ weight)


def generator(shapes: Shapes) -> Found | None:
    """BigGAN's and SAGAN's."""
    if not {"linear.weight", "output_layer.2.weight", "blocks.0.0.conv_sc.weight"} <= set(shapes):
        return None
    names, blocks = _Spectral(shapes), _count(shapes)
    first, embedding = shapes["linear.weight"][1], shapes.get("shared.weight", (0, 0))[1]
    condition = shapes.get("blocks.0.0.bn1.gain.weight", (0, 0))
    if blocks not in _LAST or (embedding and condition[1] != embedding + first):
        return None
    for block in range(blocks):
        _block(names, f"block{block}", f"blocks.{block}.0", 2)
        names.layer(f"block{block}/shortcut", f"blocks.{block}.0.conv_sc")
    attended = _attention(names, {f"attention{block}": f"blocks.{block}.1" for block in range(blocks)})
    about = {"z_dim": first * (blocks + 1) if embedding else first}
    about |= {"classes": shapes["shared.weight"][0] if embedding else condition[0], "embedding": embedding}
    return _ends(names, about, blocks, [_BASE * 2 ** (block + 1) for block in attended])


def deep_generator(shapes: Shapes) -> Found | None:
    """BigGAN-deep's, with two blocks of each size."""
    if not {"linear.weight", "shared.weight", "output_layer.2.weight", "blocks.0.0.conv4.weight"} <= set(shapes):
        return None
    names, stages = _Spectral(shapes), _count(shapes) // 2
    if stages not in _LAST or "blocks.0.0.bn1.gain.weight" not in shapes:
        return None
    for block in range(2 * stages):
        _block(names, f"block{block // 2}_{block % 2}", f"blocks.{block}.0", 4)
    attended = _attention(names, {f"attention{stage}": f"blocks.{2 * stage + 1}.1" for stage in range(stages)})
    (classes, embedding), given = shapes["shared.weight"], shapes["linear.weight"][1]
    about = {"z_dim": given - embedding, "classes": classes, "embedding": embedding, "depth": 2}
    return _ends(names, about, stages, [_BASE * 2 ** (stage + 1) for stage in attended])


def discriminator(shapes: Shapes) -> Found | None:
    """BigGAN's and SAGAN's."""
    if not {"linear.weight", "embed.weight", "blocks.0.0.conv_sc.weight"} <= set(shapes) or "shared.weight" in shapes:
        return None
    names, blocks = _Spectral(shapes), _count(shapes)
    doublings = 3 if shapes["blocks.0.0.conv1.weight"][0] == shapes["linear.weight"][1] else blocks - 1
    for block in range(blocks):
        for conv in (1, 2):
            names.layer(f"block{block}/conv{conv - 1}", f"blocks.{block}.0.conv{conv}")
        if f"blocks.{block}.0.conv_sc.weight" in shapes:
            names.layer(f"block{block}/shortcut", f"blocks.{block}.0.conv_sc")
    return _judging(names, doublings, {f"attention{block}": f"blocks.{block}.1" for block in range(blocks)})


def deep_discriminator(shapes: Shapes) -> Found | None:
    """BigGAN-deep's, with two blocks of each size."""
    if not {"input_conv.weight", "linear.weight", "embed.weight", "blocks.0.0.conv4.weight"} <= set(shapes):
        return None
    names, stages = _Spectral(shapes), _count(shapes)
    names.layer("first", "input_conv")
    for stage, index in itertools.product(range(stages), range(2)):  # a list a stage, other than in the generator
        ours, theirs = f"block{stage}_{index}", f"blocks.{stage}.{index}"
        for conv in range(1, 5):
            names.layer(f"{ours}/conv{conv - 1}", f"{theirs}.conv{conv}")
        if f"{theirs}.conv_sc.weight" in shapes:
            names.layer(f"{ours}/shortcut", f"{theirs}.conv_sc")
    return _judging(names, stages, {f"attention{stage}": f"blocks.{stage}.2" for stage in range(stages)})


def _count(shapes: Shapes) -> int:
    return len({name.split(".")[1] for name in shapes if name.startswith("blocks.")})


def _block(names: _Spectral, ours: str, theirs: str, convs: int) -> None:
    for index in range(convs):
        names.conditioned(f"{ours}/norm{index}", f"{theirs}.bn{index + 1}")
        names.layer(f"{ours}/conv{index}", f"{theirs}.conv{index + 1}")


def _attention(names: _Spectral, places: Mapping[str, str]) -> list[int]:
    """Numbers of the places that have attention, which is collected."""
    there = [(index, *place) for index, place in enumerate(places.items()) if f"{place[1]}.gamma" in names.shapes]
    for _, ours, theirs in there:
        names.attention(ours, theirs)
    return [index for index, *_ in there]


def _ends(names: _Spectral, about: dict[str, Any], doublings: int, attended: list[int]) -> Found:
    """G's first and last layers, and what it is like."""
    names.layer("first", "linear", base=True)
    names.layer("last", "output_layer.2")
    names.takes |= {f"params/norm/{ours}": Take(f"output_layer.0.{leaf}") for ours, leaf in _SCALE.items()}
    names.statistics("norm", "output_layer.0")
    if about["embedding"]:
        names.takes["params/shared/embedding"] = Take("shared.weight")
    channels, features = names.shapes["output_layer.2.weight"][:2]
    about |= {"width": features // _LAST[doublings], "side": _BASE * 2**doublings, "channels": channels}
    return names.found({**about, "attention": tuple(attended) or (0,)})


def _judging(names: _Spectral, doublings: int, places: Mapping[str, str]) -> Found | None:
    """D's last layers, and what it is like."""
    if doublings not in _LAST:
        return None
    side, halvings = _BASE * 2**doublings, 2 if doublings == 3 else doublings
    attended = tuple(dict.fromkeys(side // 2 ** min(place + 1, halvings) for place in _attention(names, places)))
    names.layer("head/psi", "linear")
    names.takes["params/head/classes/embedding"] = Take("embed.weight")
    names.takes["spectral/head/classes/u"] = Take("embed.u0", _table_u, ("embed.weight",))
    names.unused.add("embed.sv0")
    first = next(name for name in ("input_conv.weight", "blocks.0.0.conv1.weight") if name in names.shapes)
    features, channels = names.shapes[first][:2]
    about: dict[str, Any] = {"width": features // (4 if doublings == 3 else 1), "side": side, "channels": channels}
    return names.found({**about, "classes": names.shapes["embed.weight"][0], "attention": attended or (0,)})


_SCALE = {"scale": "gain", "bias": "bias"}
BIGGAN = (Layout("a generator of BigGAN or SAGAN", generator),)
DEEP = (Layout("a generator of BigGAN-deep", deep_generator),)
BIGGAN_D = (Layout("a discriminator of BigGAN or SAGAN", discriminator),)
DEEP_D = (Layout("a discriminator of BigGAN-deep", deep_discriminator),)
