"""What recipes say that usually helps. Oracle: the options that a run has, and how it is configured, by hand."""

import pytest

from jaxgan import fields
from jaxgan.recipes import cgan, dcgan, gan, infogan, r3gan, wgan
from jaxgan.recipes.common.cures import cures_of

SPEC = {"image": fields.image(32, 32, 1), "label": fields.label(("a", "b"))}


@pytest.mark.parametrize(
    ("kind", "recipe", "options", "cures"),
    [
        (
            "strong_discriminator",
            gan,
            {"loss": "minimax"},
            ["a lower --d-learning-rate", "--loss non_saturating", "--penalty r1", "the recipe r3gan"],
        ),
        # Neither what is done already, nor options that the recipe does not have, nor the recipe itself.
        ("strong_discriminator", gan, {"penalty": "r1"}, ["a lower --d-learning-rate", "the recipe r3gan"]),
        ("duplicates", wgan, {}, ["--minibatch-std 4", "the recipe r3gan"]),
        ("duplicates", infogan, {}, ["the recipe r3gan"]),
        ("duplicates", r3gan, {}, ["a larger --gamma"]),
        (
            "weak_discriminator",
            gan,
            {"penalty": "r1", "penalty_weight": 1e3, "label_noise": 0.4},
            [
                "a lower --g-learning-rate",
                "a lower --penalty-weight",
                "a lower --label-noise",
                "a larger discriminator",
            ],
        ),
        ("weak_discriminator", gan, {}, ["a lower --g-learning-rate", "a larger discriminator"]),
        # Nor what it refuses, or has a like of.
        ("duplicates", gan, {}, ["--packing 2", "--unroll 5", "--critics 2", "--penalty r1", "the recipe r3gan"]),
        ("duplicates", gan, {"packing": 4}, ["--unroll 5", "--critics 2", "--penalty r1", "the recipe r3gan"]),
        ("duplicates", gan, {"top_k": 0.5}, ["--unroll 5", "--critics 2", "--penalty r1", "the recipe r3gan"]),
        ("duplicates", gan, {"batch_size": 63}, ["--unroll 5", "--critics 2", "--penalty r1", "the recipe r3gan"]),
        ("duplicates", gan, {"penalty": "r2"}, ["--packing 2", "--unroll 5", "--critics 2", "the recipe r3gan"]),
        ("duplicates", gan, {"penalty": "r1_r2"}, ["--packing 2", "--unroll 5", "--critics 2", "the recipe r3gan"]),
        (
            "duplicates",
            gan,
            {"penalty": "dragan"},
            ["--packing 2", "--unroll 5", "--critics 2", "--penalty r1", "the recipe r3gan"],
        ),
        ("duplicates", gan, {"unroll": 3, "critics": 3}, ["--packing 2", "--penalty r1", "the recipe r3gan"]),
        ("duplicates", gan, {"accumulate": 2}, ["--packing 2", "--critics 2", "--penalty r1", "the recipe r3gan"]),
        (
            "duplicates",
            dcgan,
            {"d_norm": "none", "minibatch_std": 8, "unroll": 1},
            ["--packing 2", "--critics 2", "--penalty r1", "the recipe r3gan"],
        ),
        (
            "duplicates",
            dcgan,
            {"d_norm": "none", "unroll": 1, "batch_size": 18},
            ["--packing 2", "--critics 2", "--penalty r1", "the recipe r3gan"],
        ),
        (
            "duplicates",
            cgan,
            {},
            ["--minibatch-std 4", "--unroll 5", "--critics 2", "--penalty r1", "the recipe r3gan"],
        ),  # packing joins images of several classes
        (
            "oscillation",
            gan,
            {},
            [
                "lower --g-learning-rate and --d-learning-rate",
                "a lower --beta1",
                "--updates optimistic",
                "--unroll 5",
                "--penalty r1",
                "the recipe r3gan",
            ],
        ),
        (
            "oscillation",
            gan,
            {"n_critic": 2, "beta1": 0.0},
            ["lower --g-learning-rate and --d-learning-rate", "--unroll 5", "--penalty r1", "the recipe r3gan"],
        ),
        (
            "oscillation",
            gan,
            {"penalty": "dragan", "penalty_every": 4},
            [
                "lower --g-learning-rate and --d-learning-rate",
                "a lower --beta1",
                "--penalty r1",
                "the recipe r3gan",
            ],
        ),
    ],
)
def test_help_is_what_the_run_can_do(kind, recipe, options, cures):
    assert list(recipe.build(recipe.Config(**options), SPEC).cures[kind]) == cures


def test_without_options_little_helps():
    assert cures_of(object())["weak_discriminator"] == ("a larger discriminator",)
    assert cures_of(object(), without=("the recipe r3gan",))["duplicates"] == ()
