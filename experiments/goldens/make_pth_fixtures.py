"""Make tests/weights/fixtures/{zip,legacy}.pth: small files of `torch.save` in both of its formats.

Command   python experiments/goldens/make_pth_fixtures.py
Needs     torch (2.13.0 made the stored files)
Time      2 seconds
Contents  a state dictionary, with PyTorch's version notes as attributes: a convolution with batch normalisation; a
          parameter; arrays of all dtypes; a transposed array; a part of one; two arrays that share their numbers; one
          without axes; one without elements
"""

from pathlib import Path

import torch

FOLDER = Path(__file__).parents[2] / "tests" / "weights" / "fixtures"


def main() -> None:
    """Store both."""
    state = make_state()
    torch.save(state, FOLDER / "zip.pth")
    torch.save(state, FOLDER / "legacy.pth", _use_new_zipfile_serialization=False)


def make_state() -> dict[str, torch.Tensor]:
    """Numbers that a formula gives, so that the test needs no copy of them."""
    net = torch.nn.Sequential(torch.nn.Conv2d(2, 3, (1, 2), bias=False), torch.nn.BatchNorm2d(3))
    state = net.state_dict()
    for name, tensor in state.items():
        tensor.copy_(torch.arange(tensor.numel()).reshape(tensor.shape) / 8 if "num" not in name else torch.tensor(5))
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    state["parameter"] = torch.nn.Parameter(base[0] + 0.5)
    for dtype in ("float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"):
        state[dtype] = torch.arange(6).reshape(2, 3).to(getattr(torch, dtype))
    state["bool"] = torch.tensor([True, False])
    state["transposed"] = base.permute(2, 0, 1)
    state["part"] = base[1, 1:, ::2]
    state["scalar"] = torch.tensor(2.5)
    state["empty"] = torch.zeros(0, 3)
    return state


if __name__ == "__main__":
    main()
