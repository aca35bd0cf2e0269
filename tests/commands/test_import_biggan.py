"""`jaxgan import` of BigGAN's family. Oracle: the public PyTorch code, run (goldens/make_biggan_golden.py)."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxgan
from jaxgan.cli import main
from jaxgan.commands import import_
from jaxgan.nets.biggan import BigGANDiscriminator
from jaxgan.nets.biggan_deep import DeepDiscriminator

GOLDEN = dict(np.load(Path(__file__).parents[1] / "weights" / "fixtures" / "biggan.npz"))


def state(case):
    """The arrays of a file by name."""
    flat, arrays = GOLDEN[f"{case}/state"], {}
    for name, shape in json.loads(str(GOLDEN[f"{case}/names"])):
        size = int(np.prod(shape))
        arrays[name], flat = flat[:size].reshape(shape).astype(np.float32), flat[size:]
    return arrays


@pytest.fixture
def files(tmp_path, monkeypatch):
    """`(part, case, change) -> part=path` of a file that holds the case."""
    held = {}
    monkeypatch.setattr(import_, "read_groups", lambda content, source: {"": held[content.decode()]})

    def write(part, case, change=lambda state: None):
        held[case] = state(case)
        change(held[case])
        (tmp_path / f"{part}.pth").write_text(case)
        return f"{part}={tmp_path / f'{part}.pth'}"

    return write


def imported(tmp_path, recipe, *args):
    assert main(["import", *args, "--as", recipe, "--out", str(tmp_path / "run")]) == 0
    return jaxgan.load(tmp_path / "run")


def decoded(run, case):
    given = {
        "z": jnp.asarray(GOLDEN[f"{case}/z"], jnp.float32),
        "label": jnp.asarray(GOLDEN[f"{case}/label"], jnp.int32),
    }
    keys = jax.random.split(jax.random.key(0), 2)
    return jax.jit(lambda given: run.system.verbs["decode"](run.state, given, keys))(given)["image"][:, ::4, ::4]


@pytest.mark.parametrize(
    ("recipe", "g", "d", "net"),
    [
        ("biggan", "biggan_g", "biggan_d", BigGANDiscriminator(2, classes=3, attention=(16, 8))),
        ("biggan_deep", "deep_g", "deep_d", DeepDiscriminator(2, classes=3, attention=())),
        ("sagan", "sagan_g", None, None),
    ],
)
def test_networks_make_and_judge_as_the_public_code(recipe, g, d, net, tmp_path, files, capsys):
    run = imported(tmp_path, recipe, files("g", g), *([files("d", d)] if d else []))
    np.testing.assert_allclose(decoded(run, g), GOLDEN[f"{g}/y"], atol=1e-4)
    assert np.ptp(GOLDEN[f"{g}/y"]) > 0.5
    said = capsys.readouterr().out
    assert "--layout published --standing 0" in said
    assert f"--attention {'0' if recipe == 'sagan' else '16'} --z-dim" in said
    if d:
        player = run.state.players["d"]
        x = jnp.asarray(GOLDEN[f"{d}/x"], jnp.float32).repeat(4, 1).repeat(4, 2)
        label = jnp.asarray(GOLDEN[f"{d}/label"], jnp.int32)
        logits = jax.jit(lambda v, x: net.apply(v, x, label, train=False))(player.variables(), x)
        np.testing.assert_allclose(logits, GOLDEN[f"{d}/y"], rtol=1e-4, atol=1e-4)


def _drop(name):
    return lambda state: state.pop(name)


def _recut(state):
    state["linear.bias"] = state["linear.bias"][:7]


@pytest.mark.parametrize(
    ("recipe", "case", "change", "sentence"),
    [
        ("sagan", "biggan_g", lambda state: None, "these are networks of another recipe: embedding is 4."),
        ("biggan", "sagan_g", lambda state: None, "--as sagan takes it."),
        ("biggan", "deep_g", lambda state: None, "is none of a generator of BigGAN or SAGAN"),
        ("biggan", "biggan_g", _drop("linear.u0"), "lacks linear.u0, which does not fit"),
        ("biggan", "biggan_g", _recut, "linear.bias of"),
    ],
)
def test_what_does_not_fit_is_one_sentence(recipe, case, change, sentence, tmp_path, files, capsys):
    assert main(["import", files("g", case, change), "--as", recipe, "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_discriminator_alone_is_one_sentence(tmp_path, files, capsys):
    assert main(["import", files("d", "deep_d"), "--as", "biggan_deep", "--out", str(tmp_path / "run")]) == 2
    assert "takes the file of a generator too" in capsys.readouterr().err
