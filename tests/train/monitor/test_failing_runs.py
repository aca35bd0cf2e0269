"""Runs made to fail on purpose, and a healthy one. Oracle: what was done to them."""

from importlib import resources

import jax
import jax.numpy as jnp
import pytest
from flax import linen as nn

from jaxgan import data as datasets
from jaxgan.game import parallel
from jaxgan.nets.mlp import MLPDiscriminator
from jaxgan.recipes import gan
from jaxgan.train import RunConfig, fit
from jaxgan.train.monitor import samples
from jaxgan.train.run.record import read_metrics
from tests.train import toy

SMALL = {"g_widths": (64,), "d_widths": (128,), "z_dim": 16, "batch_size": 32}


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """One device, and no summary picture."""
    make = parallel.make_mesh
    monkeypatch.setattr(parallel, "make_mesh", lambda: make(jax.devices()[:1]))
    monkeypatch.setattr("jaxgan.train.screen.summary.write_summary", lambda path, *about: None)


CLOTHES = resources.files("jaxgan") / "data" / "bundled" / "fashion_mnist" / "t10k-images-idx3-ubyte.gz"


@pytest.fixture
def found(tmp_path):
    """`(config, build) -> kinds` that the monitor finds in a run on images of some size, in order."""

    def run(config, build=gan.build, size=14):
        clothes = datasets.load(str(CLOTHES), image_size=size)
        often = {"checkpoint_every": 80, "sample_every": 40, "samples": 16}
        result = fit(build, config, clothes, RunConfig(out=str(tmp_path / "run"), **often), report=toy.Said())
        rows = read_metrics(result.folder.monitor)
        return [row["kind"] for row in rows if row["kind"] != "samples" and not row["over"]]

    return run


def test_a_healthy_run_is_left_in_peace(found, monkeypatch):
    monkeypatch.setattr(samples, "PATIENCE", 1)
    assert found(gan.Config(steps=240, **SMALL)) == []


def test_a_saturating_loss_with_a_strong_discriminator(found):
    """log(1 - D(G(z))) has no slope where D is sure, and this D learns 25 times as fast as G."""
    assert found(gan.Config(steps=160, loss="minimax", d_learning_rate=5e-3, **SMALL)) == ["strong_discriminator"]


def test_a_learning_rate_a_hundred_times_too_high(found):
    rates = {"g_learning_rate": 2e-2, "d_learning_rate": 2e-2}
    assert "exploding" in found(gan.Config(steps=64, batch_size=32, **rates), size=28)


class OneImage(nn.Module):
    """A generator that does not read its latent vector."""

    @nn.compact
    def __call__(self, z, label=None, *, train=True):
        image = self.param("image", nn.initializers.normal(0.1), (14, 14, 1))
        return jnp.broadcast_to(jnp.tanh(image), (len(z), 14, 14, 1))


def test_a_generator_that_outputs_one_image(found, monkeypatch):
    monkeypatch.setattr(samples, "PATIENCE", 2_000)

    def build(config, spec, axis_name):
        return gan.between(config, spec, OneImage(), MLPDiscriminator(config.d_widths), axis_name)

    assert "collapse" in found(gan.Config(steps=160, **SMALL), build)
