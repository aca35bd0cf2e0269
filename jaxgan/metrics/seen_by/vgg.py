"""Features of VGG19 before activation, of a file of torchvision's weights: what papers on super-resolution compare.

The network: Simonyan and Zisserman 2014, arXiv:1409.1556. The five layers and their weights in a loss: Real-ESRGAN,
Wang et al. 2021, arXiv:2107.10833, section 4.1; the last one alone is ESRGAN's (arXiv:1809.00219, section 3.3).
"""

import functools
import hashlib
import re
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv
from jaxgan.weights.layouts.layout import arrays, plain
from jaxgan.weights.layouts.vgg import DEPTHS, VGG19
from jaxgan.weights.pth import read_pth

WEIGHTS = (0.1, 0.1, 1.0, 1.0, 1.0)
"""Of conv1_2, conv2_2, conv3_4, conv4_4 and conv5_4 in Real-ESRGAN's loss."""
_MEAN = (0.485, 0.456, 0.406)  # of ImageNet's colours, black 0 and white 1, to which torchvision's weights are fitted
_DEVIATION = (0.229, 0.224, 0.225)
_LEAST = 2 ** (len(DEPTHS) - 1)  # pixels a side of which one is left
_NAMED = re.compile(r"-([0-9a-f]{8,64})\.pth$")  # PyTorch's own files end in the beginning of their SHA-256


class Vgg19(nn.Module):
    """The convolutions, five groups between poolings.

    Attributes:
        widths: channels of the groups; the published network has 64, 128, 256, 512 and 512.
    """

    widths: tuple[int, ...] = (64, 128, 256, 512, 512)

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> list[Float[Array, "b _ _ _"]]:
        """What the last convolution of each group makes, before activation.

        Args:
            x: pictures with 1 or 3 channels in [-1, 1].

        Raises:
            UserError: pictures of which nothing is left, or of other channels.
        """
        if min(x.shape[1:3]) < _LEAST or x.shape[-1] not in (1, 3):
            raise UserError(
                f"VGG19 sees pictures of at least {_LEAST} pixels a side and of 1 or 3 channels, "
                f"got {x.shape[1]}x{x.shape[2]} and {x.shape[-1]}."
            )
        h, maps = ((x + 1) / 2 - jnp.asarray(_MEAN)) / jnp.asarray(_DEVIATION), []
        for block, (depth, width) in enumerate(zip(DEPTHS, self.widths, strict=True), 1):
            h = nn.max_pool(nn.relu(h), (2, 2), (2, 2)) if maps else h
            for layer in range(1, depth + 1):
                h = nn.relu(h) if layer > 1 else h
                h = Conv(width, (3, 3), padding=1, name=f"conv{block}_{layer}")(h)
            maps.append(h)
        return maps


def load(path: Path) -> tuple[str, Vgg19, dict[str, Any]]:
    """SHA-256 of a file, the network that it is of, and its parameters.

    Args:
        path: of a state dictionary of torchvision's `vgg19`. Nothing in it is executed. Where its name ends as PyTorch
            names files, in the beginning of their hash, the content must have that hash.

    Raises:
        UserError: a file that cannot be read, is damaged, or is of another network.
    """
    try:
        stat = path.stat()
        return _load(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error


@functools.lru_cache(maxsize=1)  # half a gigabyte, which a run asks for several times
def _load(path: Path, changed: int, size: int) -> tuple[str, Vgg19, dict[str, Any]]:
    del changed, size  # keys alone
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    said = _NAMED.search(path.name)
    if said and not digest.startswith(said[1]):
        raise UserError(
            f"{path} is damaged: its SHA-256 begins with {digest[: len(said[1])]}, its name says {said[1]}."
        )
    state = plain(read_pth(content, str(path)))
    found = VGG19.find({name: array.shape for name, array in state.items()})
    if found is None:
        raise UserError(f"{path} is not {VGG19.name}: it begins with {', '.join(list(state)[:5]) or 'nothing'}.")
    params: dict[str, dict[str, np.ndarray]] = {}
    for name, array in arrays(found, state, str(path)).items():
        _, layer, leaf = name.split("/")
        params.setdefault(layer, {})[leaf] = array
    return digest, Vgg19(found.about["widths"]), {"params": params}
