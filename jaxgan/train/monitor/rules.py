"""What a run's numbers say about its health: pure rules, from a window of numbers to findings.

Metrics arrive step by step and are condensed into blocks of `BLOCK` steps. Rules look at the last `RECENT` blocks, the
last `WINDOW` blocks, and what was usual before. A rule says nothing where the metrics that it reads are missing, and
only what is sure: every threshold lies far from what runs that end well show (docs/monitor.md has the numbers).
"""

import itertools
import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from jaxgan.game import Duel
from jaxgan.train.monitor.findings import Finding

BLOCK = 16  # steps
RECENT = 4  # blocks that must agree before something is said
WINDOW = 32  # blocks that are remembered
BEFORE = 8  # blocks that make something usual

PERFECT = 0.98  # share of images recognised, from which a discriminator counts as one that makes no mistakes
STARVED = 0.05  # of the generator's largest gradient norm ...
STARVED_OF_D = 0.01  # ... or of the discriminator's
SATURATED = 0.02  # a generator's loss this close to 0 with D(G(z)) as small: log(1 - D(G(z))) has no slope there
HOPELESS = 0.02  # mean of D(G(z)) from which a generator's loss is to fall ...
LOSING = 16  # ... within so many blocks
FALLEN = 0.95  # of what it was
VANISHED = 1e-3  # of the largest gradient norm
APART = 0.75  # share of images recognised, from which a game has not come to rest at its solution
EXPLODED = 100.0  # times the usual gradient norm
LOUD = 10.0  # a gradient norm below this has not exploded, whatever it was before
MARGIN = 1000.0  # between logits of real and generated images
VALUE = -5.0  # mean of log D(x) + log(1 - D(G(z))), far below the -1.4 of guessing: sure, and wrong
RATIO = 1000.0  # between the players' gradient norms
WORSE = 0.4  # share of images recognised, below which a discriminator does worse than a coin
GROWTH = 4.0  # of an oscillation, from the first to the last quarter of the window
LOUDNESS = 0.1  # standard deviation of a loss, below which nobody cares how it swings
SWINGS = 6  # times that an oscillation crosses its mean in the window

Numbers = Mapping[str, float]


def condense(rows: Sequence[Numbers]) -> dict[str, float]:
    """One block: the mean of each metric of these steps, of gradient norms the median, which no single step moves."""
    names = [name for name in rows[0] if all(name in row for row in rows)]
    values = np.array([[row[name] for name in names] for row in rows])
    means, medians = values.mean(axis=0), np.median(values, axis=0)
    norms = [name.endswith("/grad_norm") for name in names]
    return dict(zip(names, np.where(norms, medians, means).tolist(), strict=True))


def usual_norms(blocks: Sequence[Numbers]) -> dict[str, float]:
    """The median of each gradient norm over the blocks; nothing where there are too few."""
    return _norms(blocks) if len(blocks) >= BEFORE else {}


def largest_norms(blocks: Sequence[Numbers], largest: Numbers) -> dict[str, float]:
    """`largest`, raised to the median of each gradient norm over the last blocks; a peak of a few steps is none."""
    recent = _norms(blocks[-RECENT:]) if len(blocks) >= RECENT else {}
    return {**largest, **{name: max(value, largest.get(name, 0.0)) for name, value in recent.items()}}


def look(
    blocks: Sequence[Numbers], usual: Numbers, largest: Numbers, duels: Sequence[Duel] = (Duel(),)
) -> list[Finding]:
    """What the metrics say, serious things first; of two findings of one kind the first.

    Args:
        blocks: the last `WINDOW` blocks or fewer, oldest first, each made by `condense`.
        usual: gradient norms as `usual_norms` gave them while nothing was wrong.
        largest: gradient norms as `largest_norms` has gathered them.
        duels: who plays whom; without any, the rules of gradients and losses alone apply.
    """
    if len(blocks) < RECENT:
        return []
    found = [finding for duel in duels for finding in _of_duel(blocks, largest, duel)]
    losses = [f"{player}/loss" for duel in duels for player in (duel.judge, duel.maker)] or _losses(blocks)
    found += [_exploding_norms(blocks[-RECENT:], usual, duels), _oscillating(blocks, losses)]
    first: dict[str, Finding] = {}
    for finding in filter(None, found):
        first.setdefault(finding.kind, finding)
    return sorted(first.values(), key=lambda finding: not finding.serious)


def _of_duel(blocks: Sequence[Numbers], largest: Numbers, duel: Duel) -> list[Finding | None]:
    recent = blocks[-RECENT:]
    strong = _too_strong(recent, largest, duel) or _losing(blocks, duel)
    return [
        strong,
        None if strong else _vanishing(recent, largest, duel),
        _exploding_logits(recent, duel),
        _ratio(recent, duel),
        _overwhelmed(recent, duel),
    ]


