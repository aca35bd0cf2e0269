"""The one exception that stands for a user's mistake, how sentences spell options and list names, a lack of memory."""

from collections.abc import Sequence


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
