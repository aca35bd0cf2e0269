"""pix2pix's and CycleGAN's networks in PyTorch, with random weights, for tests/nets/test_unet.py and test_patch.py.

Command: python experiments/goldens/make_translation_golden.py tests/nets/fixtures/translation.npz
Needs torch 2.13 and numpy; seconds on a CPU. Written from the tables of Isola et al. 2017 and Zhu et al. 2017 with
PyTorch's own layers; no line is shared with jaxgan. Keys are `case/x`, `case/y` (batch statistics) and
`case/w/name/leaf`, all channels last, kernels as jaxgan stores them, in float16 where exact.
"""

import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

NORMS = {"batch": nn.BatchNorm2d, "instance": nn.InstanceNorm2d}


class Recorder(nn.Module):
    """Layers by jaxgan's names."""

    def __init__(self, norm):
        super().__init__()
        self.norm, self.layers = norm, nn.ModuleDict()

    def add(self, name, layer, normed=None):
        """Keep a layer, and one that normalises what it makes."""
        self.layers[name] = layer
        if normed:
            self.layers[normed] = NORMS[self.norm](layer.out_channels)
        return name


class UNet(Recorder):
    """pix2pix's, level by level from outside."""

    def __init__(self, inside, outside, width, depth, norm):
        super().__init__(norm)
        self.depth = depth
        sizes = [width * min(2**level, 8) for level in range(depth)]
        bias = norm == "instance"
        for level in range(depth):
            before = sizes[level - 1] if level else inside
            inner = 0 < level < depth - 1
            self.add(f"down{level}", nn.Conv2d(before, sizes[level], 4, 2, 1, bias=bias), inner and f"down{level}_norm")
            joined = sizes[level] * (1 if level == depth - 1 else 2)
            after = sizes[level - 1] if level else outside
            up = nn.ConvTranspose2d(joined, after, 4, 2, 1, bias=bias or level == 0)
            self.add(f"up{level}", up, level and f"up{level}_norm")

    def forward(self, x):
        """`[b, c, h, w]` to the same."""
        return torch.tanh(self.level(x, 0))

    def level(self, x, level):
        """This level and all inside, joined with what goes past it."""
        h = self.layers[f"down{level}"](F.leaky_relu(x, 0.2) if level else x)
        if 0 < level < self.depth - 1:
            h = self.layers[f"down{level}_norm"](h)
        inside = h if level == self.depth - 1 else self.level(h, level + 1)
        h = self.layers[f"up{level}"](F.relu(inside))
        return torch.cat([x, self.layers[f"up{level}_norm"](h)], 1) if level else h


class ResNet(Recorder):
    """CycleGAN's."""

    def __init__(self, inside, outside, width, blocks, norm):
        super().__init__(norm)
        self.blocks = blocks
        bias = norm == "instance"
        self.add("first", nn.Conv2d(inside, width, 7, bias=bias), "first_norm")
        for level in (1, 2):
            half = nn.Conv2d(width * level, width * 2 * level, 3, 2, 1, bias=bias)
            self.add(f"down{level}", half, f"down{level}_norm")
        for block in range(blocks):
            for half in (0, 1):
                name = f"block{block}_{half}"
                self.add(name, nn.Conv2d(width * 4, width * 4, 3, bias=bias), f"{name}_norm")
        for level in (1, 0):
            up = nn.ConvTranspose2d(width * 2 ** (level + 1), width * 2**level, 3, 2, 1, output_padding=1, bias=bias)
            self.add(f"up{level}", up, f"up{level}_norm")
        self.add("last", nn.Conv2d(width, outside, 7))

    def forward(self, x):
        """`[b, c, h, w]` to the same."""

        def both(name, h):
            return self.layers[f"{name}_norm"](self.layers[name](h))

        h = F.relu(both("first", F.pad(x, (3,) * 4, mode="reflect")))
        h = F.relu(both("down2", F.relu(both("down1", h))))
        for block in range(self.blocks):
            inner = F.relu(both(f"block{block}_0", F.pad(h, (1,) * 4, mode="reflect")))
            h = h + both(f"block{block}_1", F.pad(inner, (1,) * 4, mode="reflect"))
        h = F.relu(both("up0", F.relu(both("up1", h))))
        return torch.tanh(self.layers["last"](F.pad(h, (3,) * 4, mode="reflect")))


