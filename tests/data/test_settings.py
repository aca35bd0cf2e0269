"""Oracle: the rules of the module's docstrings, by example."""

import pytest

from jaxgan.data.settings import Fit, Header, Settings, agree, check
from jaxgan.errors import UserError


@pytest.mark.parametrize(
    ("sizes", "wish", "expected", "note"),
    [
        ([(28, 28)] * 3, None, (28, 28), ""),
        ([(20, 30)], None, (20, 30), ""),
        ([(512, 512)], None, (512, 512), ""),
        ([(600, 400)], None, (64, 64), "600x400 scaled and centre-cropped to 64x64 (--image-size takes another size)"),
        ([(20, 30), (9, 9)], None, (64, 64), "2 sizes from 9x9 to 20x30 scaled and centre-cropped to 64x64 "),
        ([(20, 30)], (32, 48), (32, 48), "20x30 scaled and centre-cropped to 32x48"),
        ([(32, 48)], (32, 48), (32, 48), ""),
        ([], None, (64, 64), "images scaled"),
    ],
)
def test_size(sizes, wish, expected, note):
    fit, text = agree([Header(*size, grey=False) for size in sizes], Settings(size=wish))
    assert fit == Fit(*expected, 3, "crop")
    assert text.startswith(note)
    assert bool(text) == bool(note)


@pytest.mark.parametrize(
    ("greys", "wish", "channels"),
    [([True, True], None, 1), ([True, False], None, 3), ([True], 3, 3), ([False], 1, 1), ([], None, 3)],
)
def test_channels(greys, wish, channels):
    fit, _ = agree([Header(8, 8, grey) for grey in greys], Settings(channels=wish))
    assert fit.channels == channels


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        ((0, "crop", None), "--image-size"),
        (((32, -1), "crop", None), "--image-size"),
        ((32, "squash", None), "--resize"),
        ((32, "crop", 2), "--channels"),
    ],
)
def test_impossible_values_name_the_option(arguments, option):
    with pytest.raises(UserError, match=option):
        check(*arguments)


def test_one_number_is_a_square():
    assert check(32, "pad", 1) == Settings((32, 32), "pad", 1)
