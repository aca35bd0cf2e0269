"""The gallery: layout by hand, and refusing what the card's command did not make."""

import dataclasses

import cards
import gallery
import numpy as np
import pytest

from jaxgan import recipes
from jaxgan.errors import UserError
from jaxgan.train.run.config import RunConfig, settled, to_json

CARD = cards.load("lsgan")


def saved_run(**changes):
    """What config.json has of a run by the card's command."""
    config = settled(dataclasses.replace(recipes.load("lsgan").Config(), steps=2000))
    run = to_json(dataclasses.replace(RunConfig(), data="fashion_mnist_10k", seed=7, out="x"))
    return {"recipe": "lsgan", "config": to_json(config) | changes, "run": run}


def test_a_run_of_the_card_is_taken_whatever_its_seed():
    gallery.check("run", CARD, saved_run(), 2000)


@pytest.mark.parametrize(
    ("saved", "step", "words"),
    [
        (saved_run(g_learning_rate=0.5), 2000, "g_learning_rate is 0.5, the card's is "),
        (saved_run(steps=300), 300, "steps is 300, the card's is 2000"),
        (saved_run(), 1999, "step is 1999, the card's is 2000"),
        (saved_run() | {"run": {"data": "photos"}}, 2000, "data is photos, the card's is fashion_mnist_10k"),
        (saved_run() | {"run": {"data": "fashion_mnist_10k", "mirror": True}}, 2000, "mirror is True"),
    ],
)
def test_another_run_is_refused(saved, step, words):
    with pytest.raises(UserError, match=r"^run was not made by `jaxgan train lsgan --steps 2000`: " + words):
        gallery.check("run", CARD, saved, step)


def test_strips_lie_by_year_each_with_all_of_its_rows():
    grey, colour = np.full((28, 28, 1), 7, np.uint8), np.full((28, 28, 3), (9, 8, 7), np.uint8)
    later = gallery.Strip(cards.load("pix2pix"), [[grey] * 20, [colour] * 20])
    picture = gallery.gallery([later, gallery.Strip(cards.load("gan"), [[grey] * 20])])
    assert picture.shape == (56 + 6 + 56 + 2 + 56, gallery.WIDTH, 3)
    tiles = picture[:, gallery.NAME :]
    assert (tiles[:56, :56] == 7).all()
    assert (tiles[62:118, :56] == 7).all()
    assert (tiles[120:, :56] == (9, 8, 7)).all()
    assert (tiles[:, -2:] == 255).all()
    assert (picture[:56, : gallery.NAME] < 128).any()  # a name is written there
