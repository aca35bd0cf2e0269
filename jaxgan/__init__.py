"""Generative adversarial networks as games between pure functions, in JAX.

`jaxgan.fit("dcgan", data="photos", image_size=64)` trains as the command does; `jaxgan.load("runs/x").sample(16)` uses
a run. The parts to compose are in `jaxgan.game`, `jaxgan.losses`, `jaxgan.layers`, `jaxgan.nets`, `jaxgan.metrics`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxgan.commands.api import Run, fit, load

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "fit", "load"]


def __getattr__(name: str) -> Any:
    """`fit`, `load` and `Run`, imported when they are asked for: a version can be had without JAX."""
    if name not in ("Run", "fit", "load"):
        raise AttributeError(f"module 'jaxgan' has no attribute {name!r}")
    from jaxgan.commands import api

    return getattr(api, name)
