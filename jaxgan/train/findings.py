"""What the monitor finds, and what usually helps."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

SERIOUS = ("not_finite", "exploding", "collapse", "duplicates")
"""Kinds of findings that --on-collapse acts on at once: nothing that training does from there on is worth having."""

_RATES = "lower --g-learning-rate and --d-learning-rate"
_R3GAN = "the recipe r3gan"
_SMOOTHER = ("--penalty r1", "a larger --gamma", _R3GAN)
CURES = {
    "not_finite": (_RATES, *_SMOOTHER),
    "exploding": (_RATES, *_SMOOTHER),
    "collapse": (_RATES, *_SMOOTHER),
    "duplicates": ("--packing 2", *_SMOOTHER),
    "strong_discriminator": ("a lower --d-learning-rate", "--loss non_saturating", *_SMOOTHER),
    "weak_discriminator": (
        "a lower --g-learning-rate",
        "a lower --penalty-weight",
        "a lower --label-noise",
        "a larger discriminator",
    ),
    "vanishing": (_RATES, "--loss non_saturating", *_SMOOTHER),
    "gradient_ratio": (_RATES, *_SMOOTHER),
    "oscillation": (_RATES, "a lower --beta1", "--updates optimistic", *_SMOOTHER),
}
"""What usually helps against each kind."""

_POINTLESS: dict[str, Callable[[Any], bool]] = {
    "--packing 2": lambda config: (
        config.packing > 1 or getattr(config, "top_k", 1) < 1 or getattr(config, "batch_size", 2) % 2 == 1
    ),
    "--penalty r1": lambda config: config.penalty in ("r1", "r2", "r1_r2"),
    "a lower --penalty-weight": lambda config: getattr(config, "penalty", "") == "none",
    "--updates optimistic": lambda config: (
        getattr(config, "n_critic", 1) > 1 or getattr(config, "penalty_every", 1) > 1
    ),
}
"""Which runs refuse a cure (`recipes.toolbox.check_toolbox`), or have as much of it already."""


class Finding(NamedTuple):
    """Something that goes wrong.

    Attributes:
        kind: its name, a key of `CURES`.
        seen: what is seen, with numbers; the beginning of a sentence.
        numbers: those numbers.
    """

    kind: str
    seen: str
    numbers: dict[str, float]

    @property
    def serious(self) -> bool:
        """Whether --on-collapse acts on it as soon as it is said; `watch.LASTING` has those that must last."""
        return self.kind in SERIOUS

    def sentence(self, config: Any, recipe: str | None = None, conditional: bool = False) -> str:
        """What is seen, and what usually helps that a run with this configuration can do and does not do yet.

        Args:
            config: the run's configuration.
            recipe: its recipe, if it has one.
            conditional: as in `System`.
        """
        cures = [cure for cure in CURES[self.kind] if _is_left(cure, config, recipe, conditional)]
        return f"{self.seen}; what usually helps: {_alternatives(cures)}." if cures else f"{self.seen}."


def _is_left(cure: str, config: Any, recipe: str | None, conditional: bool) -> bool:
    """Whether the recipe is another one, or the options that are named are there, may change, and are not so yet."""
    if cure == _R3GAN:
        return recipe != "r3gan"
    if conditional and "--packing" in cure:  # it joins images of several classes
        return False
    options = [(name.replace("-", "_"), value) for name, value in re.findall(r"--([a-z0-9-]+)(?: (\w+))?", cure)]
    if not all(hasattr(config, name) and str(getattr(config, name)) != value for name, value in options):
        return False
    if "lower" in cure and any(getattr(config, name) == 0 for name, _ in options):
        return False
    return cure not in _POINTLESS or not _POINTLESS[cure](config)


def _alternatives(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])}, or {words[-1]}"
