"""Run cards: what a run of each system takes, and what to expect of it; one system a file.

`python experiments/card.py NAME` prints a card and trains as it says. The README's table is made of the cards.
"""

import importlib
import pkgutil
from typing import NamedTuple

TWO_CORES = "two cores of an AMD EPYC (Zen 4), shared with other work"
CLOTHES = "the 10,000 bundled images of clothes; `--data fashion_mnist` takes the full set through TFDS"
DISTANCE = "FD[fashion-cnn 6a0f1632, 28x28 resize, 10000 vs 5000]"


class Card(NamedTuple):
    """A run that was made, and what came out.

    Attributes:
        system: its name in the literature.
        papers: name and address of each.
        command: what was run, as typed.
        data: what it was trained on.
        time: from its first line to its last.
        expect: what one sees, and when.
        measured: the README's words on it.
        numbers: further numbers, each with its protocol.
        picture: a file of samples.
        hardware: where it was run.
        not_run: where it was not.
    """

    system: str
    papers: tuple[tuple[str, str], ...]
    command: str
    data: str
    time: str
    expect: str
    measured: str
    numbers: str = ""
    picture: str = ""
    hardware: str = TWO_CORES
    not_run: str = "GPU, TPU"


def names() -> list[str]:
    """The systems that have a card."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Card:
    """The card of `name`."""
    return importlib.import_module(f"cards.{name}").CARD


def readme_table() -> str:
    """The README's table of systems, by year of their first paper."""
    head = ["| system | paper | command | measured |", "|---|---|---|---|"]
    return "\n".join([*head, *(_row(card) for card in sorted(map(load, names()), key=year))])


def _row(card: Card) -> str:
    papers = ", ".join(f"[{name}]({address})" for name, address in card.papers)
    return f"| {card.system} | {papers} | `{card.command}` | {card.measured} |"


def year(card: Card) -> str:
    """By what cards are put in order: the number of the first paper."""
    return card.papers[0][1].rpartition("/")[2]  # arXiv's numbers begin with year and month