class Patch(Recorder):
    """PatchGAN; of single pixels without halvings."""

    def __init__(self, inside, width, halvings, norm):
        super().__init__(norm)
        side, pad = (4, 1) if halvings else (1, 0)
        bias, before = norm == "instance", inside
        self.count = max(halvings, 1) + 1
        for layer in range(self.count):
            after = width * min(2**layer, 8)
            conv = nn.Conv2d(before, after, side, 2 if layer < halvings else 1, pad, bias=bias or layer == 0)
            self.add(f"conv{layer}", conv, layer and f"norm{layer}")
            before = after
        self.add("last", nn.Conv2d(before, 1, side, 1, pad, bias=bias or halvings > 0))

    def forward(self, x):
        """`[b, c, h, w]` to the same."""
        for layer in range(self.count):
            x = self.layers[f"conv{layer}"](x)
            x = F.leaky_relu(self.layers[f"norm{layer}"](x) if layer else x, 0.2)
        return self.layers["last"](x)


CASES = {
    "unet_batch": (lambda: UNet(2, 3, 2, 4, "batch"), (2, 2, 16, 32)),
    "unet_instance": (lambda: UNet(2, 3, 2, 4, "instance"), (2, 2, 16, 32)),
    "resnet_batch": (lambda: ResNet(3, 1, 2, 2, "batch"), (2, 3, 16, 20)),
    "resnet_instance": (lambda: ResNet(3, 1, 2, 2, "instance"), (2, 3, 16, 20)),
    "patch3_batch": (lambda: Patch(4, 2, 3, "batch"), (2, 4, 32, 24)),
    "patch3_instance": (lambda: Patch(4, 2, 3, "instance"), (2, 4, 32, 24)),
    "patch0_batch": (lambda: Patch(4, 4, 0, "batch"), (2, 4, 6, 5)),
}


def exact_in_half(x):
    """The nearest numbers that float16 holds: files halve, and nothing is lost."""
    return x.half().float()


def randomise(net):
    """Standard deviation 1 / sqrt(fan-in), gains around 1, biases around 0."""
    with torch.no_grad():
        for name, weight in net.named_parameters():
            draw = torch.randn_like(weight)
            if weight.ndim == 4:
                draw = draw / np.sqrt(weight[0].numel())
            elif name.endswith("weight"):
                draw = 1 + 0.2 * draw
            else:
                draw = 0.2 * draw
            weight.copy_(exact_in_half(draw))


def leaves(net):
    for name, layer in net.layers.items():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            kernel = layer.weight.detach().numpy()
            turned = isinstance(layer, nn.ConvTranspose2d)
            # (in, out, h, w), to be flipped; (out, in, h, w).
            kernel = kernel.transpose(2, 3, 0, 1)[::-1, ::-1] if turned else kernel.transpose(2, 3, 1, 0)
            yield f"{name}/kernel", kernel
        elif layer.weight is not None:
            yield f"{name}/scale", layer.weight.detach().numpy()
        if layer.bias is not None:
            yield f"{name}/bias", layer.bias.detach().numpy()


def main(path):
    torch.manual_seed(0)
    stored = {}
    for case, (make, shape) in CASES.items():
        net = make().train()
        randomise(net)
        x = exact_in_half(torch.rand(shape) * 2 - 1)
        with torch.no_grad():
            y = net.double()(x.double())
        stored[f"{case}/x"] = np.moveaxis(x.numpy(), 1, -1).astype(np.float16)
        stored[f"{case}/y"] = np.moveaxis(y.float().numpy(), 1, -1)
        for name, leaf in leaves(net):
            stored[f"{case}/w/{name}"] = leaf.astype(np.float16)
    np.savez_compressed(path, **stored)


if __name__ == "__main__":
    main(sys.argv[1])
