"""Training runs: the loop, what it leaves behind, and how to get it back."""

from jaxgan.train.config import RunConfig
from jaxgan.train.fit import Result, fit
from jaxgan.train.load import Trained, load, restore
from jaxgan.train.trouble import TrainingError

__all__ = ["Result", "RunConfig", "Trained", "TrainingError", "fit", "load", "restore"]
