"""Small files as the public code of pix2pix and CycleGAN leaves them, and what its networks make of an input.

Command: python experiments/goldens/make_published_golden.py tests/weights/fixtures/published
Needs torch 2.13 and numpy; seconds on a CPU. For tests/commands/test_import.py. Modules have the numbers and names of
github.com/junyanz/pytorch-CycleGAN-and-pix2pix (models/networks.py, BSD), written anew from the tables of the papers.
Writes `CASE.pth`, in float16, which holds these weights exactly, and `published.npz` with `CASE/x`, `CASE/y` (float64
arithmetic, `eval()`), channels last. Old files: statistics of instance normalisation, which were never used, and
`module.` before each name.
"""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

NORMS = {"batch": nn.BatchNorm2d, "instance": partial(nn.InstanceNorm2d, affine=False)}


class Level(nn.Module):
    """A level of the U-Net."""

    def __init__(self, kind, before, inner, after=None, inside=None, norm="batch"):
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
    sizes = [width * min(2**level, 8) for level in range(depth)]
    inside = Level("innermost", sizes[-2], sizes[-1], norm=norm)
    for level in range(depth - 2, 0, -1):
        inside = Level("middle", sizes[level - 1], sizes[level], inside=inside, norm=norm)
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
    modules, before = [nn.Conv2d(takes, width, 4, 2, 1), nn.LeakyReLU(0.2)], width
    for layer in range(1, layers + 1):
        after = width * min(2**layer, 8)
        conv = nn.Conv2d(before, after, 4, 2 if layer < layers else 1, 1, bias=norm == "instance")
        modules += [conv, NORMS[norm](after), nn.LeakyReLU(0.2)]
        before = after
    return Holder("model", nn.Sequential(*modules, nn.Conv2d(before, 1, 4, 1, 1)))


def pixel(takes, width, norm):
    bias = norm == "instance"
    modules = [nn.Conv2d(takes, width, 1), nn.LeakyReLU(0.2), nn.Conv2d(width, 2 * width, 1, bias=bias)]
    modules += [NORMS[norm](2 * width), nn.LeakyReLU(0.2), nn.Conv2d(2 * width, 1, 1, bias=bias)]
    return Holder("net", nn.Sequential(*modules))


CASES = {
    "unet_batch": (unet(1, 1, 1, 4, "batch"), (1, 1, 16, 32), ""),
    "unet_instance": (unet(1, 1, 1, 3, "instance"), (1, 1, 16, 16), ""),
    "resnet_instance": (resnet(3, 3, 1, 2, "instance", dropout=False), (1, 3, 12, 12), "module."),
    "resnet_batch_dropout": (resnet(1, 2, 1, 1, "batch", dropout=True), (1, 1, 12, 16), ""),
    "patch_batch": (patch(2, 1, 3, "batch"), (1, 2, 32, 32), ""),
    "patch_instance": (patch(3, 2, 1, "instance"), (1, 3, 12, 12), ""),
    "pixel_batch": (pixel(2, 2, "batch"), (1, 2, 6, 5), ""),
}
OLD = ("resnet_instance",)  # with statistics that instance normalisation does not use


def randomise(net):
    """Standard deviation 1 / sqrt(fan-in), gains and variances around 1, the rest around 0, in float16."""
    for name, x in net.state_dict().items():
        if x.is_floating_point():
            scale = 1 / np.sqrt(x[0].numel()) if x.ndim == 4 else 0.2
            draw = scale * torch.randn_like(x) + (x.ndim == 1 and name.endswith("weight"))
            x.copy_((draw.abs() + 0.5 if name.endswith("running_var") else draw).half().float())


def stored(net, case, before):
    """The dictionary of a file."""
    state = {name: x.half() if x.is_floating_point() else x for name, x in net.state_dict().items()}
    if case in OLD:
        for name, module in net.named_modules():
            if isinstance(module, nn.InstanceNorm2d):
                state[f"{name}.running_mean"] = torch.randn(module.num_features).half()
                state[f"{name}.running_var"] = torch.rand(module.num_features).half()
    return {before + name: x for name, x in state.items()}


def main(folder):
    torch.manual_seed(0)
    found = {}
    for case, (net, shape, before) in CASES.items():
        randomise(net)
        form = case == "unet_instance"  # one file of the newer form, which takes more room for each array
        state = stored(net, case, before)
        torch.save(state, Path(folder) / f"{case}.pth", _use_new_zipfile_serialization=form)
        x = (torch.rand(shape) * 2 - 1).half()
        with torch.no_grad():
            y = net.double().eval()(x.double())
        found[f"{case}/x"] = np.moveaxis(x.numpy(), 1, -1)
        found[f"{case}/y"] = np.moveaxis(y.float().numpy(), 1, -1)
    np.savez_compressed(Path(folder) / "published.npz", **found)


if __name__ == "__main__":
    main(sys.argv[1])
