"""What recipes warn of: options that each work, and together mean something else than one might think."""

import warnings
from collections.abc import Mapping
from typing import Any

from jaxgan.errors import flag
from jaxgan.recipes.common.base import RecipeConfig


def warn_of_batch_statistics(penalty: str) -> None:
    """Warn that a penalty on the slope of D means little where D normalises over the batch.

    Args:
        penalty: with which words the sentence begins.
    """
    warnings.warn(
        f"{penalty} is on the slope of D at single images, but with --d-norm batch D's answer to one image depends on "
        "the others of the batch; layer or none suits it better.",
        UserWarning,
        stacklevel=3,
    )


def warn_of_doubts(config: Any) -> None:
    """Warn of what is doubtful in a configuration of the toolbox (`ToolboxConfig`)."""
    if "wasserstein" in config.loss and config.penalty == "none":
        warn_of_a_free_slope(config.loss)
    batchwise = {
        "loss": config.loss.startswith("ra_"),
        "top_k": config.top_k < 1,
        "penalty": config.penalty == "dragan",
        "critics": config.critics > 1,
    }
    warn_of_accumulation(config, batchwise)


def warn_of_a_free_slope(loss: str) -> None:
    """Warn that a Wasserstein critic whose slope nothing bounds measures no distance.

    Args:
        loss: its name.
    """
    warnings.warn(
        f"--loss {loss} measures a distance only while the slope of D is bounded, which nothing does here; "
        "--penalty gradient_penalty does, and so do the recipes wgan and wgan_gp.",
        UserWarning,
        stacklevel=3,
    )


def warn_of_accumulation(config: RecipeConfig, batchwise: Mapping[str, bool]) -> None:
    """Warn that `accumulate` changes a game in which an image is weighed against the others of its batch.

    Args:
        config: has `accumulate`, `batch_size` and the fields of `batchwise`.
        batchwise: whether the value of a field makes the game such a one.
    """
    found = [f"{flag(name)} {getattr(config, name)}" for name, used in batchwise.items() if used]
    if config.accumulate > 1 and found:
        warnings.warn(
            f"{' and '.join(found)} compares the images of a batch, which with --accumulate {config.accumulate} are "
            f"{config.batch_size // config.accumulate} at a time.",
            UserWarning,
            stacklevel=3,
        )
