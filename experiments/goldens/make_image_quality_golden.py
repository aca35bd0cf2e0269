"""PSNR, SSIM, MS-SSIM and luminance by independent libraries, for tests/metrics/numbers/test_image_quality.py.

Command: python -m experiments.goldens.make_image_quality_golden > tests/metrics/fixtures/image_quality.json
Needs torchmetrics 1.9, piq 0.8, scikit-image 0.26; seconds on a CPU. All in float64.
"""

import json
import sys
from importlib.machinery import ModuleSpec
from unittest.mock import MagicMock

import numpy as np
import torch
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from tests.metrics import image_pairs

# Both libraries import torchvision for other metrics; the functions below never call it.
for name in ("", ".transforms", ".transforms.functional", ".datasets", ".models"):
    module = f"torchvision{name}"
    sys.modules.setdefault(module, MagicMock(__spec__=ModuleSpec(module, None), __version__="0"))

import piq  # noqa: E402
from torchmetrics.functional.image.ssim import (  # noqa: E402
    multiscale_structural_similarity_index_measure as ms_ssim,
)
from torchmetrics.functional.image.ssim import structural_similarity_index_measure as ssim  # noqa: E402


def tensor(images):
    return torch.from_numpy(np.moveaxis(np.asarray(images, np.float64), -1, 1).copy())


def values(real, fake, data_range):
    a, b = tensor(real), tensor(fake)
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": -1}
    pairs = [(x.astype(np.float64), y.astype(np.float64)) for x, y in zip(real, fake)]
    return {
        "psnr_skimage": [peak_signal_noise_ratio(x, y, data_range=data_range) for x, y in pairs],
        "ssim_torchmetrics": ssim(b, a, data_range=data_range, reduction="none").tolist(),
        "ssim_skimage": [structural_similarity(x, y, data_range=data_range, **window) for x, y in pairs],
        "ssim_piq": piq.ssim(b, a, data_range=data_range, reduction="none", downsample=False).tolist(),
        "ms_ssim_torchmetrics": ms_ssim(b, a, data_range=data_range, reduction="none", normalize="relu").tolist(),
    }


def main():
    golden = {"noise": values(*image_pairs.noise(), 1.0), "waves": values(*image_pairs.waves(), 255.0)}
    # For more channels than one, and for sides that 16 does not divide, piq has rules of its own.
    one_channel = (tensor(x)[:, :1] for x in image_pairs.noise())
    golden["ms_ssim_piq_noise"] = piq.multi_scale_ssim(*one_channel, data_range=1.0, reduction="none").tolist()
    luma = rgb2ycbcr(image_pairs.waves()[0] / 255)[..., 0]
    golden["luma_skimage_waves"] = luma[:, ::60, ::60].tolist()
    print(json.dumps(golden, indent=1))


if __name__ == "__main__":
    main()
