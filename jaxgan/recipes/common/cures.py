"""What usually helps against what the monitor finds, and which of it a configuration can still do."""

import re
from collections.abc import Callable, Mapping
from typing import Any

_RATES = "lower --g-learning-rate and --d-learning-rate"
R3GAN = "the recipe r3gan"
_SETS = ("--minibatch-std 4", "--unroll 5", "--critics 2")  # D sees how alike images are, is foreseen, or is several
_SMOOTHER = ("--penalty r1", "a larger --gamma", R3GAN)
CURES = {
    "not_finite": (_RATES, *_SMOOTHER),
    "exploding": (_RATES, *_SMOOTHER),
    "collapse": (_RATES, *_SETS, *_SMOOTHER),
    "duplicates": ("--packing 2", *_SETS, *_SMOOTHER),
    "strong_discriminator": ("a lower --d-learning-rate", "--loss non_saturating", *_SMOOTHER),
    "weak_discriminator": (
        "a lower --g-learning-rate",
        "a lower --penalty-weight",
        "a lower --label-noise",
        "a larger discriminator",
    ),
    "vanishing": (_RATES, "--loss non_saturating", *_SMOOTHER),
    "gradient_ratio": (_RATES, *_SMOOTHER),
    "oscillation": (_RATES, "a lower --beta1", "--updates optimistic", "--unroll 5", *_SMOOTHER),
}
"""What usually helps against each kind of finding."""

_POINTLESS: dict[str, Callable[[Any], bool]] = {
    "--packing 2": lambda config: (
        config.packing > 1 or getattr(config, "top_k", 1) < 1 or getattr(config, "batch_size", 2) % 2 == 1
    ),
    "--minibatch-std 4": lambda config: (
        config.minibatch_std > 0
        or getattr(config, "network", "") == "mlp"
        or config.batch_size // config.accumulate // getattr(config, "packing", 1) % 4 > 0
    ),
    "--unroll 5": lambda config: config.unroll > 0 or config.accumulate > 1 or config.penalty_every > 1,
    "--critics 2": lambda config: config.critics > 1,
    "--penalty r1": lambda config: config.penalty in ("r1", "r2", "r1_r2"),
    "a lower --penalty-weight": lambda config: getattr(config, "penalty", "") == "none",
    "--updates optimistic": lambda config: (
        getattr(config, "n_critic", 1) > 1 or getattr(config, "penalty_every", 1) > 1
    ),
}
"""Which runs refuse a cure (`recipes.common.toolbox.check`), or have as much of it already."""


def cures_of(config: Any, conditional: bool = False, without: tuple[str, ...] = ()) -> Mapping[str, tuple[str, ...]]:
    """For each kind of finding, what helps that a run with this configuration can do and does not do yet.

    Args:
        config: the recipe's configuration.
        conditional: whether the networks take labels.
        without: cures that make no sense, such as a recipe for a run of that recipe.
    """
    return {
        kind: tuple(cure for cure in cures if cure not in without and _is_left(cure, config, conditional))
        for kind, cures in CURES.items()
    }


def _is_left(cure: str, config: Any, conditional: bool) -> bool:
    """Whether the options that are named are there, may change, and are not so yet."""
    if conditional and "--packing" in cure:  # it joins images of several classes
        return False
    options = [(name.replace("-", "_"), value) for name, value in re.findall(r"--([a-z0-9-]+)(?: (\w+))?", cure)]
    if not all(hasattr(config, name) and str(getattr(config, name)) != value for name, value in options):
        return False
    if "lower" in cure and any(getattr(config, name) == 0 for name, _ in options):
        return False
    return cure not in _POINTLESS or not _POINTLESS[cure](config)
