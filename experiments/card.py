"""Trains a system as its run card says, after printing the card; or prints the README's table of all cards.

Command     python experiments/card.py NAME [OPTIONS]    (options as for `jaxgan train NAME`; they win over the card's)
            python experiments/card.py                   lists the cards
            python experiments/card.py --readme          prints the README's table
"""

import shlex
import sys
from collections.abc import Sequence
from textwrap import fill

import cards

from jaxgan.cli import main as jaxgan


def main(args: Sequence[str]) -> int:
    """The command; returns its exit status."""
    if not args:
        print("\n".join(f"{name:12}{cards.load(name).command}" for name in cards.names()))
        return 0
    if args[0] == "--readme":
        print(cards.readme_table())
        return 0
    if args[0] not in cards.names():
        print(f"there is no card {args[0]!r}; the cards are {', '.join(cards.names())}.", file=sys.stderr)
        return 2
    card = cards.load(args[0])
    print(text(card), flush=True)
    return jaxgan([*shlex.split(card.command)[1:], *args[1:]])


def text(card: cards.Card) -> str:
    """The card, a line a fact."""
    facts = card._asdict() | {"papers": ", ".join(f"{name} ({address})" for name, address in card.papers)}
    return "\n".join(
        fill(f"{name.replace('_', ' '):10}  {value}", 120, subsequent_indent=" " * 12)
        for name, value in facts.items()
        if value
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
