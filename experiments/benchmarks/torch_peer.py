"""The same games in PyTorch, as its users write them: networks, losses and optimisers like the recipes', in float32.

Settings: `eager` is the usual tutorial's step, channels first, its images gathered from an array on the device.
`loader` is the same with the tutorial's data: a shuffling `DataLoader` that normalises image by image. `best` is the
fastest that we know without a compiler: channels last, D's weights without gradients while G moves, Adam as one fused
update. `compiled` is `best` with both networks through `torch.compile`. On a GPU, `bf16` computes networks under
autocast, and `tf32` allows TF32 products.
"""

import copy
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

LATENT = 100


def mlp(shape: Sequence[int], classes: int = 0) -> tuple[nn.Module, nn.Module]:
    """The networks of `jaxgan.recipes.gan`."""
    pixels = int(np.prod(shape))
    g = [nn.Linear(LATENT, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, pixels), nn.Tanh()]
    d = [nn.Linear(pixels, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1)]
    height, width, channels = shape
    return nn.Sequential(*g, nn.Unflatten(1, (channels, height, width))), nn.Sequential(nn.Flatten(), *d)


def dcgan(
    shape: Sequence[int],
    width: int,
    classes: int = 0,
    norm: bool = True,
    units: tuple[int, int] = (0, 0),
    biases: bool = False,
) -> tuple[nn.Module, nn.Module]:
    """The networks of `jaxgan.recipes.dcgan`.

    Args:
        shape: of an image.
        width: of both.
        classes: above 0 those of `cgan`.
        norm: batch normalisation in D.
        units: of dense layers of G and D; 0 for none.
        biases: at D's two ends.
    """
    from jaxgan.nets.dcgan import pyramid

    height, columns, channels = shape
    (base_h, base_w), doublings = pyramid(height, columns)
    features = [width * 2**layer for layer in range(doublings)]
    base = features[-1] * base_h * base_w
    before, behind = units
    widths = [LATENT + classes, before, base] if before else [LATENT + classes, base]
    up: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        normal = [nn.BatchNorm1d(fan_out), nn.ReLU()] if before else []
        up += [nn.Linear(fan_in, fan_out, bias=False), *normal]
    up += [nn.Unflatten(1, (features[-1], base_h, base_w))]
    up += [] if before else [nn.BatchNorm2d(features[-1]), nn.ReLU()]
    for far, near in itertools.pairwise(features[::-1]):
        up += [nn.ConvTranspose2d(far, near, 4, 2, 1, bias=False), nn.BatchNorm2d(near), nn.ReLU()]
    up.append(nn.ConvTranspose2d(features[0], channels, 4, 2, 1, bias=False))
    down: list[nn.Module] = []
    for i, (near, far) in enumerate(zip([channels + classes, *features], features, strict=False)):
        normal = [nn.BatchNorm2d(far)] if i and norm else []
        bias = not norm or (biases and not i)
        down += [nn.Conv2d(near, far, 4, 2, 1, bias=bias), *normal, nn.LeakyReLU(0.2)]
    down.append(nn.Flatten())
    if behind:
        normal = [nn.BatchNorm1d(behind)] if norm else []
        down += [nn.Linear(base, behind, bias=not norm), *normal, nn.LeakyReLU(0.2)]
    return nn.Sequential(*up, nn.Tanh()), nn.Sequential(*down, nn.Linear(behind or base, 1, bias=biases))


