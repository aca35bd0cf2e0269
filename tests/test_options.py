"""The command line of a dataclass. Oracle: the sentences a user should read, and the dataclass."""

import dataclasses
from typing import Literal

import pytest

from jaxgan.errors import UserError
from jaxgan.options import check_fields, parse
from jaxgan.recipes.common.base import LatentConfig
from jaxgan.train.run.config import RunConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """Of a recipe."""

    batch_size: int = 64
    """Images per step."""
    rate: float = 0.1
    """A rate."""
    widths: tuple[int, ...] = (2, 3)
    """Widths."""
    loss: Literal["a", "b"] = "a"
    """A loss."""
    tied: bool = False
    """A switch."""


def read(text):
    return parse("jaxgan train toy", "A toy.", (Recipe, RunConfig), text.split())


def test_defaults():
    assert read("") == [Recipe(), RunConfig()]


def test_all_kinds_of_values():
    recipe, run = read(
        "--batch-size=8 --rate 3 --widths 4 5 6 --loss b --tied --image-size 48 64 --out x --resident on"
    )
    assert recipe == Recipe(batch_size=8, rate=3.0, widths=(4, 5, 6), loss="b", tied=True)
    assert run == RunConfig(image_size=(48, 64), out="x", resident="on")
    assert type(recipe) is Recipe
    assert read("--image-size 32 --batch_size 9")[1].image_size == 32
    assert read("--seed -3 --rate -.5")[0].rate == -0.5


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("--batchsize 3", "jaxgan train toy has no option --batchsize; did you mean --batch-size?"),
        ("--data=", "--data takes a text, got an empty one."),
        ("--out=", "--out takes a text, got an empty one."),
        ("--zzz", "jaxgan train toy has no option --zzz; jaxgan train toy --help lists them all."),
        ("--batch-size x", "--batch-size takes a whole number, got x."),
        ("--batch-size 1.5", "--batch-size takes a whole number, got 1.5."),
        ("--batch-size", "--batch-size takes a whole number, got nothing."),
        ("--rate=fast", "--rate takes a number, got fast."),
        ("--loss c", "--loss takes one of a, b, got c."),
        ("--parallel foo --seed 1", "--parallel takes one of jit, pmap, shard_map, got foo."),
        ("--widths a b", "--widths takes whole numbers, got a b."),
        ("--image-size x", "--image-size takes a whole number or 2 whole numbers or None, got x."),
        ("--lr 1", "jaxgan train toy has no option --lr; jaxgan train toy --help"),
        ("--gpu", "jaxgan train toy has no option --gpu; jaxgan train toy --help"),
        ("photos", "jaxgan train toy takes options alone, got photos; say --data photos; jaxgan train"),
        (
            "stray",
            "jaxgan train toy takes options alone, got stray; say --data stray; jaxgan train toy --help lists",
        ),
        ("--seed 1 --batch_size 8 stray --out x", "--batch-size takes a whole number, got 8 stray."),
        ("--seed 1 --no-tied x", "--no-tied takes no value, got x."),
    ],
)
def test_one_sentence_for_a_mistake(text, sentence, capsys):
    with pytest.raises(UserError) as caught:
        read(text)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr() == ("", "")


def test_help_lists_every_option_with_its_default(capsys):
    with pytest.raises(SystemExit) as stop:
        read("--help")
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for kind in (Recipe, RunConfig):
        for field in dataclasses.fields(kind):
            shown = f"--{field.name.rstrip('_').replace('_', '-')}"
            assert shown in text, shown
    assert "Images per step. (default: 64)" in " ".join(text.replace("│", " ").split())
    assert "recipe options" in text
    assert "run options" in text


def test_a_field_that_a_subclass_gives_anew_keeps_its_bounds():
    """`beta1` may be 0 in the base; what a base says of another field does not reach it."""

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Mine(LatentConfig):
        beta1: float = 0.0
        scale: float = 1.0

    check_fields(Mine())
    with pytest.raises(UserError, match=r"^--beta1 must be at least 0 and below 1, got 1\.0\.$"):
        check_fields(Mine(beta1=1.0))
    with pytest.raises(UserError, match=r"^--scale must be above 0, got 0\.0\.$"):
        check_fields(Mine(scale=0.0))
