"""The scripts of `experiments/` are no package: their folder joins the path, as it does when one of them is run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
