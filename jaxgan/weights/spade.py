"""Variables of SPADE's networks from tensors by the names that PyTorch's implementation gives them.

Names and shapes are facts of published checkpoints (Park et al. 2019, arXiv:1903.07291); tensors of a whole network
are taken, in any order. Kernels become channels-last, dense layers that meet a flattened picture have its channels
moved from first to last, and gains and biases of the map, two layers there, are one here.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import numpy as np

from jaxgan.errors import UserError

Tensors: TypeAlias = Mapping[str, np.ndarray]
Network: TypeAlias = Literal["generator", "discriminator", "encoder"]
Leaves: TypeAlias = dict[tuple[str, ...], np.ndarray]
_SETTLED = 100  # power iterations, after which a published u and one that is found from it alone differ by 1e-7
_UNUSED = ("weight_v", "num_batches_tracked")
_LAYERS: dict[Network, dict[str, str]] = {
    "generator": {
        r"fc": "first",
        r"conv_img": "last",
        r"(head_\d|up_\d)\.(conv_[01s])": r"\1/\2",
        r"G_(middle_\d)\.(conv_[01s])": r"\1/\2",
        r"(?:G_)?(\w+_\d)\.(norm_[01s])\.param_free_norm": r"\1/\2/free",
        r"(?:G_)?(\w+_\d)\.(norm_[01s])\.mlp_shared\.0": r"\1/\2/shared",
        r"(?:G_)?(\w+_\d)\.(norm_[01s])\.mlp_(gamma|beta)": r"\1/\2/\3",
    },
    "discriminator": {
        r"discriminator_(\d)\.model0\.0": r"scale\1/conv0",
        r"discriminator_(\d)\.model(\d)\.0\.0": r"scale\1/conv\2",
        r"discriminator_(\d)\.model\d\.0": r"scale\1/last",
    },
    "encoder": {r"layer(\d)\.0": r"conv\1", r"fc_mu": "mean", r"fc_var": "log_variance"},
}
"""Names of layers there, and here, where slashes part the levels of the tree."""


def spade_variables(tensors: Tensors, network: Network) -> dict[str, Any]:
    """Variables for `SpadeGenerator`, `SpadeDiscriminator` or `StyleEncoder`.

    Args:
        tensors: of the whole network by name.
        network: which one.

    Returns:
        {"params": ..., "spectral": ..., "batch_stats": ...}, those that the network has, float32.

    Raises:
        UserError: a name that no layer of the network has.
    """
    leaves: dict[str, Leaves] = {}
    for name, tensor in tensors.items():
        layer, _, leaf = name.rpartition(".")
        if leaf not in _UNUSED:
            collection, ours = _KINDS.get(leaf, ("params", leaf))
            path = (*_layer(layer, name, network), ours)
            leaves.setdefault(collection, {})[path] = np.asarray(tensor, np.float32)
    params = _joined(leaves.get("params", {}))
    kernels = {path: _kernel(x, _side(path, params)) if path[-1] == "kernel" else x for path, x in params.items()}
    first = kernels.get(("first", "bias"))
    if network == "generator" and first is not None and kernels[("first", "kernel")].ndim == 2:
        kernels |= _first_dense(params[("first", "kernel")], first, kernels)
    spectral = {path: _settled(kernels[(*path[:-1], "kernel")], u) for path, u in leaves.get("spectral", {}).items()}
    found = {"params": kernels, "spectral": spectral, "batch_stats": leaves.get("batch_stats", {})}
    return {collection: _tree(each) for collection, each in found.items() if each}


_KINDS = {
    "weight": ("params", "kernel"),
    "weight_orig": ("params", "kernel"),
    "weight_u": ("spectral", "u"),
    "running_mean": ("batch_stats", "mean"),
    "running_var": ("batch_stats", "var"),
}
"""Names of tensors there, and here with their collection."""


def _layer(layer: str, name: str, network: Network) -> tuple[str, ...]:
    for pattern, ours in _LAYERS[network].items():
        found = re.fullmatch(pattern, layer)
        if found:
            path = found.expand(ours).split("/")
            if network == "encoder" and path[0].startswith("conv"):  # counted from 1 there
                path = [f"conv{int(path[0].removeprefix('conv')) - 1}"]
            return tuple(path)
    raise UserError(f"{name} is no tensor of SPADE's {network}.")


def _joined(leaves: Leaves) -> Leaves:
    """Two layers, gains and biases of the map, as one with the outputs of both."""
    both = {path: x for path, x in leaves.items() if path[-2] == "gamma"}
    rest = {path: x for path, x in leaves.items() if path[-2] not in ("gamma", "beta")}
    for (*layer, _, leaf), gamma in both.items():
        rest[(*layer, "gamma_beta", leaf)] = np.concatenate([gamma, leaves[(*layer, "beta", leaf)]])
    return rest


def _side(path: tuple[str, ...], leaves: Leaves) -> int:
    """Channels of the picture that a dense layer of the encoder sees flattened."""
    convs = [len(x) for other, x in leaves.items() if other[0].startswith("conv") and other[-1] == "kernel"]
    return max(convs, default=0) if path[0] in ("mean", "log_variance") else 0


def _kernel(x: np.ndarray, channels: int) -> np.ndarray:
    """[out, in, h, w] as [h, w, in, out], [out, in] as [in, out]; of flattened pictures with the channels last."""
    if x.ndim == 4:
        return x.transpose(2, 3, 1, 0)
    if channels:
        x = x.reshape(len(x), channels, -1).transpose(0, 2, 1).reshape(len(x), -1)
    return x.T


def _first_dense(weight: np.ndarray, bias: np.ndarray, kernels: Leaves) -> Leaves:
    """The layer from a style to the smallest features, whose outputs are a picture with its channels first."""
    channels = kernels[("head_0", "conv_0", "kernel")].shape[2]
    moved = weight.reshape(channels, -1, weight.shape[1]).transpose(1, 0, 2).reshape(weight.shape)
    return {
        ("first", "kernel"): moved.T,
        ("first", "bias"): bias.reshape(channels, -1).T.reshape(-1),
    }


def _settled(kernel: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The first right singular vector, found from a stored one that may have lagged behind its kernel."""
    w = kernel.reshape(-1, kernel.shape[-1]).astype(np.float64)
    for _ in range(_SETTLED):
        u = w.T @ (w @ u)
        u = u / max(float(np.linalg.norm(u)), 1e-12)
    return u.astype(np.float32)


def _tree(leaves: Leaves) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, value in leaves.items():
        level = tree
        for name in path[:-1]:
            level = level.setdefault(name, {})
        level[path[-1]] = value
    return tree