def _losses(blocks: Sequence[Numbers]) -> list[str]:
    return [name for name in blocks[-1] if name.endswith("/loss")]


def not_finite(what: str) -> Finding:
    """Numbers that are none any more, in words."""
    return Finding("not_finite", what, {})


def _too_strong(recent: Sequence[Numbers], largest: Numbers, duel: Duel) -> Finding | None:
    """Not said of a critic that measures a distance, which is meant to be as good as it can be (Arjovsky 2017)."""
    shares, norms = recognised(recent, duel.board), _norms(recent)
    maker, judge = f"{duel.maker}/grad_norm", f"{duel.judge}/grad_norm"
    if shares is None or min(shares) < PERFECT or maker not in norms or duel.critic == "distance":
        return None
    g, most, d = norms[maker], largest.get(maker, 0.0), norms.get(judge, 0.0)
    if g < STARVED * most:
        than = f"it was up to {most:.3g}"
    elif g < STARVED_OF_D * d:
        than = f"the discriminator's is {d:.3g}"
    elif all(_saturated(block, duel) for block in recent):
        than = "its loss is saturated"
    else:
        return None
    seen = (
        f"the discriminator is too strong: it recognises {_percent(shares[0])} of the real and {_percent(shares[1])} "
        f"of the generated images, and the generator's gradient starves at {g:.3g} ({than})"
    )
    numbers = {"accuracy_real": shares[0], "accuracy_fake": shares[1], maker: g, "largest": most}
    return Finding("strong_discriminator", seen, numbers)


def _losing(blocks: Sequence[Numbers], duel: Duel) -> Finding | None:
    """Where G's gradient does not starve, and still nothing comes of it: D is sure of all, and G's loss falls no more.

    Not said of a critic that measures a distance, of which D(G(z)) means nothing.
    """
    window, name, fake = blocks[-LOSING:], f"{duel.maker}/loss", f"{duel.board}d_fake"
    if len(window) < LOSING or duel.critic == "distance" or not all(name in b and fake in b for b in window):
        return None
    shares = recognised(window, duel.board)
    if shares is None or min(shares) < PERFECT or statistics.fmean(block[fake] for block in window) > HOPELESS:
        return None
    then, now = (statistics.fmean(block[name] for block in part) for part in (window[:RECENT], window[-RECENT:]))
    if now < FALLEN * then:
        return None
    seen = (
        f"the discriminator is too strong: it recognises {_percent(shares[0])} of the real and {_percent(shares[1])} "
        f"of the generated images, and the generator's loss does not fall: it was {then:.3g} and is {now:.3g} after "
        f"{LOSING * BLOCK} steps"
    )
    return Finding("strong_discriminator", seen, {"accuracy_real": shares[0], "accuracy_fake": shares[1], name: now})


def _saturated(block: Numbers, duel: Duel) -> bool:
    return max(abs(block.get(f"{duel.maker}/loss", 1)), block.get(f"{duel.board}d_fake", 1)) < SATURATED


def _vanishing(recent: Sequence[Numbers], largest: Numbers, duel: Duel) -> Finding | None:
    """Only where D tells images apart: a game that has come to rest at its solution has no gradients either."""
    shares = recognised(recent, duel.board)
    if shares is None or sum(shares) / 2 < APART:
        return None
    players = (f"{duel.maker}/grad_norm", f"{duel.judge}/grad_norm")
    norms = {name: norm for name, norm in _norms(recent).items() if name in players}
    gone = {name: norm for name, norm in norms.items() if norm < VANISHED * largest.get(name, 0.0)}
    if not gone:
        return None
    name, norm = min(gone.items(), key=lambda item: item[1])
    whose = _player(name, (duel,))
    seen = f"the gradient of {whose} has vanished: its norm is {norm:.3g} and was up to {largest[name]:.3g}"
    return Finding("vanishing", seen, {name: norm, "largest": largest[name]})


def _exploding_logits(recent: Sequence[Numbers], duel: Duel) -> Finding | None:
    """By V(D, G), which of logits that are no log-odds means nothing, and by the logits themselves."""
    values = [block[f"{duel.board}value"] for block in recent if f"{duel.board}value" in block]
    if len(values) == RECENT and statistics.fmean(values) < VALUE and duel.critic == "odds":
        value = statistics.fmean(values)
        seen = f"the discriminator explodes: V(D, G) is {value:.3g}, and would be -1.39 if it only guessed"
        return Finding("exploding", seen, {"value": value})
    margins = [abs(block[f"{duel.board}margin"]) for block in recent if f"{duel.board}margin" in block]
    if len(margins) == RECENT and min(margins) > MARGIN:
        seen = f"the discriminator explodes: its logits of real and generated images are {margins[-1]:.3g} apart"
        return Finding("exploding", seen, {"margin": margins[-1]})
    return None


