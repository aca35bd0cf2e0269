"""The public PyTorch networks of pix2pix and CycleGAN, with the names that their files have.

Modules have the numbers and names of github.com/junyanz/pytorch-CycleGAN-and-pix2pix (models/networks.py, BSD), written
anew from the tables of the papers. Needs torch.
"""

from functools import partial

import torch
from torch import nn

NORMS = {"batch": nn.BatchNorm2d, "instance": partial(nn.InstanceNorm2d, affine=False)}


class Level(nn.Module):
    """A level of the U-Net."""

    def __init__(self, kind, before, inner, after=None, inside=None, norm="batch", dropout=False):
        super().__init__()
        self.kind, bias = kind, norm == "instance"
        down = nn.Conv2d(before, inner, 4, 2, 1, bias=bias)
        after = before if after is None else after
        up = partial(nn.ConvTranspose2d, inner if kind == "innermost" else 2 * inner, after, 4, 2, 1)
        normed = NORMS[norm]
        if kind == "outermost":
            modules = [down, inside, nn.ReLU(), up(), nn.Tanh()]
        elif kind == "innermost":
            modules = [nn.LeakyReLU(0.2), down, nn.ReLU(), up(bias=bias), normed(after)]
        else:
            modules = [nn.LeakyReLU(0.2), down, normed(inner), inside, nn.ReLU(), up(bias=bias), normed(after)]
            modules += [nn.Dropout(0.5)] if dropout else []
        self.model = nn.Sequential(*modules)

    def forward(self, x):
        """Joined with what goes past it, but for the outermost."""
        return self.model(x) if self.kind == "outermost" else torch.cat([x, self.model(x)], 1)


class Holder(nn.Module):
    """A network under one name."""

    def __init__(self, name, net):
        super().__init__()
        self.name = name
        self.add_module(name, net)

    def forward(self, x):
        """What the network makes."""
        return getattr(self, self.name)(x)


def unet(takes, makes, width, depth, norm):
    """A U-Net of so many halvings."""
    sizes = [width * min(2**level, 8) for level in range(depth)]
    inside = Level("innermost", sizes[-2], sizes[-1], norm=norm)
    for level in range(depth - 2, 0, -1):
        dropout = level >= min(4, depth - 2)  # which has no name and moves none
        inside = Level("middle", sizes[level - 1], sizes[level], inside=inside, norm=norm, dropout=dropout)
    return Holder("model", Level("outermost", takes, width, makes, inside, norm))


class Block(nn.Module):
    """A residual block."""

    def __init__(self, width, norm, dropout):
        super().__init__()
        convs = [nn.Conv2d(width, width, 3, bias=norm == "instance") for _ in range(2)]
        one, two = ([nn.ReflectionPad2d(1), conv, NORMS[norm](width)] for conv in convs)
        self.conv_block = nn.Sequential(*one, nn.ReLU(), *([nn.Dropout(0.5)] if dropout else []), *two)

    def forward(self, x):
        """Added to its input."""
        return x + self.conv_block(x)


def resnet(takes, makes, width, blocks, norm, dropout):
    """A residual network."""
    bias, normed = norm == "instance", NORMS[norm]
    modules = [nn.ReflectionPad2d(3), nn.Conv2d(takes, width, 7, bias=bias), normed(width), nn.ReLU()]
    for n in (width, 2 * width):
        modules += [nn.Conv2d(n, 2 * n, 3, 2, 1, bias=bias), normed(2 * n), nn.ReLU()]
    modules += [Block(4 * width, norm, dropout) for _ in range(blocks)]
    for n in (4 * width, 2 * width):
        up = nn.ConvTranspose2d(n, n // 2, 3, 2, 1, output_padding=1, bias=bias)
        modules += [up, normed(n // 2), nn.ReLU()]
    return Holder("model", nn.Sequential(*modules, nn.ReflectionPad2d(3), nn.Conv2d(width, makes, 7), nn.Tanh()))


def patch(takes, width, layers, norm):
    """A PatchGAN; a logit sees 34, 70, 142 or 286 pixels with 2, 3, 4 or 5 halvings."""
    modules, before = [nn.Conv2d(takes, width, 4, 2, 1), nn.LeakyReLU(0.2)], width
    for layer in range(1, layers + 1):
        after = width * min(2**layer, 8)
        conv = nn.Conv2d(before, after, 4, 2 if layer < layers else 1, 1, bias=norm == "instance")
        modules += [conv, NORMS[norm](after), nn.LeakyReLU(0.2)]
        before = after
    return Holder("model", nn.Sequential(*modules, nn.Conv2d(before, 1, 4, 1, 1)))


def pixel(takes, width, norm):
    """A discriminator of single pixels."""
    bias = norm == "instance"
    modules = [nn.Conv2d(takes, width, 1), nn.LeakyReLU(0.2), nn.Conv2d(width, 2 * width, 1, bias=bias)]
    modules += [NORMS[norm](2 * width), nn.LeakyReLU(0.2), nn.Conv2d(2 * width, 1, 1, bias=bias)]
    return Holder("net", nn.Sequential(*modules))
