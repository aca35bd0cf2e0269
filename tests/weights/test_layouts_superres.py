"""Files of super-resolution. Oracle: what PyTorch made of the same input (goldens/make_superres_golden.py)."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.commands.import_ import read_files
from jaxgan.errors import UserError
from jaxgan.nets.superres import RRDBNet
from jaxgan.recipes.common.superres_imports import PUBLISHED
from jaxgan.weights.pth import read_groups

FOLDER = Path(__file__).parent / "fixtures" / "superres"
GOLDEN = dict(np.load(FOLDER / "superres.npz"))
PARTS = PUBLISHED.parts


def tree(arrays):
    """Variables of a network whose layers lie side by side."""
    found = {}
    for path, array in arrays.items():
        kind, layer, leaf = path.split("/")
        found.setdefault(kind, {}).setdefault(layer, {})[leaf] = array
    return found


@pytest.mark.parametrize(
    ("case", "layout", "scale", "blocks"),
    [
        ("basicsr_x4", "a residual-in-residual dense network of BasicSR", 4, 1),
        ("basicsr_x2", "a residual-in-residual dense network of BasicSR", 2, 1),
        ("esrgan", "one of ESRGAN", 4, 2),
        ("oldest", "one of the first ESRGAN", 4, 1),
    ],
)
def test_each_layout_enlarges_as_the_public_code(case, layout, scale, blocks):
    """`params_ema` is taken where `params` lies beside it, and names after `module.`."""
    (file,) = read_files(str(FOLDER / f"{case}.pth"), PARTS)
    sizes = {"scale": scale, "width": 4, "blocks": blocks, "growth": 2, "takes": 3, "makes": 3}
    assert (file.layout, file.found.about, file.ignored) == (layout, sizes, ())
    options, spec = PUBLISHED.settle({"g": file.found.about}, 64)
    assert options == {"scale": scale, "g_width": 4, "blocks": blocks, "growth": 2, "pixel_steps": 0}
    assert spec["target"].shape == (64, 64, 3)
    net = RRDBNet(scale, 4, blocks, 2)
    y = jax.jit(lambda v, x: net.apply(v, x, train=False))(
        tree(file.arrays), jnp.asarray(GOLDEN[f"{case}/x"], jnp.float32)
    )
    np.testing.assert_allclose(y, GOLDEN[f"{case}/y"], atol=1e-4)
    assert np.ptp(GOLDEN[f"{case}/y"]) > 0.5


def test_partial_and_other_files_are_refused_with_the_names(monkeypatch):
    whole = read_groups((FOLDER / "oldest.pth").read_bytes(), "x")[""]
    for change, sentence in (
        (lambda s: s.pop("model.1.sub.0.RDB3.conv5.0.bias"), r"lacks model.1.sub.0.RDB3.conv5.0.bias, which"),
        (lambda s: s.pop("model.10.weight"), "is none of a residual-in-residual dense network of BasicSR, one of"),
        (lambda s: s.update({"model.0.weight": np.zeros((4, 5, 3, 3))}), "is none of"),
    ):
        state = dict(whole)
        change(state)
        monkeypatch.setattr("jaxgan.commands.import_.read_groups", lambda content, source, s=state: {"": s})
        with pytest.raises(UserError, match=sentence):
            read_files(str(FOLDER / "oldest.pth"), PARTS)
