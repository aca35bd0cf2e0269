"""The data of a run, opened as its options say."""

from typing import Any

from jaxgan import data as datasets
from jaxgan.data.threads import telling
from jaxgan.fields import Needs, Spec
from jaxgan.train.run.config import RunConfig
from jaxgan.train.screen.report import reading

NO_DATA = "none: imported"
"""The name of the data of a run that was made of published weights alone."""


def open_data(run: RunConfig, needs: Needs, like: Spec | None = None) -> datasets.Data:
    """The data that a run names.

    Args:
        run: what they are, and how they are prepared.
        needs: the fields that are wanted of them.
        like: fields of data whose size and channels these are brought to, in place of the run's options.
    """
    size: Any = run.image_size
    channels = run.channels
    images = [field for field in (like or {}).values() if field.kind == "image"]
    if images:
        height, width, channels = images[0].fixed
        size = (height, width)
    how: dict[str, Any] = {"image_size": size, "resize": run.resize, "channels": channels}
    how |= {"halves": run.halves, "data_dir": run.data_dir, "skip_unreadable": run.skip_unreadable}
    with telling(reading):
        return datasets.load(run.data or datasets.BUNDLED, needs=needs, **how)
