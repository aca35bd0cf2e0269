"""Training runs: the loop, what it leaves behind, and how to get it back."""

from jaxgan.train.loop.fit import Result, fit
from jaxgan.train.run.config import RunConfig
from jaxgan.train.run.failures import TrainingError
from jaxgan.train.run.load import Trained, load, restore

__all__ = ["Result", "RunConfig", "Trained", "TrainingError", "fit", "load", "restore"]
