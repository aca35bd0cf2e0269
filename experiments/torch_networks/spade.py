"""SPADE's networks in PyTorch, with the names that published files have. Needs torch.

Written from the paper (Park et al. 2019, arXiv:1903.07291, figures 2 to 4 and appendix A) and from tables of shapes
and names; not from its code.
"""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm


def instance(channels):
    return nn.InstanceNorm2d(channels)


class Spade(nn.Module):
    """Normalisation, then a gain and a bias for each pixel, read from the map."""

    def __init__(self, channels, labels, hidden):
        super().__init__()
        self.param_free_norm = nn.BatchNorm2d(channels, affine=False)
        self.mlp_shared = nn.Sequential(nn.Conv2d(labels, hidden, 3, padding=1), nn.ReLU())
        self.mlp_gamma, self.mlp_beta = (nn.Conv2d(hidden, channels, 3, padding=1) for _ in range(2))

    def forward(self, x, planes):
        """Features of the same size."""
        h = self.mlp_shared(F.interpolate(planes, size=x.shape[2:], mode="nearest"))
        return self.param_free_norm(x) * (1 + self.mlp_gamma(h)) + self.mlp_beta(h)


class Block(nn.Module):
    """Two normalised convolutions beside a shortcut."""

    def __init__(self, takes, makes, labels, hidden):
        super().__init__()
        middle = min(takes, makes)
        self.conv_0 = spectral_norm(nn.Conv2d(takes, middle, 3, padding=1))
        self.conv_1 = spectral_norm(nn.Conv2d(middle, makes, 3, padding=1))
        self.norm_0, self.norm_1 = Spade(takes, labels, hidden), Spade(middle, labels, hidden)
        self.learned = takes != makes
        if self.learned:
            self.conv_s = spectral_norm(nn.Conv2d(takes, makes, 1, bias=False))
            self.norm_s = Spade(takes, labels, hidden)

    def forward(self, x, planes):
        """Features of the same size."""
        h = self.conv_0(F.leaky_relu(self.norm_0(x, planes), 0.2))
        h = self.conv_1(F.leaky_relu(self.norm_1(h, planes), 0.2))
        return h + (self.conv_s(self.norm_s(x, planes)) if self.learned else x)


class Generator(nn.Module):
    """Maps, and styles where `z` is not 0, to pictures of `side` pixels."""

    def __init__(self, labels, width, hidden, z=0, side=64):
        super().__init__()
        self.z, self.base, deep = z, side // 32, 16 * width
        self.fc = nn.Linear(z, deep * self.base**2) if z else nn.Conv2d(labels, deep, 3, padding=1)
        self.head_0, self.G_middle_0, self.G_middle_1 = (Block(deep, deep, labels, hidden) for _ in range(3))
        for i in range(4):
            self.add_module(f"up_{i}", Block(deep >> i, deep >> (i + 1), labels, hidden))
        self.conv_img = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, planes, z=None):
        """Pictures in [-1, 1]."""
        small = F.interpolate(planes, size=(self.base, self.base), mode="nearest")
        x = self.fc(z).reshape(len(z), -1, self.base, self.base) if self.z else self.fc(small)
        x = self.G_middle_0(twice(self.head_0(x, planes)), planes)
        x = self.G_middle_1(x, planes)
        for i in range(4):
            x = getattr(self, f"up_{i}")(twice(x), planes)
        return torch.tanh(self.conv_img(F.leaky_relu(x, 0.2)))


class Patches(nn.Module):
    """A discriminator of patches, and all that it sees on the way."""

    def __init__(self, takes, width, layers):
        super().__init__()
        self.model0 = nn.Sequential(nn.Conv2d(takes, width, 4, 2, 2), nn.LeakyReLU(0.2))
        channels = [width * min(2**i, 8) for i in range(layers)]
        for i in range(1, layers):
            conv = nn.Conv2d(channels[i - 1], channels[i], 4, 2 if i < layers - 1 else 1, 2, bias=False)
            normed = nn.Sequential(spectral_norm(conv), instance(channels[i]))
            self.add_module(f"model{i}", nn.Sequential(normed, nn.LeakyReLU(0.2)))
        self.add_module(f"model{layers}", nn.Sequential(nn.Conv2d(channels[-1], 1, 4, 1, 2)))

    def forward(self, x):
        """Features, logits last."""
        found = []
        for model in self.children():
            x = model(x)
            found.append(x)
        return found


class Discriminator(nn.Module):
    """The same at two scales."""

    def __init__(self, takes, width, layers=4):
        super().__init__()
        self.discriminator_0, self.discriminator_1 = (Patches(takes, width, layers) for _ in range(2))

    def forward(self, x):
        """Of each scale features, logits last."""
        half = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        return [self.discriminator_0(x), self.discriminator_1(half)]


class Encoder(nn.Module):
    """Pictures of 4 * 2^layers pixels to the mean and the logarithm of the variance of styles."""

    def __init__(self, z, width, layers):
        super().__init__()
        self.layers, channels = layers, [3, *(width * min(2**i, 8) for i in range(layers))]
        for i in range(layers):
            conv = spectral_norm(nn.Conv2d(channels[i], channels[i + 1], 3, 2, 1, bias=False))
            self.add_module(f"layer{i + 1}", nn.Sequential(conv, instance(channels[i + 1])))
        self.fc_mu, self.fc_var = (nn.Linear(channels[-1] * 16, z) for _ in range(2))

    def forward(self, x):
        """Two rows of numbers a picture."""
        for i in range(self.layers):
            x = F.leaky_relu(getattr(self, f"layer{i + 1}")(x), 0.2)
        return self.fc_mu(x.flatten(1)), self.fc_var(x.flatten(1))


def twice(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")
