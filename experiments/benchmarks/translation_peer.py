"""Peers of `translation.py` in PyTorch eager, as their users write them: the usual loops, channels first, float32.

Networks are those of `experiments/torch_networks`. Pictures are gathered from an array on the device, as in
`torch_peer.py`; weights that a loss does not move are frozen where the public code freezes them.
"""

import itertools
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from torch_networks.superres import RRDBNet
from torch_networks.translation import patch, resnet, unet

POOL = 50


class Pix2Pix:
    """D judges source and picture joined; G follows D and the mean absolute difference."""

    def __init__(self, images: Sequence[np.ndarray], batch: int, width: int, depth: int, layers: int) -> None:
        """A game over sources and targets."""
        self.x, self.y = map(planes, images)
        self.batch, self.g, self.d = batch, unet(3, 3, width, depth, "batch"), patch(6, width, layers, "batch")
        self.adams = [adam(net.parameters()) for net in (self.g, self.d)]

    def step(self) -> None:
        """One training step."""
        index = torch.randint(len(self.x), (self.batch,))
        x, y = scaled(self.x[index]), scaled(self.y[index])
        fake = self.g(x)
        move(self.adams[1], 0.5 * (self._bce(x, fake.detach(), 0.0) + self._bce(x, y, 1.0)))
        freeze(self.d)
        move(self.adams[0], self._bce(x, fake, 1.0) + 100 * F.l1_loss(fake, y))
        freeze(self.d, on=False)

    def _bce(self, x: torch.Tensor, y: torch.Tensor, truth: float) -> torch.Tensor:
        logits = self.d(torch.cat([x, y], 1))
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, truth))


class CycleGAN:
    """Two translators with one Adam, two discriminators with another; fakes of earlier steps from a pool."""

    def __init__(self, images: Sequence[np.ndarray], batch: int, width: int, blocks: int, layers: int) -> None:
        """A game over two domains."""
        self.a, self.b = map(planes, images)
        self.batch, shared = batch, ("instance", False)
        self.a2b, self.b2a = resnet(3, 3, width, blocks, *shared), resnet(3, 3, width, blocks, *shared)
        self.d_a, self.d_b = patch(3, width, layers, "instance"), patch(3, width, layers, "instance")
        self.adams = [adam([*one.parameters(), *two.parameters()]) for one, two in self.players]
        self.pools: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])

    @property
    def players(self) -> list[tuple[nn.Module, nn.Module]]:
        """Translators and discriminators."""
        return [(self.a2b, self.b2a), (self.d_a, self.d_b)]

    def step(self) -> None:
        """One training step."""
        a, b = (scaled(x[torch.randint(len(x), (self.batch,))]) for x in (self.a, self.b))
        fake_b, fake_a = self.a2b(a), self.b2a(b)
        back_a, back_b = self.b2a(fake_b), self.a2b(fake_a)
        for net in (self.d_a, self.d_b):
            freeze(net)
        loss = to(self.d_b(fake_b), 1.0) + to(self.d_a(fake_a), 1.0)
        loss = loss + 10 * (F.l1_loss(back_a, a) + F.l1_loss(back_b, b))
        loss = loss + 5 * (F.l1_loss(self.a2b(b), b) + F.l1_loss(self.b2a(a), a))
        move(self.adams[0], loss)
        for net in (self.d_a, self.d_b):
            freeze(net, on=False)
        old_a, old_b = (pooled(pool, x.detach()) for pool, x in zip(self.pools, (fake_a, fake_b), strict=True))
        own = to(self.d_a(a), 1.0) + to(self.d_a(old_a), 0.0) + to(self.d_b(b), 1.0) + to(self.d_b(old_b), 0.0)
        move(self.adams[1], 0.5 * own)


class Pixels:
    """A network that enlarges pictures learns their pixels."""

    def __init__(self, images: Sequence[np.ndarray], batch: int, width: int, blocks: int, growth: int) -> None:
        """Small pictures and large ones."""
        self.x, self.y = map(planes, images)
        self.batch, self.g = batch, RRDBNet(3, width, blocks, growth)
        self.adam = adam(self.g.parameters(), (0.9, 0.99))

    def step(self) -> None:
        """One training step."""
        index = torch.randint(len(self.x), (self.batch,))
        x, y = (self.x[index].float().div_(255), self.y[index].float().div_(255))
        move(self.adam, F.l1_loss(self.g(x), y))


class Translator:
    """A trained network at work: one picture."""

    def __init__(self, images: Sequence[np.ndarray], network: str, width: int, size: int) -> None:
        """Of pix2pix's U-Net or of CycleGAN's residual network; `size` is its depth or its blocks."""
        self.x = planes(images[0])
        self.g = unet(3, 3, width, size, "batch") if network == "unet" else resnet(3, 3, width, size, "instance", False)
        self.g.eval()

    def step(self) -> None:
        """One picture."""
        with torch.inference_mode():
            self.g(scaled(self.x[:1]))


def parameters(peer: Any) -> int:
    """Of all networks together."""
    nets = [each for each in vars(peer).values() if isinstance(each, nn.Module)]
    return sum(p.numel() for p in itertools.chain(*(net.parameters() for net in nets)))


def planes(images: np.ndarray) -> torch.Tensor:
    """uint8 pictures, channels first."""
    return torch.from_numpy(images.transpose(0, 3, 1, 2).copy())


def scaled(x: torch.Tensor) -> torch.Tensor:
    """In [-1, 1]."""
    return x.float().div_(127.5).sub_(1)


def adam(parameters: Any, betas: tuple[float, float] = (0.5, 0.999)) -> torch.optim.Adam:
    """As the public code has it."""
    return torch.optim.Adam(parameters, lr=2e-4, betas=betas)


def move(optimiser: torch.optim.Adam, loss: torch.Tensor) -> None:
    """One step down a loss."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def freeze(net: nn.Module, *, on: bool = True) -> None:
    """Take no gradients of a network's weights, or take them again."""
    for weight in net.parameters():
        weight.requires_grad_(not on)


def to(logits: torch.Tensor, truth: float) -> torch.Tensor:
    """The least-squares game."""
    return F.mse_loss(logits, torch.full_like(logits, truth))


def pooled(pool: list[torch.Tensor], fakes: torch.Tensor) -> torch.Tensor:
    """Each fake, or an older one in whose place it is kept."""
    out = []
    for fake in fakes:
        if len(pool) < POOL:
            pool.append(fake)
        elif random.random() > 0.5:
            place = random.randrange(POOL)
            fake, pool[place] = pool[place], fake
        out.append(fake)
    return torch.stack(out)
