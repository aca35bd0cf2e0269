"""How close restored pictures are, beside what was done to them without learning.

Command     python experiments/restored.py RUN [RUN ...] [--picture coffee] [--at STRENGTH] [--out x.png]
Runs        of `jaxgan train restore`, of any --degradation
Pictures    a bundled photograph of 256 x 256 pixels; by default the one that no run on `photographs` was trained on
--at        standard deviation of the noise (of 255) or of the blur (pixels), or quality; the middle of the run's range
Prints      PSNR and SSIM in 8 bits over all three colours, higher is better, of the picture that was made worse (which
            of colours is the grey one, of JPEG the file's), of the run's restoration, and of
              denoise   medians of 3 x 3 or 5 x 5 pixels, and non-local means told the deviation (Buades et al. 2005)
              deblur    Wiener's filter told the blur (Orieux et al. 2010)
            whose settings are the best of a few for this very picture, which no user could know
--out       the middle of the picture: made worse, by the best of those, restored, the truth; a row a run
Takes       scikit-image: pip install '.[test]'
Time        half a minute a run on two cores
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import scipy.ndimage
from jaxtyping import UInt8
from skimage import restoration

from jaxgan.augment import blur
from jaxgan.data import photographs
from jaxgan.errors import UserError
from jaxgan.fields import image
from jaxgan.metrics.numbers.image_quality import psnr, ssim
from jaxgan.recipes.common.damage import damage
from jaxgan.recipes.restore import Config
from jaxgan.show.sheets import write_png
from jaxgan.train.run.load import Trained, load

SHOWN = 112  # pixels a side of the part that --out shows
MARGIN = 32  # mirrored pixels around a picture that Wiener's filter takes for periodic
RANGES = {"denoise": "noise", "deblur": "blur", "jpeg": "quality"}
Picture = UInt8[np.ndarray, "h w c"]


class Found(NamedTuple):
    """A form of the picture, and how close it is."""

    name: str
    picture: Picture
    psnr: float
    ssim: float


def main(args: Sequence[str] | None = None) -> None:
    """A table for each run."""
    options = parse(args)
    truth = photographs.photograph(options.picture)
    rows = []
    for run in options.runs:
        trained = load(run)
        config = trained.system.config
        if not isinstance(config, Config):
            raise UserError(f"{run} is no run of jaxgan train restore.")
        strength = options.at if options.at is not None else middle(config)
        found = forms(trained, config, truth, strength)
        at = f" at {RANGES[config.degradation]} {strength:g}" if config.degradation in RANGES else ""
        print(f"{run}: {options.picture}, {config.degradation}{at}")
        for each in found:
            print(f"  {each.name:24} PSNR {each.psnr:.2f} dB, SSIM {each.ssim:.4f}", flush=True)
        rows.append(strip(found, truth))
    if options.out:
        write_png(Path(options.out), np.concatenate(rows))


def parse(args: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Scores of restored pictures beside classical methods.")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folder of a run of jaxgan train restore")
    parser.add_argument("--picture", choices=(*photographs.TRAINED, photographs.HELD), default=photographs.HELD)
    parser.add_argument("--at", type=float, help="how much of it; the middle of the run's range unless given")
    parser.add_argument("--out", help="a .png file for a look at them")
    return parser.parse_args(args)


def middle(config: Config) -> float:
    """The middle of the range of what the run undoes."""
    ends = getattr(config, RANGES.get(config.degradation, "noise"))
    return sum(ends) / 2


def forms(trained: Trained, config: Config, truth: Picture, strength: float) -> list[Found]:
    """The picture made worse, by each classical method, and restored."""
    bad = made_worse(config, truth, strength)
    made = {"as it came": np.broadcast_to(bad, truth.shape)}
    for name, choices in classical(config.degradation, bad, strength):
        made[name] = max(choices, key=lambda picture: scores(truth, picture)[0])
    made["restored"] = restored(trained, bad)
    return [Found(name, picture, *scores(truth, picture)) for name, picture in made.items()]


def made_worse(config: Config, truth: Picture, strength: float) -> Picture:
    """As in training, with one strength, and noise that is always the same."""
    names = RANGES.values()
    ends = {name: (strength, strength) if RANGES.get(config.degradation) == name else (1.0, 1.0) for name in names}
    field = image(*truth.shape)
    degrade = damage(config.degradation, field, ends["noise"], ends["blur"], ends["quality"])
    bad = jax.jit(degrade)(jax.random.split(jax.random.key(0), 1), field.inside(truth[None]))
    return np.asarray(field.outside(bad))[0]


def restored(trained: Trained, bad: Picture) -> Picture:
    """What the run makes of it."""
    verb = trained.system.verb("translate")
    source, target = verb.given["source"], verb.makes["target"]
    keys = jax.random.split(jax.random.key(0), 1)
    made = jax.jit(lambda state, x: verb(state, {"source": x}, keys)["target"])(trained.state, source.inside(bad[None]))
    return np.asarray(target.outside(made))[0]


def classical(kind: str, bad: Picture, strength: float) -> Iterable[tuple[str, list[Picture]]]:
    """Methods without learning by name, each with a few settings."""
    if kind == "denoise":
        yield "median", [scipy.ndimage.median_filter(bad, (side, side, 1)) for side in (3, 5)]
        yield "non-local means", [non_local_means(bad, strength, share) for share in (0.5, 0.7, 0.9)]
    if kind == "deblur":
        yield "Wiener", [wiener(bad, strength, balance) for balance in (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3)]


def non_local_means(bad: Picture, deviation: float, share: float) -> Picture:
    """Means of pixels whose surroundings look alike."""
    sigma = deviation / 255
    how = {"patch_size": 5, "patch_distance": 6, "h": share * sigma, "sigma": sigma, "fast_mode": False}
    return eight_bit(restoration.denoise_nl_means(bad / np.float32(255), **how, channel_axis=-1))


def wiener(bad: Picture, deviation: float, balance: float) -> Picture:
    """The filter that undoes a known blur as far as noise allows."""
    kernel = np.asarray(blur.gaussian(deviation, deviation))
    padded = np.pad(bad / 255, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="reflect")
    made = [restoration.wiener(padded[..., i], kernel, balance, clip=False) for i in range(bad.shape[-1])]
    return eight_bit(np.stack(made, -1)[MARGIN:-MARGIN, MARGIN:-MARGIN])


def eight_bit(x: np.ndarray) -> Picture:
    """Numbers from 0 to 1 as a file has them."""
    return np.clip(np.rint(x * 255), 0, 255).astype(np.uint8)


def scores(truth: Picture, made: Picture) -> tuple[float, float]:
    """PSNR in decibels and SSIM."""
    x, y = truth[None], np.ascontiguousarray(made)[None]
    return float(psnr(x, y, data_range=255)[0]), float(ssim(x, y, data_range=255, border="valid")[0])


def strip(found: Sequence[Found], truth: Picture) -> Picture:
    """Made worse, the best classical form (where there is none, the same again), restored, the truth."""
    best = max(found[:-1], key=lambda each: each.psnr)
    top, left = ((side - SHOWN) // 2 for side in truth.shape[:2])
    shown = [found[0].picture, best.picture, found[-1].picture, truth]
    return np.concatenate([each[top : top + SHOWN, left : left + SHOWN] for each in shown], axis=1)


if __name__ == "__main__":
    main()
