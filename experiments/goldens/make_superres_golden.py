"""Small files as BasicSR and ESRGAN leave them, and what their network makes of an input.

Command: python experiments/goldens/make_superres_golden.py tests/weights/fixtures/superres
Needs torch 2.13 and numpy; seconds on a CPU. For tests/weights/test_layouts_superres.py. The network is that of
experiments/torch_networks. Writes `CASE.pth`, in float16, which holds these weights exactly, and `superres.npz` with
`CASE/x`, `CASE/y` (float64 arithmetic), channels last: a file with `params_ema` beside other `params`, and ESRGAN's two
older names of the same layers.
"""

import re
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from torch_networks.superres import RRDBNet

OLDER = {"conv_body": "trunk_conv", "conv_up1": "upconv1", "conv_up2": "upconv2", "conv_hr": "HRconv"}
OLDEST = {"conv_first": "model.0", "conv_up1": "model.3", "conv_up2": "model.6", "conv_hr": "model.8"}
OLDEST |= {"conv_last": "model.10"}
CASES = {"basicsr_x4": (4, 1), "basicsr_x2": (2, 1), "esrgan": (4, 2), "oldest": (4, 1)}
"""Factor, and blocks."""


def older(name):
    """ESRGAN's name of a layer of BasicSR's."""
    layer = name.rpartition(".")[0]
    name = name.replace(layer, OLDER.get(layer, layer))
    return re.sub(r"^body\.(\d+)\.rdb", r"RRDB_trunk.\1.RDB", name)


def oldest(name, blocks):
    """The name in the first files."""
    layer, _, leaf = name.rpartition(".")
    if layer == "conv_body":
        return f"model.1.sub.{blocks}.{leaf}"
    dense = re.sub(r"^body\.(\d+)\.rdb(.*)", r"model.1.sub.\1.RDB\2.0", layer)
    return f"{OLDEST.get(layer, dense)}.{leaf}"


def stored(state, case, blocks):
    """What a file holds."""
    half = {name: x.half() for name, x in state.items()}
    if case == "basicsr_x4":
        return {"params": {name: x + 1 for name, x in half.items()}, "params_ema": half}
    if case == "basicsr_x2":
        return {"params": {f"module.{name}": x for name, x in half.items()}}
    return {older(name) if case == "esrgan" else oldest(name, blocks): x for name, x in half.items()}


def main(folder):
    torch.manual_seed(0)
    found = {}
    for case, (scale, blocks) in CASES.items():
        net = RRDBNet(3, 4, blocks, 2, scale)
        for x in net.state_dict().values():
            scaled = torch.randn_like(x) * (1 / np.sqrt(x[0].numel()) if x.ndim == 4 else 0.2)
            x.copy_(scaled.half().float())
        torch.save(
            stored(net.state_dict(), case, blocks),
            Path(folder) / f"{case}.pth",
            _use_new_zipfile_serialization=False,
        )
        x = torch.rand(1, 3, 4, 6).half()
        with torch.no_grad():
            y = net.double()(x.double())
        found[f"{case}/x"] = np.moveaxis(x.numpy(), 1, -1)
        found[f"{case}/y"] = np.moveaxis(y.float().numpy(), 1, -1)
    np.savez_compressed(Path(folder) / "superres.npz", **found)


if __name__ == "__main__":
    main(sys.argv[1])