def _exploding_norms(recent: Sequence[Numbers], usual: Numbers, duels: Sequence[Duel]) -> Finding | None:
    norms = [_norms([block]) for block in recent[-2:]]
    for name, before in usual.items():
        least = min((each.get(name, 0.0) for each in norms), default=0.0)
        if least > max(EXPLODED * before, LOUD):
            whose = _player(name, duels)
            seen = f"the gradient of {whose} explodes: its norm is {least:.3g} and was about {before:.3g}"
            return Finding("exploding", seen, {name: least, "usual": before})
    return None


def _ratio(recent: Sequence[Numbers], duel: Duel) -> Finding | None:
    names = (f"{duel.maker}/grad_norm", f"{duel.judge}/grad_norm")
    pairs = [tuple(block.get(name, 0.0) for name in names) for block in recent]
    if any(g == 0 or d == 0 for g, d in pairs):  # not there, or vanished
        return None
    ratios = [g / d for g, d in pairs]
    if min(ratios) < RATIO and max(ratios) > 1 / RATIO:
        return None
    larger = "generator" if ratios[-1] > 1 else "discriminator"
    size = max(ratios[-1], 1 / ratios[-1])
    seen = f"the players do not fit together: the {larger}'s gradient is {size:.3g} times as large as the other's"
    return Finding("gradient_ratio", seen, {"ratio": ratios[-1]})


def _overwhelmed(recent: Sequence[Numbers], duel: Duel) -> Finding | None:
    """Worse than a coin; a coin is what a discriminator is at the solution of the game, and nothing is wrong then."""
    shares = recognised(recent, duel.board)
    if shares is None or sum(shares) / 2 >= WORSE:
        return None
    seen = (
        f"the discriminator is overwhelmed: it recognises only {_percent(shares[0])} of the real and "
        f"{_percent(shares[1])} of the generated images, which is worse than guessing"
    )
    return Finding("weak_discriminator", seen, {"accuracy_real": shares[0], "accuracy_fake": shares[1]})


def _oscillating(blocks: Sequence[Numbers], losses: Sequence[str]) -> Finding | None:
    if len(blocks) < WINDOW:
        return None
    for name in losses:
        if not all(name in block for block in blocks):
            continue
        swings = _swings(np.array([block[name] for block in blocks]))
        if swings:
            first, last = swings
            seen = (
                f"{name} oscillates, and more and more: its swings have grown from {first:.3g} to {last:.3g} in "
                f"{WINDOW * BLOCK} steps"
            )
            return Finding("oscillation", seen, {"first": first, "last": last})
    return None


def _swings(values: np.ndarray) -> tuple[float, float] | None:
    """The standard deviations of the first and the last quarter, where they grow throughout and the curve swings."""
    quarters = np.split(values, 4)
    sizes = [float(np.std(_detrended(quarter))) for quarter in quarters]
    centred = _detrended(values)
    crossings = int(np.sum(centred[1:] * centred[:-1] < 0))
    grows = all(later > earlier for earlier, later in itertools.pairwise(sizes))
    large = sizes[-1] > max(GROWTH * sizes[0], 0.5 * abs(float(values.mean())), LOUDNESS)
    return (sizes[0], sizes[-1]) if grows and large and crossings >= SWINGS else None


def _detrended(values: np.ndarray) -> np.ndarray:
    """The values without the straight line through them."""
    times = np.arange(len(values)) - (len(values) - 1) / 2
    return values - values.mean() - times * (times @ values) / (times @ times)


def recognised(recent: Sequence[Numbers], board: str = "") -> tuple[float, float] | None:
    """Shares of real and of generated images that the discriminator recognises, or how sure it is; None if unknown.

    Args:
        recent: blocks.
        board: prefix of the scoreboard's metrics.
    """
    for real, fake in (("accuracy_real", "accuracy_fake"), ("d_real", "d_fake")):
        if all(board + real in block and board + fake in block for block in recent):
            shares = [statistics.fmean(block[board + name] for block in recent) for name in (real, fake)]
            return shares[0], shares[1] if fake == "accuracy_fake" else 1 - shares[1]
    return None


def _norms(blocks: Sequence[Numbers]) -> dict[str, float]:
    """The median of each gradient norm that all blocks have."""
    names = [name for name in blocks[-1] if name.endswith("/grad_norm") and all(name in block for block in blocks)]
    return {name: statistics.median(block[name] for block in blocks) for name in names}


def _player(name: str, duels: Sequence[Duel]) -> str:
    label = name.removesuffix("/grad_norm")
    words = {duels[0].maker: "the generator", duels[0].judge: "the discriminator"} if len(duels) == 1 else {}
    return words.get(label, label)


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"
