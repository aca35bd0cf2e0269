"""Linen building blocks that networks are made of."""
