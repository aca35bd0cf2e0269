"""The direction of imports, and how much `import jaxgan` costs."""

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "jaxgan"
# Each part may import the parts of earlier rows, and itself; parts of one row know nothing of each other.
ROWS = (
    {"errors", "paths", "signals", "streams"},
    {"fields", "options"},
    {"game", "losses"},
    {"layers", "made", "weights"},
    {"augment"},
    {"data"},
    {"nets", "metrics", "show", "latent"},
    {"recipes"},
    {"train"},
    {"commands"},
    {"cli"},
)
LEVEL = {part: row for row, parts in enumerate(ROWS) for part in parts}


def imported(file):
    """Names of the package's parts that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jaxgan":
            assert not node.level, f"{file}: relative import"
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (name.name.split(".")[1] for name in node.names if name.name.startswith("jaxgan."))


def test_imports_go_one_way():
    files = [file for file in PACKAGE.rglob("*.py") if file.name != "__main__.py"]
    assert len(files) > 20
    for file in files:
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        own = parts[0]
        for other in imported(file):
            if own == "__init__" or other in (own, "__version__"):
                continue
            assert other in LEVEL, f"{file} imports {other}, which has no place in the order"
            assert LEVEL[other] < LEVEL[own], f"{file}: {own} must not import {other}"


def test_losses_are_mathematics_only():
    for file in (PACKAGE / "losses").glob("*.py"):
        assert "flax" not in file.read_text()


def test_importing_the_package_is_light():
    """Nothing but the standard library: a version can be asked for without JAX."""
    heavy = ("jax", "flax", "numpy", "tensorflow_datasets", "grain", "orbax", "matplotlib")
    code = f"import sys, jaxgan; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_no_convolution_passes_by_the_layers():
    """Plain Flax convolutions have gradients that XLA's CPU backend runs as a naive loop."""
    for folder in ("nets", "recipes", "metrics"):
        for file in (PACKAGE / folder).rglob("*.py"):
            for name in ("nn.Conv(", "nn.ConvTranspose(", "conv_general_dilated", "conv_transpose("):
                assert name not in file.read_text(), f"{file} uses {name}"