class Peer:
    """A game between two networks; `step()` is one training step with its own data and noise."""

    def __init__(
        self,
        networks: tuple[nn.Module, nn.Module],
        images: np.ndarray,
        labels: np.ndarray,
        *,
        batch: int,
        game: str = "gan",
        classes: int = 0,
        setting: str = "eager",
        device: str = "cpu",
        precision: str = "float32",
        rates: tuple[float, float] = (2e-4, 2e-4),
    ) -> None:
        """A game over `images` uint8 [n, h, w, c], which are kept on the device.

        Args:
            networks: G and D.
            images: the data.
            labels: their classes.
            batch: images a step, for each move of D.
            game: "gan"; "r1", the same with a penalty of slopes at real images; or "wgan_gp" with five moves of D.
            classes: both networks see the label; 0 for neither.
            setting: "eager", "loader", "best" or "compiled".
            device: where.
            precision: "float32", "tf32" or "bf16".
            rates: Adam's for G and D; `wgan_gp` has its own.
        """
        frozen = setting not in ("eager", "loader")
        layout = torch.channels_last if frozen else torch.contiguous_format
        self.g, self.d = (net.to(device, memory_format=layout) for net in networks)
        self.batch, self.game, self.classes, self.device = batch, game, classes, device
        self.frozen, self.layout = frozen, layout
        self.images = torch.from_numpy(images.transpose(0, 3, 1, 2).copy()).to(device)
        self.images = self.images.contiguous(memory_format=self.layout)
        self.labels = torch.from_numpy(labels.astype(np.int64)).to(device)
        self.batches = _batches(self.images.cpu(), self.labels.cpu(), batch) if setting == "loader" else None
        betas, rates = ((0.0, 0.9), (1e-4, 1e-4)) if game == "wgan_gp" else ((0.5, 0.999), rates)
        fused = {"fused": True} if self.frozen else {}
        self.adams = {
            net: torch.optim.Adam(net.parameters(), lr=rate, betas=betas, **fused)
            for net, rate in zip((self.g, self.d), rates, strict=True)
        }
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "float32"
        torch.backends.cudnn.benchmark = True
        self.autocast = precision == "bf16"
        compiled = torch.compile if setting == "compiled" else lambda net, **_: net
        self.G, self.D = compiled(self.g, dynamic=False), compiled(self.d, dynamic=False)

    def step(self) -> None:
        """One training step."""
        y, fake = self._criticise()
        for _ in range(4 if self.game == "wgan_gp" else 0):
            y, fake = self._criticise()
        if self.game == "wgan_gp":
            fake = self._fake(y)
        if self.frozen:
            self.d.requires_grad_(False)
        self._move(self.g, self._g_loss(self._judge(fake, y)))
        self.d.requires_grad_(True)

    def sample(self, n: int) -> None:
        """Images without gradients, as a sampler makes them."""
        with torch.inference_mode(), self._cast():
            self.G(torch.randn(n, LATENT, device=self.device))

    def wait(self) -> None:
        """Until the device is done."""
        if self.device == "cuda":
            torch.cuda.synchronize()

    def _criticise(self) -> tuple[torch.Tensor, torch.Tensor]:
        """One move of D; the labels and fakes that it saw, from which G may learn."""
        x, y = self._data()
        fake = self._fake(y)
        self._move(self.d, self._d_loss(x, fake.detach(), y))
        return y, fake

    def _data(self) -> tuple[torch.Tensor, torch.Tensor]:
        if self.batches is not None:
            x, y = next(self.batches)
            return x.to(self.device), y.to(self.device)
        index = torch.randint(len(self.images), (self.batch,), device=self.device)
        return self.images[index].float().div_(127.5).sub_(1), self.labels[index]

    def _fake(self, y: torch.Tensor) -> torch.Tensor:
        z = torch.randn(self.batch, LATENT, device=self.device)
        with self._cast():
            return self.G(torch.cat([z, F.one_hot(y, self.classes).float()], 1) if self.classes else z).float()

    def _judge(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if self.classes:
            planes = F.one_hot(y, self.classes).float()[:, :, None, None].expand(-1, -1, *x.shape[2:])
            x = torch.cat([x, planes], 1).contiguous(memory_format=self.layout)
        with self._cast():
            return self.D(x).float()

    def _d_loss(self, x: torch.Tensor, fake: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        x = x.requires_grad_(self.game == "r1")
        real_logits, fake_logits = self._judge(x, y), self._judge(fake, y)
        if self.game == "wgan_gp":
            mix = torch.rand(self.batch, 1, 1, 1, device=self.device)
            between = (mix * x + (1 - mix) * fake).requires_grad_(True)
            slopes = self._slopes(between, y).norm(dim=1)
            return fake_logits.mean() - real_logits.mean() + 10 * ((slopes - 1) ** 2).mean()
        loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
        if self.game == "r1":
            (slope,) = torch.autograd.grad(real_logits.sum(), x, create_graph=True)
            loss = loss + 5 * (slope.flatten(1) ** 2).sum(1).mean()
        return loss

    def _slopes(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(self._judge(x, y).sum(), x, create_graph=True)[0].flatten(1)

    def _g_loss(self, fake_logits: torch.Tensor) -> torch.Tensor:
        return -fake_logits.mean() if self.game == "wgan_gp" else F.softplus(-fake_logits).mean()

    def _move(self, net: nn.Module, loss: torch.Tensor) -> None:
        self.adams[net].zero_grad()
        loss.backward()
        self.adams[net].step()

    def _cast(self) -> Any:
        return torch.autocast(self.device, torch.bfloat16, enabled=self.autocast)


class Average:
    """A moving average of G, as `jaxgan.game.ema` has it; batch statistics are those of the present G."""

    def __init__(self, peer: Peer, halflife_kimg: float, rampup: float = 0.05) -> None:
        """An average of `peer.g` that begins as its copy; arguments of `jaxgan.game.Ema`."""
        self.g, self._peer, self._steps = copy.deepcopy(peer.g), peer, 0
        self._halflife, self._rampup = 1000 * halflife_kimg, rampup

    @torch.no_grad()
    def follow(self) -> None:
        """After each step."""
        batch = self._peer.batch
        halflife = min(self._halflife, self._rampup * self._steps * batch)
        weight = 2.0 ** (-batch / halflife) if halflife else 0.0
        torch._foreach_lerp_(list(self.g.parameters()), list(self._peer.g.parameters()), 1 - weight)
        for mine, present in zip(self.g.buffers(), self._peer.g.buffers(), strict=True):
            mine.copy_(present)
        self._steps += 1


def slowing(peer: Peer, steps: int, end: float) -> Callable[[], None]:
    """What slows both rates after each step: half a cosine from the whole rate to a share of it, as `rate_end`."""

    def share(step: int) -> float:
        return end + (1 - end) * (1 + math.cos(math.pi * min(step / steps, 1))) / 2

    schedules = [torch.optim.lr_scheduler.LambdaLR(adam, share) for adam in peer.adams.values()]

    def slower() -> None:
        for schedule in schedules:
            schedule.step()

    return slower


def start(peer: Peer) -> None:
    """Weights as in the paper: from N(0, 0.02), gains of normalisations from N(1, 0.02)."""
    for module in (*peer.g.modules(), *peer.d.modules()):
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)


class _Images(torch.utils.data.Dataset):
    """Images in [-1, 1] and labels, one by one."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.images[index].float().div_(127.5).sub_(1), self.labels[index]


def _batches(images: torch.Tensor, labels: torch.Tensor, batch: int) -> Iterator[list[torch.Tensor]]:
    loader = torch.utils.data.DataLoader(_Images(images, labels), batch, shuffle=True, drop_last=True)
    while True:
        yield from loader


def make(question: Any, setting: str, data: tuple[np.ndarray, np.ndarray], device: str, precision: str) -> Peer:
    """The peer of a question of `training_steps`."""
    torch.manual_seed(0)
    if question.recipe == "gan":
        networks = mlp(question.shape)
    else:
        networks = dcgan(question.shape, question.width, question.classes, norm=question.game == "gan")
    return Peer(
        networks,
        *data,
        batch=question.batch,
        game=question.game,
        classes=question.classes,
        setting=setting,
        device=device,
        precision=precision,
    )


def parameters(peer: Peer) -> int:
    """Of both networks together."""
    return sum(p.numel() for net in (peer.g, peer.d) for p in net.parameters())
