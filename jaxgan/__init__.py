"""Generative adversarial networks as games between pure functions, in JAX."""

__version__ = "0.1.0"
