"""Silence of the libraries below."""

import logging
import warnings


def quiet() -> None:
    """No messages from the libraries below; what a user must know, we say."""
    logging.getLogger("absl").setLevel(logging.ERROR)
    logging.getLogger("orbax").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
