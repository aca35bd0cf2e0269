"""torchvision's VGG19, `vgg19-dcbb9e9d.pth`: the convolutions of Simonyan and Zisserman 2014 (arXiv:1409.1556, E).

Its modules are a sequence of convolutions, activations and poolings whose numbers are the names; the dense layers
behind them are not used.
"""

from collections.abc import Mapping
from typing import Any

from jaxgan.weights.layouts.layout import Found, Layout, Names, Shapes

DEPTHS = (2, 2, 4, 4, 4)
"""Convolutions between poolings."""


def places() -> Mapping[str, int]:
    """Number in the sequence of each convolution, `conv1_1` to `conv5_4`: activations and poolings count too."""
    found, number = {}, 0
    for block, depth in enumerate(DEPTHS, 1):
        for layer in range(1, depth + 1):
            found[f"conv{block}_{layer}"] = number
            number += 2
        number += 1
    return found


def vgg19(shapes: Shapes) -> Found | None:
    """The sixteen convolutions; a file of another VGG has other numbers."""
    kernels = {name: shapes.get(f"features.{number}.weight", ()) for name, number in places().items()}
    first = kernels["conv1_1"]
    if any(len(shape) != 4 for shape in kernels.values()) or first[1] != 3:
        return None
    names = Names(shapes)
    for name, number in places().items():
        names.conv(name, f"features.{number}")
    names.unused |= {name for name in shapes if name.startswith("classifier.")}
    about: dict[str, Any] = {"widths": tuple(kernels[f"conv{block}_1"][0] for block in range(1, len(DEPTHS) + 1))}
    return names.found(about)


VGG19 = Layout("torchvision's VGG19", vgg19)
