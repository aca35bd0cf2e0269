"""Make tests/metrics/fixtures/inception_golden.npz: what other people's networks give for shared random weights.

Command   python experiments/goldens/make_inception_golden.py
Needs     torch and torch-fidelity (0.4.0 made the stored file, with torch 2.13.0 on a CPU); no torchvision, no weights
Time      20 seconds
Contents  images           [4, 24, 33, 3] uint8: noise, a ramp, stripes, blocks
          2015/<tap>       of torch-fidelity's FeatureExtractorInceptionV3, loaded with `random_state(NET_2015, SEED)`
          torchvision/<tap> of the same layers with torchvision's pooling put in: averages that count the padding, in
                           the last block too; 1000 classes; bilinear resize by torch, mapped to [-1, 1]
          legacy/up, legacy/down  rows and columns SAMPLE of torch-fidelity's TensorFlow-1 resize to 299x299 of the
                           images above and of `pattern(350, 310)`
          bilinear/up, bilinear/down  the same of torch.nn.functional.interpolate

The weights are not stored: `random_state` makes them again from the seed.
"""

import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import torch
import torch.nn.functional as F

from jaxgan.metrics.inception.net import NET_2015, NET_TORCHVISION
from jaxgan.metrics.inception.params import random_state

SEED = 7
SAMPLE = np.r_[0:299:23, 296:299]  # the border too, which is where resizes differ in their own way
TARGET = Path(__file__).parents[2] / "tests" / "metrics" / "fixtures" / "inception_golden.npz"
LAYERS = {
    "64": ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "MaxPool_1"),
    "192": ("Conv2d_3b_1x1", "Conv2d_4a_3x3", "MaxPool_2"),
    "768": ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
    "features": ("Mixed_7a", "Mixed_7b", "Mixed_7c"),
}


def main() -> None:
    """Compute and store."""
    fidelity, interpolate = import_fidelity()
    images, large = make_images(), pattern(350, 310)[None]
    golden = {"images": images}
    golden |= {f"2015/{tap}": value for tap, value in features_2015(fidelity, images).items()}
    golden |= {f"torchvision/{tap}": value for tap, value in features_torchvision(fidelity, images[:2]).items()}
    for name, array in (("up", images), ("down", large)):
        x = to_torch(array).float()
        golden[f"legacy/{name}"] = sparse(interpolate(x, size=(299, 299), align_corners=False))
        golden[f"bilinear/{name}"] = sparse(bilinear(x))
    np.savez_compressed(TARGET, **golden)
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")


def import_fidelity() -> tuple[ModuleType, object]:
    """torch-fidelity's Inception and resize; the rest of it wants torchvision, which neither of them uses."""
    if "torchvision" not in sys.modules:
        for name in ("", ".datasets", ".transforms", ".transforms.functional", ".models"):
            sys.modules[f"torchvision{name}"] = MagicMock()
    from torch_fidelity import feature_extractor_inceptionv3, interpolate_compat_tensorflow

    return feature_extractor_inceptionv3, interpolate_compat_tensorflow.interpolate_bilinear_2d_like_tensorflow1x


def make_images() -> np.ndarray:
    """Four images of 24x33 that differ much from each other."""
    noise = (np.random.PCG64(SEED).random_raw(24 * 33 * 3) >> np.uint64(56)).astype(np.uint8).reshape(24, 33, 3)
    row, column, channel = np.meshgrid(np.arange(24), np.arange(33), np.arange(3), indexing="ij")
    ramp = row * 6 + column * 3 + channel * 10
    stripes = 255 * ((column + 2 * row + channel) % 7 < 3)
    blocks = 80 * ((row // 8 + column // 11 + channel) % 4)
    return np.stack([noise, *(each.astype(np.uint8) for each in (ramp, stripes, blocks))])


def pattern(height: int, width: int) -> np.ndarray:
    """One image, by formula, that does not change slowly anywhere."""
    row, column, channel = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((7 * row + 13 * column + 29 * channel + row * column % 31) % 256).astype(np.uint8)


def features_2015(fidelity: ModuleType, images: np.ndarray) -> dict[str, np.ndarray]:
    """All taps, and the spatial one by a hook on the first branch of Mixed_6d."""
    taps = ("64", "192", "768", "2048", "logits_unbiased", "logits")
    net = build(fidelity, taps)
    spatial = []
    net.Mixed_6d.branch1x1.register_forward_hook(lambda _, __, output: spatial.append(output[:, :7]))
    found = net.convert_features_tuple_to_dict(net(to_torch(images)))
    names = {"2048": "features", "logits_unbiased": "logits", "logits": "logits_biased"}
    values = {names.get(tap, tap): value.numpy() for tap, value in found.items()}
    return values | {"spatial": spatial[0].permute(0, 2, 3, 1).reshape(len(images), -1).numpy()}


def features_torchvision(fidelity: ModuleType, images: np.ndarray) -> dict[str, np.ndarray]:
    """The pooled features and the classifier's output."""
    net = build(fidelity, ("logits",))
    state = tensors(random_state(NET_TORCHVISION, SEED))
    net.fc = torch.nn.Linear(2048, 1000)
    net.load_state_dict(with_counters(state))
    net.requires_grad_(False).eval()
    real = fidelity.F

    def average(x: torch.Tensor, **_: object) -> torch.Tensor:
        return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=True)

    def maximum(x: torch.Tensor, **options: int) -> torch.Tensor:
        return average(x) if options["stride"] == 1 else F.max_pool2d(x, **options)

    fidelity.F = SimpleNamespace(avg_pool2d=average, max_pool2d=maximum, relu=F.relu)
    x, found = bilinear(to_torch(images).float()) / 255 * 2 - 1, {}
    for tap, names in LAYERS.items():
        for name in names:
            x = getattr(net, name)(x)
        found[tap] = x.mean((2, 3)).numpy()
    fidelity.F = real
    logits = net.fc(torch.tensor(found["features"])).numpy()
    return {"features": found["features"], "logits_biased": logits}


def build(fidelity: ModuleType, taps: tuple[str, ...]) -> torch.nn.Module:
    """torch-fidelity's network with the shared random weights, by way of a file, as its constructor wants."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.pth"
        torch.save(with_counters(tensors(random_state(NET_2015, SEED))), path)
        return fidelity.FeatureExtractorInceptionV3("random", list(taps), feature_extractor_weights_path=str(path))


def tensors(state: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """The same arrays as tensors."""
    return {name: torch.tensor(array) for name, array in state.items()}


def with_counters(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The entries that PyTorch's batch normalisations insist on."""
    names = [name.removesuffix("running_var") for name in state if name.endswith("running_var")]
    return state | {f"{name}num_batches_tracked": torch.tensor(0) for name in names}


def bilinear(x: torch.Tensor) -> torch.Tensor:
    """The resize of torch with its defaults."""
    return F.interpolate(x, size=(299, 299), mode="bilinear", align_corners=False)


def to_torch(images: np.ndarray) -> torch.Tensor:
    """Channels first."""
    return torch.tensor(images).permute(0, 3, 1, 2)


def sparse(x: torch.Tensor) -> np.ndarray:
    """Some rows and columns, channels last."""
    return x.permute(0, 2, 3, 1).numpy()[:, SAMPLE][:, :, SAMPLE]


if __name__ == "__main__":
    main()
