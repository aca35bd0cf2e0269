"""The one exception that stands for a user's mistake, and how its sentence spells an option."""


class UserError(ValueError):
    """A mistake that one sentence can explain.

    The sentence names the option or file, what it got and what it takes. The command line prints it with no traceback.
    """


def flag(name: str) -> str:
    """The command-line spelling of a field: `batch_size` -> `--batch-size`."""
    return "--" + name.replace("_", "-")
