"""Small files of SPADE's names, and what its networks make of an input.

Command: python experiments/goldens/make_spade_golden.py tests/weights/fixtures/spade
Needs torch 2.13 and numpy; seconds on a CPU. For tests/weights/test_layouts_spade.py. Networks are those of
experiments/torch_networks, for three labels and 64 pixels. Writes `spade.pth.xz`: dictionaries G, E and D of float16
numbers that are exact, and G_map, what another generator has in the place of G's first layer, to begin with a map; and
`spade.npz`: a map, a style's picture as 8 x 8 blocks, what E's mean style and the map give, what the map alone gives
(each fourth pixel of both), and D's logits of the map and the picture. float64 arithmetic, `eval()`; spectral vectors
are settled first, as training leaves them.
"""

import io
import lzma
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from torch_networks.spade import Discriminator, Encoder, Generator

LABELS, SIDE, STEPS = 3, 64, 64
"""Labels, pixels, and steps of a weight from 0 to 1: coarse ones take little room."""


def randomise(net):
    """Standard deviation 1 / sqrt(fan-in), variances around 1, the rest around 0; then spectral vectors settle."""
    for name, x in net.state_dict().items():
        if x.is_floating_point() and not name.endswith(("_u", "_v")):
            scale = 1 / np.sqrt(x[0].numel()) if x.ndim > 1 else 0.2
            draw = scale * torch.randn_like(x)
            x.copy_(((draw.abs() + 0.5 if name.endswith("running_var") else draw) * STEPS).round() / STEPS)
    for module in net.double().modules():
        if isinstance(module, nn.Conv2d) and hasattr(module, "weight_u"):
            u, _, v = torch.linalg.svd(module.weight_orig.flatten(1), full_matrices=False)
            module.weight_u.copy_(u[:, 0])
            module.weight_v.copy_(v[0])
    return net.eval()


def half(net):
    return {name: x.half() if x.is_floating_point() else x for name, x in net.state_dict().items()}


@torch.no_grad()
def main(folder):
    torch.manual_seed(0)
    styled, mapped = (randomise(Generator(LABELS, 1, 2, z, SIDE)) for z in (4, 0))
    E, D = randomise(Encoder(4, 1, 4)), randomise(Discriminator(LABELS + 3, 1))
    mapped.load_state_dict({**styled.state_dict(), **{f"fc.{n}": x for n, x in mapped.fc.state_dict().items()}})
    labels = torch.randint(0, LABELS, (1, SIDE, SIDE))
    planes = F.one_hot(labels, LABELS).permute(0, 3, 1, 2).double()
    blocks = (torch.randint(-8, 9, (1, 3, 8, 8)) / 8).double()
    picture = blocks.repeat_interleave(8, 2).repeat_interleave(8, 3)
    found = {"map": labels.byte(), "blocks": blocks.half().permute(0, 2, 3, 1)}
    made = {"restyled": styled(planes, E(picture)[0]), "of_map": mapped(planes)}
    found |= {name: y[:, :, 1::4, 2::4].permute(0, 2, 3, 1).float() for name, y in made.items()}
    found |= {f"logits{i}": each[-1][:, 0].float() for i, each in enumerate(D(torch.cat([planes, picture], 1)))}
    file = io.BytesIO()
    groups = {"G": half(styled), "E": half(E), "D": half(D)}
    groups["G_map"] = {f"fc.{name}": x.half() for name, x in mapped.fc.state_dict().items()}
    torch.save(groups, file, _use_new_zipfile_serialization=False)
    (Path(folder) / "spade.pth.xz").write_bytes(lzma.compress(file.getvalue(), preset=9))
    np.savez_compressed(Path(folder) / "spade.npz", **{name: x.numpy() for name, x in found.items()})


if __name__ == "__main__":
    main(sys.argv[1])
