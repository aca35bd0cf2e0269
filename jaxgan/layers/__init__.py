"""Linen building blocks that networks are made of."""

from jaxgan.layers.conv import Conv, ConvTranspose
from jaxgan.layers.conv_padding import Padding

__all__ = ["Conv", "ConvTranspose", "Padding"]
