"""DCGAN: convolutional networks with batch normalisation (Radford et al. 2015).

Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks, arXiv:1511.06434.
The game is that of Goodfellow et al. (2014) in its non-saturating form,

    D minimises E_x[-log D(x)] + E_z[-log(1 - D(G(z)))],  G minimises E_z[-log D(G(z))]

and the paper's contribution is networks and settings with which it trains: strided convolutions, batch normalisation in
both networks, Adam with rate 0.0002 and beta1 0.5 (sections 3 and 4). `--preset paper` has those settings.

The defaults are for a first run of two minutes on two cores, chosen by measuring (BUILD_NOTES.md): higher rates,
biases at D's two ends, and a small dense layer in both networks, as in InfoGAN, which is a DCGAN otherwise (Chen et al.
2016, arXiv:1606.03657, appendix C.1).
"""

from dataclasses import dataclass

from jaxgan.fields import IMAGES, Spec
from jaxgan.game import System
from jaxgan.recipes.common import toolbox
from jaxgan.recipes.common.dcgan import PAPER, QuickDCGANOptions, pair
from jaxgan.recipes.common.doubts import warn_of_batch_statistics
from jaxgan.recipes.common.wiring import latent_game, wire

NEEDS = IMAGES


@dataclass(frozen=True, kw_only=True)
class Config(QuickDCGANOptions, toolbox.ToolboxConfig):
    """The paper's game, with networks and rates for small images on two cores."""

    steps: int = 2_500


PRESETS: dict[str, Config] = {"paper": Config(steps=10_000, **PAPER)}
"""Settings of the paper (`--preset NAME`); `steps` are as many as are chosen."""


def build(config: Config, spec: Spec, axis_name: str | None = None) -> System:
    """The game of `config`; `axis_name` as for `make_train_step`, and for batch statistics over all devices."""
    toolbox.check(config)
    if config.penalty != "none" and config.d_norm == "batch":
        warn_of_batch_statistics(f"--penalty {config.penalty}")
    G, D = pair(config, spec, axis_name)
    wires = wire(config, spec, G, D, packing=config.packing, critics=config.critics)
    loss = toolbox.loss(config, axis_name)  # of logits: -log D(x) - log(1 - D(G(z))) and -log D(G(z))
    penalty = toolbox.penalty(config, axis_name)
    d_loss, g_loss, lazy = toolbox.losses(config, wires.judge, loss, penalty, axis_name)
    rounds = toolbox.rounds(config, wires.play, d_loss, g_loss, lazy)
    return latent_game(config, wires, rounds, axis_name, **toolbox.training(config))
