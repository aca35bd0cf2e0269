"""The same games in PyTorch, as its users write them: networks, losses and optimisers like the recipes', in float32.

Settings: `eager` is the usual tutorial's step, channels first, its images gathered from an array on the device.
`loader` is the same with the tutorial's data: a shuffling `DataLoader` that normalises image by image. `best` is the
fastest that we know without a compiler: channels last, D's weights without gradients while G moves, Adam as one fused
update. `compiled` is `best` with both networks through `torch.compile`. On a GPU, `bf16` computes networks under
autocast, and `tf32` allows TF32 products.
"""

from collections.abc import Iterator, Sequence
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


def dcgan(shape: Sequence[int], width: int, classes: int = 0, norm: bool = True) -> tuple[nn.Module, nn.Module]:
    """The networks of `jaxgan.recipes.dcgan`; with `classes` those of `cgan`; `norm`: batch normalisation in D."""
    from jaxgan.nets.dcgan import pyramid

    height, columns, channels = shape
    (base_h, base_w), doublings = pyramid(height, columns)
    features = [width * 2**layer for layer in range(doublings)]
    up: list[nn.Module] = [nn.Linear(LATENT + classes, features[-1] * base_h * base_w, bias=False)]
    up.append(nn.Unflatten(1, (features[-1], base_h, base_w)))
    for far, near in zip(features[::-1], [*features[-2::-1], channels], strict=True):
        up += [nn.BatchNorm2d(far), nn.ReLU(), nn.ConvTranspose2d(far, near, 4, 2, 1, bias=False)]
    down: list[nn.Module] = []
    for i, (near, far) in enumerate(zip([channels + classes, *features], features, strict=False)):
        normal = [nn.BatchNorm2d(far)] if i and norm else []
        down += [nn.Conv2d(near, far, 4, 2, 1, bias=not norm), *normal, nn.LeakyReLU(0.2)]
    return nn.Sequential(*up, nn.Tanh()), nn.Sequential(
        *down, nn.Flatten(), nn.Linear(features[-1] * base_h * base_w, 1, bias=False)
    )


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
        rates = {"betas": (0.0, 0.9), "lr": 1e-4} if game == "wgan_gp" else {"betas": (0.5, 0.999), "lr": 2e-4}
        fused = {"fused": True} if self.frozen else {}
        self.adams = {net: torch.optim.Adam(net.parameters(), **rates, **fused) for net in (self.g, self.d)}
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
