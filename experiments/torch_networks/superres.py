"""The public PyTorch networks of super-resolution, with the names that BasicSR's files have.

RRDBNet of Wang et al. 2018 (arXiv:1809.00219), section 3.1, and the residual network without normalisation of BasicSR,
written anew; module names are facts of github.com/xinntao/BasicSR (Apache-2.0). Needs torch.
"""

import torch
from torch import nn
from torch.nn import functional as F


def conv(takes, makes):
    return nn.Conv2d(takes, makes, 3, 1, 1)


class Dense(nn.Module):
    """Five convolutions, each of all that was made before."""

    def __init__(self, width, growth):
        super().__init__()
        for i in range(5):
            self.add_module(f"conv{i + 1}", conv(width + i * growth, growth if i < 4 else width))

    def forward(self, x):
        """Added to its input."""
        known = [x]
        for i in range(4):
            known.append(F.leaky_relu(getattr(self, f"conv{i + 1}")(torch.cat(known, 1)), 0.2))
        return x + 0.2 * self.conv5(torch.cat(known, 1))


class Thrice(nn.Module):
    """Three dense blocks and a way around them."""

    def __init__(self, width, growth):
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (Dense(width, growth) for _ in range(3))

    def forward(self, x):
        """Added to its input."""
        return x + 0.2 * self.rdb3(self.rdb2(self.rdb1(x)))


class RRDBNet(nn.Module):
    """Residual-in-residual dense blocks; factors under 4 begin with pixels put into channels."""

    def __init__(self, channels=3, width=64, blocks=23, growth=32, scale=4):
        super().__init__()
        self.fold = 4 // scale
        self.conv_first = conv(channels * self.fold**2, width)
        self.body = nn.Sequential(*(Thrice(width, growth) for _ in range(blocks)))
        self.conv_body, self.conv_up1, self.conv_up2, self.conv_hr = (conv(width, width) for _ in range(4))
        self.conv_last = conv(width, channels)

    def forward(self, x):
        """Larger pictures."""
        first = self.conv_first(F.pixel_unshuffle(x, self.fold))
        h = first + self.conv_body(self.body(first))
        for up in (self.conv_up1, self.conv_up2):
            h = F.leaky_relu(up(F.interpolate(h, scale_factor=2, mode="nearest")), 0.2)
        return self.conv_last(F.leaky_relu(self.conv_hr(h), 0.2))


class Residual(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, width):
        super().__init__()
        self.conv1, self.conv2 = conv(width, width), conv(width, width)

    def forward(self, x):
        """Added to its input."""
        return x + self.conv2(F.relu(self.conv1(x)))


class MSRResNet(nn.Module):
    """SRResNet without normalisation, on top of the bilinearly enlarged picture."""

    def __init__(self, channels=3, width=64, blocks=16, scale=4):
        super().__init__()
        self.scale, self.conv_first = scale, conv(channels, width)
        self.body = nn.Sequential(*(Residual(width) for _ in range(blocks)))
        self.factors = (2, 2) if scale == 4 else (scale,)
        for i, factor in enumerate(self.factors):
            self.add_module(f"upconv{i + 1}", conv(width, width * factor**2))
        self.conv_hr, self.conv_last = conv(width, width), conv(width, channels)

    def forward(self, x):
        """Larger pictures."""
        h = self.body(F.leaky_relu(self.conv_first(x), 0.1))
        for i, factor in enumerate(self.factors):
            h = F.leaky_relu(F.pixel_shuffle(getattr(self, f"upconv{i + 1}")(h), factor), 0.1)
        made = self.conv_last(F.leaky_relu(self.conv_hr(h), 0.1))
        return made + F.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)
