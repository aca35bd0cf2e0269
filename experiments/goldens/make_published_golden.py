"""Small files as the public code of pix2pix and CycleGAN leaves them, and what its networks make of an input.

Command: python experiments/goldens/make_published_golden.py tests/weights/fixtures/published
Needs torch 2.13 and numpy; seconds on a CPU. For tests/commands/test_import.py. Networks are those of
experiments/torch_networks. Writes `CASE.pth`, in float16, which holds these weights exactly, and `published.npz` with
`CASE/x`, `CASE/y` (float64 arithmetic, `eval()`), channels last. Old files: statistics of instance normalisation, which
were never used, and `module.` before each name.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from torch_networks.translation import patch, pixel, resnet, unet

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
