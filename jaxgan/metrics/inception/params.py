"""Variables of Inception v3 from a state dictionary as PyTorch writes it, and random ones, the same everywhere."""

from functools import cache
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from jaxgan.errors import UserError
from jaxgan.metrics.inception.net import InceptionV3, Variant

State = dict[str, np.ndarray]
"""Names and arrays as PyTorch's: "fc.weight" [out, in], "Conv2d_1a_3x3.conv.weight" [out, in, height, width]."""

_LEAVES = {"kernel": "weight", "scale": "weight", "bias": "bias", "mean": "running_mean", "var": "running_var"}


def state_shapes(variant: Variant) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the entries that a state dictionary of the network must have.

    Args:
        variant: the network.

    Returns:
        Name to shape in PyTorch's layout; 472 entries.
    """
    return {_name(path): _torch_shape(leaf.shape) for path, leaf in _abstract(variant).items()}


def variables_from_state(variant: Variant, state: State, source: str) -> dict[str, Any]:
    """The network's variables, in float32 on the default device.

    Entries that no feature depends on are ignored: `num_batches_tracked` and torchvision's auxiliary classifier.

    Args:
        variant: the network.
        state: names and arrays in PyTorch's layout.
        source: what errors call the dictionary, such as its file.

    Returns:
        `params` and `batch_stats` for `InceptionV3(variant).apply`.

    Raises:
        UserError: if an entry is missing, not known, or not of the network's shape.
    """
    paths = {_name(path): path for path in _abstract(variant)}
    check_state(variant, state, source)
    flat = {path: jnp.asarray(_flax_layout(state[name]), jnp.float32) for name, path in paths.items()}
    return traverse_util.unflatten_dict(flat)


def check_state(variant: Variant, state: State, source: str) -> None:
    """Raise UserError, naming the first difference, unless the entries are the network's in name, shape and kind."""
    shapes = state_shapes(variant)
    found = {name: array for name, array in state.items() if not _without_effect(name)}
    wrong = [
        *(f"it lacks {name}" for name in shapes.keys() - found.keys()),
        *(f"it has {name}, which the network has not" for name in found.keys() - shapes.keys()),
        *(
            f"{name} is {found[name].dtype} of shape {found[name].shape} and should be floats of shape {shape}"
            for name, shape in shapes.items()
            if name in found and not (found[name].shape == shape and jnp.issubdtype(found[name].dtype, jnp.floating))
        ),
    ]
    if wrong:
        more = f" (and {len(wrong) - 1} more differences)" if len(wrong) > 1 else ""
        raise UserError(f"{source} does not hold Inception v3 with {variant.classes} classes: {min(wrong)}{more}.")


def random_state(variant: Variant, seed: int) -> State:
    """A state dictionary of random weights and random normalisation, the same on every platform and in every version.

    Weights have mean zero and variance 2 / fan-in (He, Zhang, Ren and Sun 2015, arXiv:1502.01852), which keeps features
    of order one through the depth. All numbers are of uniform distributions, made from the raw 64-bit output of PCG64:
    NumPy promises that stream to stay as it is, but not what its distributions make of it.

    Args:
        variant: the network.
        seed: of the generator.

    Returns:
        float32 arrays under the names of `state_shapes`, drawn in their sorted order.
    """
    generator = np.random.PCG64(seed)
    return {name: _random_entry(generator, name, shape) for name, shape in sorted(state_shapes(variant).items())}


def _random_entry(generator: np.random.PCG64, name: str, shape: tuple[int, ...]) -> np.ndarray:
    raw = generator.random_raw(int(np.prod(shape))) >> np.uint64(11)
    centred = (raw.astype(np.float64) * 2.0**-53 - 0.5).reshape(shape)
    if len(shape) > 1:
        return (centred * np.sqrt(12 * 2 / np.prod(shape[1:]))).astype(np.float32)
    around_one = name.endswith((".bn.weight", ".running_var"))
    return (1 + centred if around_one else 0.5 * centred).astype(np.float32)


@cache
def _abstract(variant: Variant) -> dict[tuple[str, ...], jax.ShapeDtypeStruct]:
    """Path to shape of each variable."""
    images = jax.ShapeDtypeStruct((1, 299, 299, 3), jnp.float32)
    variables = jax.eval_shape(InceptionV3(variant).init, jax.eval_shape(lambda: jax.random.key(0)), images)
    return cast("dict[tuple[str, ...], jax.ShapeDtypeStruct]", traverse_util.flatten_dict(variables))


def _name(path: tuple[str, ...]) -> str:
    return ".".join([*path[1:-1], _LEAVES[path[-1]]])


def _torch_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Flax puts the channels of the output last and those of the input before them, PyTorch both first."""
    return (*shape[::-1][:2], *shape[:-2])


def _flax_layout(array: np.ndarray) -> np.ndarray:
    return np.moveaxis(array, (1, 0), (-2, -1)) if array.ndim > 1 else array


def _without_effect(name: str) -> bool:
    return name.endswith(".num_batches_tracked") or name.startswith("AuxLogits.")
