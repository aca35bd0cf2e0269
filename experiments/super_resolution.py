"""How close and how lifelike the enlarged pictures of a run of `srgan` or `esrgan` are, beside bicubic ones.

Command     python experiments/super_resolution.py RUN [RUN ...] [--picture coffee] [--interpolate 0.5] [--out x.png]
Runs        of `jaxgan train srgan` or `esrgan` that kept the checkpoint in which stage 1 ended
Pictures    a bundled photograph of 256 x 256 pixels; by default the one that no run on `photographs` was trained on
Prints      of bicubic enlargement, of stage 1, of stage 2 and, where asked for, of networks interpolated between them:
            PSNR and SSIM of the luminance of 8-bit pictures without a border as wide as the factor, higher is better;
            as two fixed networks see them (`seen_by.perceptual`; no LPIPS), lower is better: the distance at each
            place, and that of patches wherever they lie, a Fréchet distance between the feature vectors of all places,
            after activation, summed over maps, in the form of the single image FID (Shaham et al. 2019, SinGAN,
            arXiv:1905.01164, section 4.2);
            stage 2 is trained on random's maps unless --features says otherwise, so that fashion-cnn is the judge;
            how much detail there is: the mean square of the Laplacian over that of the truth, 1 being as much
--out       the middle of the picture in these forms, and the truth, from left to right
Time        10 s a run on two cores
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import UInt8

from jaxgan.data import photographs
from jaxgan.errors import UserError
from jaxgan.layers.bicubic import enlarge
from jaxgan.metrics.numbers.frechet import frechet_distance
from jaxgan.metrics.numbers.image_quality import crop_border, luma, psnr, ssim
from jaxgan.metrics.seen_by import perceptual
from jaxgan.recipes.common.superres import SuperConfig
from jaxgan.show.sheets import write_png
from jaxgan.train.run.load import Trained, described, load

SHOWN = 128  # pixels a side of the part that --out shows
Pictures = UInt8[np.ndarray, "1 h w c"]


class Seen(NamedTuple):
    """What a network sees: the distance at each place, and that of patches wherever they lie."""

    distance: float
    patches: float


class Scores(NamedTuple):
    """What an enlarged picture is like; the module says what each number is."""

    psnr: float
    ssim: float
    fashion_cnn: Seen
    random: Seen
    detail: float


def main(args: Sequence[str] | None = None) -> None:
    """A table for each run."""
    options = parse(args)
    truth = photographs.photograph(options.picture)[None]
    strips = []
    for run in options.runs:
        made, scale = forms(run, truth, options.interpolate)
        print(f"{run}: {options.picture}")
        for name, picture in made.items():
            print(line(name, scores(truth, picture, scale)), flush=True)
        strips.append(np.concatenate([_middle(each[0]) for each in (*made.values(), truth)], axis=1))
    if options.out:
        write_png(Path(options.out), np.concatenate(strips))


def parse(args: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Scores of enlarged pictures beside bicubic ones.")
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folder of a run of jaxgan train srgan or esrgan")
    parser.add_argument("--picture", choices=(*photographs.TRAINED, photographs.HELD), default=photographs.HELD)
    parser.add_argument("--interpolate", type=float, nargs="*", default=[], help="shares of stage 2's network")
    parser.add_argument("--out", help="a .png file for a look at them")
    return parser.parse_args(args)


def forms(run: str, truth: Pictures, shares: Sequence[float]) -> tuple[dict[str, Pictures], int]:
    """The picture made small and large again in every way, and the factor.

    Raises:
        UserError: a run of another recipe, or one without its two stages.
    """
    last = load(run)
    config = last.system.config
    if not isinstance(config, SuperConfig) or not config.pixel_steps:
        raise UserError(f"{run} is no run of srgan or esrgan with two stages.")
    small = last.system.derives["source"].make(truth[0])[None]
    made = {"bicubic": bicubic(small, config.scale), "stage 1": enlarged(load(run, config.pixel_steps), small)}
    made |= {name: enlarged(_sharing(last, share), small) for name, share in _named(shares)}
    return made, config.scale


def _middle(picture: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "m n c"]:
    top, left = ((side - SHOWN) // 2 for side in picture.shape[:2])
    return picture[top : top + SHOWN, left : left + SHOWN]


def _named(shares: Sequence[float]) -> list[tuple[str, float]]:
    return [*((f"{share:g} of 2", share) for share in shares), ("stage 2", 1.0)]


def _sharing(last: Trained, share: float) -> Trained:
    """The run, its pictures made by so large a share of stage 2's network."""
    return last._replace(system=described(last.folder.root, changes={"interpolate": share}).system)


def bicubic(small: Pictures, scale: int) -> Pictures:
    """Enlarged as MATLAB does it, rounded to 8 bits."""
    return np.asarray(jnp.clip(jnp.round(enlarge(jnp.float32(small), scale)), 0, 255).astype(jnp.uint8))


def enlarged(trained: Trained, small: Pictures) -> Pictures:
    """What a trained system makes of it."""
    verb = trained.system.verb("translate")
    source, target = verb.given["source"], verb.makes["target"]
    keys = jax.random.split(jax.random.key(0), len(small))
    made = jax.jit(lambda state, x: verb(state, {"source": x}, keys)["target"])(trained.state, source.inside(small))
    return np.asarray(target.outside(made))


def scores(truth: Pictures, made: Pictures, scale: int) -> Scores:
    """How close and how lifelike."""
    y, y_made = (luma(crop_border(each, scale)) for each in (truth, made))
    trained, drawn = (judged(perceptual.named(name), truth, made) for name in ("fashion-cnn", "random"))
    close = float(psnr(y, y_made, data_range=255)[0]), float(ssim(y, y_made, data_range=255, border="valid")[0])
    return Scores(*close, trained, drawn, detail(np.asarray(y_made)) / detail(np.asarray(y)))


def judged(network: perceptual.Perceptual, truth: Pictures, made: Pictures) -> Seen:
    """Both distances as this network sees them."""
    pair = [jnp.float32(each) / 127.5 - 1 for each in (truth, made)]
    look = jax.jit(network.maps)
    maps = zip(*(look(network.params, each) for each in pair), strict=True)
    vectors = ([np.maximum(np.asarray(x, np.float64), 0).reshape(-1, x.shape[-1]) for x in both] for both in maps)
    patches = sum(frechet_distance(*both).value for both in vectors)
    return Seen(float(perceptual.distance(network, *pair)[0]), patches)


def detail(grey: np.ndarray) -> float:
    """Mean square of the Laplacian of pictures [n, h, w, 1]."""
    middle = grey[:, 1:-1, 1:-1]
    around = grey[:, 2:, 1:-1] + grey[:, :-2, 1:-1] + grey[:, 1:-1, 2:] + grey[:, 1:-1, :-2]
    return float(np.square(around - 4 * middle).mean())


def line(name: str, found: Scores) -> str:
    """One row of text."""
    seen = [f"{name} {each.distance:.4f}, patches {each.patches:.4f}" for name, each in _judges(found)]
    return (
        f"  {name:10} PSNR-Y {found.psnr:.2f} dB, SSIM-Y {found.ssim:.4f}; {'; '.join(seen)}; detail {found.detail:.2f}"
    )


def _judges(found: Scores) -> list[tuple[str, Seen]]:
    return [("fashion-cnn", found.fashion_cnn), ("random", found.random)]


if __name__ == "__main__":
    main()
