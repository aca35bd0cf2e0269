"""Eight virtual CPU devices, one shared compilation cache off, and run-time shape checks over the whole package."""

import os

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

from jaxtyping import install_import_hook

# Every annotated function of the package is checked on every call that a test makes.
install_import_hook("jaxgan", "beartype.beartype")
