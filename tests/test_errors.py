"""What may have been meant. Oracle: what a person would say, for names and for what is near to none."""

import pytest

from jaxgan.errors import did_you_mean

OPTIONS = (
    *("--batch-size", "--d-learning-rate", "--g-learning-rate", "--d-width", "--g-width", "--loss", "--out", "--remat"),
    *("--steps", "--seed", "--resize", "--image-size", "--help", "--data", "--penalty-every"),
)
RECIPES = ("cgan", "dcgan", "gan", "pix2pix", "wgan", "wgan_gp")


@pytest.mark.parametrize(
    ("text", "names", "near"),
    [
        ("--lr", OPTIONS, "--d-learning-rate or --g-learning-rate"),
        ("--learning-rate", OPTIONS, "--d-learning-rate or --g-learning-rate"),
        ("--d-lr", OPTIONS, "--d-learning-rate"),
        ("--width", OPTIONS, "--d-width or --g-width"),
        ("--bs", OPTIONS, "--batch-size"),
        ("--batch", OPTIONS, "--batch-size"),
        ("--stepz", OPTIONS, "--steps"),
        ("--output", OPTIONS, "--out"),
        ("--dataset", OPTIONS, "--data"),
        ("--gpu", OPTIONS, ""),
        ("--epochs", OPTIONS, ""),
        ("--ema", OPTIONS, ""),
        ("--penalty", ("--remat", "--clip", "--n-critic"), ""),
        ("DCGAN", RECIPES, "dcgan"),
        ("wgan-gp", RECIPES, "wgan_gp"),
        ("biggan", RECIPES, ""),
        ("vae", RECIPES, ""),
        ("Cat", ("cat", "dog"), "cat"),
        ("--", OPTIONS, ""),
        ("", RECIPES, ""),
    ],
)
def test_only_what_is_plausible_is_suggested(text, names, near):
    assert did_you_mean(text, names) == (f"did you mean {near}?" if near else "")
