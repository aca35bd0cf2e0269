"""Make tests/metrics/fixtures/vgg19/{tiny.pth,tiny.npz}: VGG19 of few channels, and what PyTorch makes of a picture.

Command     python experiments/goldens/make_vgg_golden.py, with PyTorch 2.13 (it is no dependency of the package)
Made        a state dictionary with the names of torchvision's `vgg19`, random weights, and a dense layer that nobody
            needs; and, of a random picture of 20 x 17 pixels, the outputs of conv1_2, 2_2, 3_4, 4_4, 5_4 before
            activation. The sequence is written here from the paper's table 1 (arXiv:1409.1556); colours are brought to
            ImageNet's mean and deviation as torchvision does it
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

FOLDER = Path(__file__).parents[2] / "tests" / "metrics" / "fixtures" / "vgg19"
GROUPS = ((2, 2), (2, 3), (4, 3), (4, 2), (4, 2))  # convolutions and channels between poolings


def main() -> None:
    """Write both files."""
    torch.manual_seed(19)
    layers, taps, channels = [], [], 3
    for depth, width in GROUPS:
        for _ in range(depth):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        taps.append(len(layers) - 2)
        layers.append(nn.MaxPool2d(2))
    network = nn.Sequential(*layers)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5)
    x = torch.rand(1, 3, 20, 17) * 2 - 1
    h = ((x + 1) / 2 - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[
        :, None, None
    ]
    made = {"x": x}
    with torch.no_grad():
        for number, layer in enumerate(network[: taps[-1] + 1]):
            h = layer(h)
            if number in taps:
                made[f"map{taps.index(number)}"] = h.clone()
    state = {f"features.{name}": value for name, value in network.state_dict().items()}
    state |= {"classifier.0.weight": torch.zeros(2, 2), "classifier.0.bias": torch.zeros(2)}
    FOLDER.mkdir(exist_ok=True)
    torch.save(state, FOLDER / "tiny.pth", _use_new_zipfile_serialization=False)
    np.savez_compressed(
        FOLDER / "tiny.npz", **{name: value.numpy().transpose(0, 2, 3, 1) for name, value in made.items()}
    )


if __name__ == "__main__":
    main()
