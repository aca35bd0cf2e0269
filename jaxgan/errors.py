"""The one exception that stands for a user's mistake."""


class UserError(ValueError):
    """A mistake that one sentence can explain.

    The sentence names the option or file, what it got and what it takes. The command line prints it with no traceback.
    """
