"""Fixed networks whose features say how alike two pictures look: losses of translators, and a distance.

Features before the activation, as ESRGAN takes them (Wang et al. 2018, arXiv:1809.00219, section 3.3). The distance has
the form of LPIPS (Zhang et al. 2018, arXiv:1801.03924, equation 1) with all its weights 1: it is no LPIPS, whose
networks and weights are others, and numbers of two networks are not comparable.
"""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jaxtyping import Array, Float

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv
from jaxgan.metrics.seen_by import vgg
from jaxgan.metrics.seen_by.classifier import Classifier
from jaxgan.metrics.seen_by.fashion_cnn import CLASSES, SIDE, WEIGHTS, unpack
from jaxgan.paths import typed

Compare: TypeAlias = Callable[[Array, Array], Array]
"""`(map, another) -> how they differ`, a number; maps `[b, h, w, c]` are before activation."""
Layers: TypeAlias = Literal["all", "last"]
Maps: TypeAlias = list[Float[Array, "b _ _ _"]]
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, white staying white
_WIDTHS = (16, 32, 64)  # channels of the random network's layers
_NEAR_ZERO = 1e-10


class Perceptual(NamedTuple):
    """A network that looks at pictures.

    Attributes:
        name: what it is called.
        digest: SHA-256 of its weights, in hex.
        maps: pure `(params, pictures [b, h, w, 1 or 3] in [-1, 1]) -> feature maps before activation`, of any size.
        params: a pytree of arrays.
        weights: of the maps in a loss; () for equal ones that sum to 1.
    """

    name: str
    digest: str
    maps: Callable[[Any, Any], Maps]
    params: Any
    weights: tuple[float, ...] = ()


def named(name: str) -> Perceptual:
    """The network of this name, or of a file of weights.

    Args:
        name: "fashion-cnn" for the convolutions of the bundled classifier of clothes, which see luminance; they have
            seen no photograph, but edges and textures. "random" for three layers of fixed random weights, which see
            colours. Or the path of a file with torchvision's VGG19 (`vgg.load`).

    Raises:
        UserError: no such network and no such file, or a file that `vgg.load` refuses.
    """
    makers = {"fashion-cnn": fashion_cnn, "random": random_features}
    if name in makers:
        return makers[name]()
    if typed(name).is_file():
        return of_file(typed(name))
    raise UserError(
        f"--features takes {', '.join(makers)} or the file of torchvision's VGG19 (vgg19-dcbb9e9d.pth), got {name}."
    )


def of_file(path: Path) -> Perceptual:
    """VGG19 of a file: five maps, at the full size and down to a sixteenth."""
    digest, network, params = vgg.load(path)
    maps: Any = network.apply
    return Perceptual("vgg19", digest, maps, params, vgg.WEIGHTS)


def difference(
    network: Perceptual, params: Any, compare: Compare, pair: tuple[Array, Array], layers: Layers
) -> Float[Array, ""]:
    """A perceptual loss: the weighted sum over feature maps of how they differ.

    Args:
        network: what looks.
        params: its parameters.
        compare: two maps `[b, h, w, c]` before activation to one number.
        pair: pictures `[b, h, w, c]` in [-1, 1], those made and the truth.
        layers: all maps; or the last alone, with weight 1, as in the papers on SRGAN and ESRGAN.
    """
    found = [compare(a, b) for a, b in zip(*(network.maps(params, x) for x in pair), strict=True)]
    if layers == "last":
        return found[-1]
    weights = network.weights or (1 / len(found),) * len(found)
    return sum((weight * each for weight, each in zip(weights, found, strict=True)), jnp.zeros(()))


@functools.cache
def fashion_cnn() -> Perceptual:
    """The convolutions of `seen_by.fashion_cnn`: five maps, at the full size, a half and a quarter."""
    content = WEIGHTS.read_bytes()
    return Perceptual("fashion-cnn", hashlib.sha256(content).hexdigest(), _classifier_maps, unpack(content))


def _classifier_maps(params: Any, x: Array) -> Maps:
    seen: Any = Classifier(CLASSES, seen_as=SIDE).apply(
        params, luminance(x), train=False, capture_intermediates=_is_norm, mutable=["intermediates"]
    )
    found = seen[1]["intermediates"]
    *kept, _ = sorted(found, key=lambda layer: int(layer.rpartition("_")[2]))  # the last one looks at single pixels
    return [found[layer]["__call__"][0] for layer in kept]


def _is_norm(module: nn.Module, _: str) -> bool:
    return isinstance(module, nn.BatchNorm)


class _Random(nn.Module):
    @nn.compact
    def __call__(self, x: Float[Array, "b h w 3"]) -> Maps:
        maps = []
        for level, width in enumerate(_WIDTHS):
            x = Conv(width, (3, 3), 2 if level else 1, 1, use_bias=False, name=f"conv{level}")(x)
            maps.append(x)
            x = nn.relu(x)
        return maps


@functools.cache
def random_features() -> Perceptual:
    """Three layers of He's random weights, drawn once and for all: maps at the full size, a half and a quarter."""
    rng = np.random.Generator(np.random.Philox(key=2018))
    params, digest = {}, hashlib.sha256()
    for level, (channels, width) in enumerate(zip((3, *_WIDTHS), _WIDTHS, strict=False)):
        deviation = np.sqrt(2 / (9 * channels))
        kernel = np.float32(deviation * rng.standard_normal((3, 3, channels, width)))
        params[f"conv{level}"] = {"kernel": kernel}
        digest.update(kernel.tobytes())
    return Perceptual("random", digest.hexdigest(), _random_maps, {"params": params})


def _random_maps(params: Any, x: Array) -> Maps:
    coloured = jnp.broadcast_to(x, (*x.shape[:3], 3)) if x.shape[-1] == 1 else x
    maps: Any = _Random().apply(params, coloured)
    return maps


def luminance(x: Float[Array, "b h w c"]) -> Float[Array, "b h w 1"]:
    """Grey of pictures with one channel or three; UserError for other numbers."""
    if x.shape[-1] == 1:
        return x
    if x.shape[-1] != 3:
        raise UserError(f"perceptual distances are of pictures with 1 or 3 channels, got {x.shape[-1]}.")
    return jnp.sum(x * jnp.asarray(LUMA, x.dtype), axis=-1, keepdims=True)


def distance(network: Perceptual, real: Float[Array, "b h w c"], fake: Float[Array, "_ _ _ _"]) -> Float[Array, " b"]:
    """How differently two pictures look to the network: 0 for equal ones, lower is better.

    Feature vectors, after activation, are brought to length 1 at each place; their squared differences are averaged
    over places and summed over maps.

    Args:
        network: what looks.
        real: pictures in [-1, 1].
        fake: those that they are compared with.

    Raises:
        UserError: shapes that differ.
    """
    if real.shape != fake.shape:
        raise UserError(f"pictures are compared one to one, got shapes {list(real.shape)} and {list(fake.shape)}.")
    pairs = zip(*(network.maps(network.params, jnp.asarray(x)) for x in (real, fake)), strict=True)
    return sum((turned(*pair).mean((1, 2)) for pair in pairs), jnp.zeros(len(real)))


def turned(a: Float[Array, "b h w c"], b: Float[Array, "b h w c"]) -> Float[Array, "b h w"]:
    """How far the directions of two maps' feature vectors, after activation, lie apart at each place, squared."""
    return jnp.square(_unit(a) - _unit(b)).sum(-1)


def _unit(features: Array) -> Array:
    active = nn.relu(features)
    return active / jnp.sqrt(jnp.square(active).sum(-1, keepdims=True) + _NEAR_ZERO)
