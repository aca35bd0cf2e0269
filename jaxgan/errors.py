"""The one exception that stands for a user's mistake, how sentences spell options and names, a lack of memory."""

import difflib
import re
from collections.abc import Iterable, Sequence

PLAUSIBLE = 0.77
"""Letters in common, as a share of all, from which a name may have been meant."""
CLEARLY = 0.06
"""By so much less likely names are not said beside the likeliest."""
PART = 0.8
SHORT = 3  # letters of a part that says something


class UserError(ValueError):
    """A mistake that one sentence can explain.

    The sentence names the option or file, what it got and what it takes. The command line prints it with no traceback.
    """


def flag(name: str) -> str:
    """The command-line spelling of a field: `batch_size` -> `--batch-size`; `from_` (a word of Python) -> `--from`."""
    return "--" + name.rstrip("_").replace("_", "-")


def lacks_memory(error: BaseException) -> bool:
    """Whether `error` says that this machine, or (in XLA's words) a device, has no memory left."""
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)


def first_of(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are: "a, b and 3 more"."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def did_you_mean(text: str, names: Iterable[str]) -> str:
    """A question that names what a text may have been meant as, "" where nothing is plausible.

    Plausible is a slip of the fingers or of upper case ("stepz", "DCGAN"), a part of a name from its beginning or its
    end ("learning-rate", "cifar"), or its initials ("lr" of "--g-learning-rate"); of several the nearest three.

    Args:
        text: what a user has typed.
        names: what there is; options with their dashes.
    """
    plain = {name: _plain(name) for name in names}
    wanted = _plain(text)
    likeness = {name: _likeness(wanted, each) for name, each in plain.items()} if wanted else {}
    best = max(likeness.values(), default=0.0)
    near = sorted((-share, name) for name, share in likeness.items() if share >= max(PLAUSIBLE, best - CLEARLY))
    return f"did you mean {' or '.join(name for _, name in near[:3])}?" if near else ""


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-")


def _likeness(text: str, name: str) -> float:
    """From 0 to 1: the share of letters in common; higher where one is a part of the other's words."""
    share = difflib.SequenceMatcher(None, text, name).ratio()
    initials = "".join(word[0] for word in name.split("-"))
    ends = name.endswith("-" + text) or (len(text) > 1 and "-" in name and initials.endswith(text.replace("-", "")))
    begins = min(len(text), len(name)) >= SHORT and (name.startswith(text) or text.startswith(name))
    return max(share, PART if ends or begins else 0.0)
