"""Run cards: each recipe has one, each can be run as it stands, and the README's table is made of them."""

import shlex
from pathlib import Path

import card
import cards
import pytest

from jaxgan import recipes
from jaxgan.options import parse
from jaxgan.train.cluster.joining import Cluster
from jaxgan.train.run.config import RunConfig

ROOT = Path(__file__).parents[2]


def test_every_recipe_of_the_package_has_a_card_and_every_card_a_recipe():
    assert set(cards.names()) == set(recipes.names())


@pytest.mark.parametrize("name", cards.names())
def test_a_card_names_its_own_command_and_its_pictures_are_there(name):
    its = cards.load(name)
    program, command, recipe, *options = shlex.split(its.command)
    assert (program, command, recipe) == ("jaxgan", "train", name)
    parse("", "", (recipes.load(recipe).Config, RunConfig, Cluster), options)  # a UserError for a wrong option
    assert not its.picture or (ROOT / its.picture).is_file()
    assert all((its.system, its.papers, its.data, its.time, its.expect, its.measured, its.hardware))


def test_the_table_of_the_readme_is_made_of_the_cards():
    assert cards.readme_table() in (ROOT / "README.md").read_text()


def test_a_card_is_printed_before_its_run_and_options_win_over_its_own(monkeypatch, capsys):
    given = []
    monkeypatch.setattr(card, "jaxgan", lambda args: given.extend(args) or 0)
    assert card.main(["lsgan", "--steps", "3"]) == 0
    assert given == ["train", "lsgan", "--steps", "2000", "--steps", "3"]
    assert "Mao et al. 2017 (https://arxiv.org/abs/1611.04076)" in capsys.readouterr().out


def test_an_unknown_card_is_one_sentence(capsys):
    assert card.main(["lsgn"]) == 2
    assert capsys.readouterr().err.startswith("there is no card 'lsgn'; the cards are biggan, biggan_deep, ")
