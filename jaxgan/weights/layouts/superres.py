"""Files of super-resolution: the residual-in-residual dense network under the three names that its layers have had.

BasicSR and Real-ESRGAN keep `params` and `params_ema` in a dictionary; ESRGAN's own files are bare, with older names,
and its first ones have numbers for names. Names are facts of github.com/xinntao/BasicSR, github.com/xinntao/ESRGAN
(Apache-2.0) and of the converter there.
"""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from jaxgan.weights.layouts.layout import Found, Layout, Names, Shapes


class Form(NamedTuple):
    """How a form names layers.

    Attributes:
        layers: our name to its.
        dense: of a convolution in a dense block, with the numbers of all three, the last two from 1.
        trunk: of the convolution behind the blocks, with their number.
    """

    layers: Mapping[str, str]
    dense: str
    trunk: str


BASICSR = Form(
    {"first": "conv_first", "up0": "conv_up1", "up1": "conv_up2", "hr": "conv_hr", "last": "conv_last"},
    "body.{0}.rdb{1}.conv{2}",
    "conv_body",
)
ESRGAN = Form(
    {"first": "conv_first", "up0": "upconv1", "up1": "upconv2", "hr": "HRconv", "last": "conv_last"},
    "RRDB_trunk.{0}.RDB{1}.conv{2}",
    "trunk_conv",
)
OLDEST = Form(
    {"first": "model.0", "up0": "model.3", "up1": "model.6", "hr": "model.8", "last": "model.10"},
    "model.1.sub.{0}.RDB{1}.conv{2}.0",
    "model.1.sub.{0}",
)


def rrdb(shapes: Shapes, form: Form) -> Found | None:
    """The network by its first dense convolution; its factor by how many pixels its first layer takes at once."""
    first, dense = shapes.get(f"{form.layers['first']}.weight"), shapes.get(f"{form.dense.format(0, 1, 1)}.weight")
    last = shapes.get(f"{form.layers['last']}.weight")
    if first is None or dense is None or last is None or not len(first) == len(dense) == len(last) == 4:
        return None
    fold = {channels * last[0]: side for channels, side in {1: 1, 4: 2, 16: 4}.items()}.get(first[1])
    if fold is None:
        return None
    blocks = 0
    while f"{form.dense.format(blocks, 1, 1)}.weight" in shapes:
        blocks += 1
    names = Names(shapes)
    for ours, theirs in {**form.layers, "trunk": form.trunk.format(blocks)}.items():
        names.conv(ours, theirs)
    for block in range(blocks):
        for dense_block in range(3):
            for layer in range(5):
                theirs = form.dense.format(block, dense_block + 1, layer + 1)
                names.conv(f"block{block}_dense{dense_block}_conv{layer}", theirs)
    sizes = {"scale": 4 // fold, "width": first[0], "blocks": blocks, "growth": dense[0]}
    return names.found({**sizes, "takes": last[0], "makes": last[0]})


ENLARGERS = (
    Layout("a residual-in-residual dense network of BasicSR", partial(rrdb, form=BASICSR)),
    Layout("one of ESRGAN", partial(rrdb, form=ESRGAN)),
    Layout("one of the first ESRGAN", partial(rrdb, form=OLDEST)),
)
