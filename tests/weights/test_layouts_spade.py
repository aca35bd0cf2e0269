"""Files of SPADE as a run. Oracle: what PyTorch's networks made of the same input (goldens/make_spade_golden.py)."""

import lzma
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.commands import import_
from jaxgan.commands.import_ import filled, read_files
from jaxgan.errors import UserError
from jaxgan.nets.spade_critic import SpadeDiscriminator
from jaxgan.recipes import spade
from jaxgan.weights.pth import read_groups

FOLDER = Path(__file__).parent / "fixtures" / "spade"
GOLDEN = dict(np.load(FOLDER / "spade.npz"))
FILE = lzma.decompress((FOLDER / "spade.pth.xz").read_bytes())
GROUPS = read_groups(FILE, "x")
PARTS = spade.IMPORTS.parts
KEY = jax.random.key(0)
MAP = jnp.asarray(GOLDEN["map"], jnp.int32)
PICTURE = jnp.asarray(GOLDEN["blocks"], jnp.float32).repeat(8, 1).repeat(8, 2)


def run_of(monkeypatch, groups):
    """The system and state that a file of these groups becomes."""
    monkeypatch.setattr(import_, "read_groups", lambda content, source: groups)
    files = {file.part: file for file in read_files(str(FOLDER / "spade.npz"), PARTS)}
    options, spec = spade.IMPORTS.settle({part: file.found.about for part, file in files.items()}, 64)
    system = spade.build(spade.Config(**options), spec)
    blank = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), jax.eval_shape(system.init, KEY))
    return files, system, filled(blank, PARTS, files)


def made(system, state, verb, given):
    run = jax.jit(lambda state, given: system.verbs[verb](state, given, jax.random.split(KEY, 1))["target"])
    return run(state, given)[:, 1::4, 2::4]


def test_a_picture_takes_the_style_of_another_as_the_public_networks(monkeypatch):
    files, system, state = run_of(monkeypatch, {name: GROUPS[name] for name in ("G", "E", "D")})
    assert {name: file.found.about for name, file in files.items()} == {
        "g": {"width": 1, "hidden": 2, "labels": 3, "makes": 3, "z": 4, "side": 64},
        "e": {"width": 1, "z": 4, "side": 64, "takes": 3},
        "d": {"width": 1, "layers": 4, "takes": 6},
    }
    assert "head_0.conv_0.weight_v" in files["g"].ignored
    y = made(system, state, "restyle", {"source": MAP, "style": PICTURE})
    np.testing.assert_allclose(y, GOLDEN["restyled"], atol=1e-4)
    assert np.ptp(GOLDEN["restyled"]) > 0.5
    x = jnp.concatenate([jax.nn.one_hot(MAP, 3), PICTURE], -1)
    net = SpadeDiscriminator(1)
    judged = jax.jit(lambda v, x: net.apply(v, x, train=False))(state.players["d"].variables(averaged=False), x)
    for scale, each in enumerate(judged):
        np.testing.assert_allclose(each.logits, GOLDEN[f"logits{scale}"], atol=1e-4)


def test_a_generator_that_begins_with_a_map(monkeypatch):
    _, system, state = run_of(monkeypatch, {"G": {**GROUPS["G"], **GROUPS["G_map"]}})
    assert not system.config.encoder
    np.testing.assert_allclose(made(system, state, "translate", {"source": MAP}), GOLDEN["of_map"], atol=1e-4)


@pytest.mark.parametrize(
    ("groups", "change", "sentence"),
    [
        (["G"], lambda g: g["G"].pop("up_3.norm_s.mlp_beta.bias"), "lacks up_3.norm_s.mlp_beta.bias"),
        (["G"], lambda g: g["G"].pop("up_0.conv_1.weight_u"), "lacks up_0.conv_1.weight_u"),
        (["G"], lambda g: g["G"].update({"up_4.conv_1.bias": np.zeros(1)}), "has up_4.conv_1.bias too"),
        (["D"], lambda g: g["D"].pop("discriminator_1.model4.0.bias"), "lacks discriminator_1.model4.0.bias"),
        (["D"], lambda g: None, "spade takes the file of a generator too"),
        (["G", "E"], lambda g: g["E"].update({"fc_mu.weight": np.zeros((5, 128))}), "e has z_dim 5, another one 4"),
        (["G"], lambda g: g["G"].update({"up_1.norm_0.mlp_gamma.bias": np.zeros(3)}), "up_1.norm_0.mlp_gamma.bias"),
    ],
)
def test_wrong_and_partial_files_are_refused_with_the_names(monkeypatch, groups, change, sentence):
    chosen = {name: dict(GROUPS[name]) for name in groups}
    change(chosen)
    with pytest.raises(UserError, match=sentence):
        run_of(monkeypatch, chosen)
