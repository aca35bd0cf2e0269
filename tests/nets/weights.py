"""Weights for tests of networks: what PyTorch's networks had, or drawn by numpy without compiling an initialiser."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

FILE = Path(__file__).parent / "fixtures" / "translation.npz"


def drawn(net, *args, **options):
    """Variables of a network: kernels of deviation 1 / sqrt(fan-in), gains around 1, the rest around 0, variances 1.

    Args and options are those of the network's call.
    """
    rng = np.random.default_rng(0)

    def draw(path, leaf):
        name = path[-1].key
        if name == "var":
            return np.ones(leaf.shape, np.float32)
        scale = 1 / np.sqrt(np.prod(leaf.shape[:-1])) if name == "kernel" else 0.2
        return (scale * rng.normal(size=leaf.shape) + (name == "scale")).astype(np.float32)

    made = jax.eval_shape(lambda: net.init(jax.random.key(0), *args, **options))
    return jax.tree_util.tree_map_with_path(draw, made)


def compare(net, case):
    """Assert that the network with a case's weights, and no others, gives the output that PyTorch's gave.

    Cases are those of experiments/goldens/make_translation_golden.py.
    """
    params = {}
    with np.load(FILE) as stored:
        for name in stored.files:
            if name.startswith(f"{case}/w/"):
                layer, leaf = name.split("/")[2:]
                params.setdefault(layer, {})[leaf] = np.asarray(stored[name], np.float32)
        x, y = jnp.asarray(stored[f"{case}/x"], jnp.float32), stored[f"{case}/y"]
    variables = drawn(net, x, train=True)
    assert jax.tree.map(np.shape, variables["params"]) == jax.tree.map(np.shape, params)
    run = jax.jit(lambda variables, x: net.apply(variables, x, train=True, mutable=["batch_stats"])[0])
    ours = np.asarray(run({**variables, "params": params}, x))
    np.testing.assert_allclose(ours.reshape(y.shape), y, atol=1e-5)
