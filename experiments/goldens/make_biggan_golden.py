"""What the public PyTorch code of BigGAN, BigGAN-deep and SAGAN makes with small random networks.

Command: python experiments/goldens/make_biggan_golden.py CLONE tests/weights/fixtures/biggan.npz
CLONE is a clone of github.com/ajbrock/BigGAN-PyTorch (MIT, commit 9845943), whose code is run as it is. Needs torch
2.13 and numpy; seconds on a CPU. For tests/commands/test_import_biggan.py. Each case has `CASE/names`, JSON of
[name, shape] in order, `CASE/state`, all arrays of the file one after the other in float16, which holds these weights
exactly, and inputs; `CASE/y` is float64 arithmetic in `eval()`: logits, or every fourth pixel of every fourth row,
channels last. Gains of attention are 0 in a new network, and random here; u are random, as if they lagged far behind.
"""

import contextlib
import json
import os
import sys

import numpy as np
import torch

SIZE = {"resolution": 32, "n_classes": 3, "SN_eps": 1e-6}
G = {**SIZE, "G_ch": 2, "G_attn": "16", "no_optim": True}
HIER = {"hier": True, "G_shared": True, "shared_dim": 4}
CASES = {
    "biggan_g": ("BigGAN", "Generator", {**G, **HIER, "dim_z": 12}),
    "sagan_g": ("BigGAN", "Generator", {**G, "G_shared": False, "dim_z": 5, "G_attn": "0", "mybn": True}),
    "deep_g": ("BigGANdeep", "Generator", {**G, **HIER, "dim_z": 5}),
    "biggan_d": ("BigGAN", "Discriminator", {**SIZE, "D_ch": 2, "D_attn": "16"}),  # behind all four blocks
    "deep_d": ("BigGANdeep", "Discriminator", {**SIZE, "D_ch": 2, "D_attn": "0"}),
}


def randomise(net):
    """Standard deviation 1 / sqrt(fan-in), gains and variances around 1, the rest around 0, in float16."""
    for name, x in net.state_dict().items():
        if name.endswith("accumulation_counter"):
            continue
        scale = 1 / np.sqrt(x[0].numel()) if x.ndim > 1 else 0.3
        draw = scale * torch.randn_like(x) + (name.endswith((".gain", "gamma")))
        x.copy_((draw.abs() + 0.5 if name.endswith("stored_var") else draw).half().float())


def made(net, role, given):
    """What the network makes of random inputs, which are kept in `given`."""
    label = torch.tensor([2, 0])
    given["label"] = label.numpy()
    if role == "Discriminator":
        x = (torch.rand(2, 3, 32, 32) * 2 - 1)[:, :, ::4, ::4].half().double()
        given["x"] = x.permute(0, 2, 3, 1).numpy().astype(np.float16)
        return net(x.repeat_interleave(4, 2).repeat_interleave(4, 3), label)[:, 0].numpy()
    size = net.dim_z
    z = torch.randn(2, size).half().double()
    given["z"] = z.numpy().astype(np.float16)
    # Without a shared embedding the tables of the normalisations take the class itself.
    y = net.shared(label)
    return net(z, y).permute(0, 2, 3, 1).numpy()[:, ::4, ::4]


def main(clone, path):
    sys.path.insert(0, clone)
    torch.manual_seed(0)
    found = {}
    for case, (module, role, options) in CASES.items():
        with contextlib.redirect_stdout(open(os.devnull, "w")):
            net = getattr(__import__(module), role)(**options)
        randomise(net)
        state = net.state_dict()
        found[f"{case}/names"] = json.dumps([[name, list(x.shape)] for name, x in state.items()])
        found[f"{case}/state"] = np.concatenate([x.reshape(-1).half().numpy() for x in state.values()])
        given = {}
        with torch.no_grad():
            y = made(net.double().eval(), role, given)
        found |= {f"{case}/{name}": value for name, value in {**given, "y": y.astype(np.float32)}.items()}
    np.savez_compressed(path, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
