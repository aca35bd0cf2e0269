"""What metrics take: features of images as arrays of NumPy or of JAX."""

from typing import TypeAlias

import numpy as np
from jaxtyping import Array, Float

Features: TypeAlias = Float[Array, "n d"] | Float[np.ndarray, "n d"]
"""One row of d numbers for each of n images."""
RealFeatures: TypeAlias = Float[Array, "real d"] | Float[np.ndarray, "real d"]
"""Features of images of the data, where both kinds are compared."""
FakeFeatures: TypeAlias = Float[Array, "fake d"] | Float[np.ndarray, "fake d"]
"""Features of generated images, where both kinds are compared."""
Vector: TypeAlias = Float[Array, " d"] | Float[np.ndarray, " d"]
Matrix: TypeAlias = Float[Array, "d d"] | Float[np.ndarray, "d d"]
Logits: TypeAlias = Float[Array, "n classes"] | Float[np.ndarray, "n classes"]
"""Unnormalised log-probabilities of a classifier."""
