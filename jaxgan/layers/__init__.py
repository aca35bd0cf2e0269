"""Linen building blocks that networks are made of."""

from jaxgan.layers.conv.layers import Conv, ConvTranspose
from jaxgan.layers.conv.padding import Padding

__all__ = ["Conv", "ConvTranspose", "Padding"]
