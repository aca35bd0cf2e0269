"""float64 where it counts: once per evaluation, outside training."""

import contextlib
from collections.abc import Iterator

import jax


@contextlib.contextmanager
def double() -> Iterator[None]:
    """Within, new JAX arrays are float64 and computed where that type is native: on a TPU's host, else in place."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(jax.enable_x64(True))
        if jax.default_backend() == "tpu":
            stack.enter_context(jax.default_device(jax.local_devices(backend="cpu")[0]))
        yield
