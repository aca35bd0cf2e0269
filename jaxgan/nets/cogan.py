"""Coupled GANs: one generator with two ends and one discriminator with two beginnings.

Liu and Tuzel 2016, "Coupled Generative Adversarial Networks" (arXiv:1606.07536): the layers that decide what a picture
shows are shared, the layers next to the pixels belong to a domain each. No pair of pictures is ever seen; that one
latent vector gives two pictures of one thing comes from the sharing alone. Both networks are made of DCGAN's layers
(`nets.dcgan`) with a dense layer of `units` more, next to the latent vector and to the logit, and all but the outermost
layer is shared (`own` 1), as in the paper's networks of digits. There, too, the generators' last layer is a convolution
that keeps the size of its input. Here that input, the joint layer, has few channels: the pictures of both domains have
to be read from the same ones, else the domains may share the latent vector out between them.
"""

from collections.abc import Mapping
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError
from jaxgan.layers.conv.layers import Conv, ConvTranspose
from jaxgan.nets.dcgan import batch_norm, pyramid, pyramid_channels, with_planes
from jaxgan.nets.labels import one_hot

DOMAINS = ("a", "b")
_WEIGHTS = nn.initializers.normal(0.02)


class CoupledGenerator(nn.Module):
    """Latent vectors to two pictures each.

    Attributes:
        size: height and width of the pictures, pixels.
        channels: of the pictures of domain a and of domain b.
        width: channels of the layer before the joint one; each layer before has twice as many.
        units: of the first dense layer.
        joint: channels of the layer of the pictures' size from which the last convolution reads each picture. Where
            they are many, the domains may use different ones, and a pair need not show one thing.
        own: how many of the last layers each domain has for itself; the dense layers are always shared.
        classes: number of classes; 0 for an unconditional generator.
        dtype: of the computation; parameters, batch statistics and images are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
        momentum: what a step leaves of the running statistics; 0 makes them those of the last batch.
    """

    size: tuple[int, int]
    channels: tuple[int, int] = (1, 1)
    width: int = 64
    units: int = 1024
    joint: int = 4
    own: int = 1
    classes: int = 0
    dtype: Any = jnp.float32
    axis_name: str | None = None
    momentum: float = 0.9

    @nn.compact
    def __call__(
        self, z: Float[Array, "b z"], label: Int[Array, "b"] | None = None, *, train: bool
    ) -> dict[str, Float[Array, "b h w _"]]:
        """Pictures in [-1, 1] by domain, "a" and "b"; row i of both shows the same thing.

        Args:
            z: latent vectors.
            label: class numbers, exactly when `classes` is above 0.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Returns:
            float32 images.

        Raises:
            UserError: if no DCGAN has this image size, labels and `classes` disagree, or `own` does not fit.
        """
        (base_h, base_w), doublings = pyramid(*self.size)
        shared = doublings + 1 - _checked(self.own, doublings)
        first, *hidden = (*pyramid_channels(self.width, doublings)[::-1], self.joint)
        y = one_hot(label, self.classes)
        x = z if y is None else jnp.concatenate([z, y.astype(z.dtype)], axis=1)
        for layer, units in enumerate((self.units, base_h * base_w * first)):
            x = nn.relu(_Units(units, True, self.dtype, self.axis_name, self.momentum, name=f"dense{layer}")(x, train))
        x = x.reshape(-1, base_h, base_w, first)
        for layer, features in enumerate(hidden[:shared]):
            x = self._doubling(features, f"shared{layer}")(x, train)
        return {domain: self._end(x, domain, hidden[shared:], train) for domain in DOMAINS}

    def _end(self, x: Array, domain: str, hidden: list[int], train: bool) -> Array:
        """The layers of one domain."""
        for layer, features in enumerate(hidden):
            x = self._doubling(features, f"{domain}{layer}")(x, train)
        last, channels = f"{domain}{len(hidden)}", self.channels[DOMAINS.index(domain)]
        x = Conv(channels, (5, 5), kernel_init=_WEIGHTS, dtype=self.dtype, name=last)(x)
        return jnp.tanh(x.astype(jnp.float32))

    def _doubling(self, features: int, name: str) -> "_Doubling":
        return _Doubling(features, self.dtype, self.axis_name, self.momentum, name=name)


class CoupledDiscriminator(nn.Module):
    """Pictures of either domain to logits.

    Attributes:
        width: channels of the first layer; each layer after has twice as many.
        units: of the dense layer before the last.
        own: how many of the first layers each domain has for itself; the dense ones are always shared.
        norm: "batch", but for the first layer and the last; or "none". Layers without it have biases. Batch statistics
            are of one domain's pictures at a time; the running ones of shared layers are of both.
        classes: number of classes; 0 for an unconditional discriminator.
        dtype: of the computation; parameters, batch statistics and logits are float32.
        axis_name: mapped axis over which batch statistics are averaged, or None.
    """

    width: int = 64
    units: int = 1024
    own: int = 1
    norm: Literal["batch", "none"] = "batch"
    classes: int = 0
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self,
        images: Mapping[str, Float[Array, "_ h w _"]],
        labels: Mapping[str, Int[Array, "_"]] | None = None,
        *,
        train: bool,
    ) -> dict[str, Float[Array, "_"]]:
        """One logit a picture, by domain: positive where it looks like a real one of that domain.

        Args:
            images: in [-1, 1], by "a" and "b"; both where parameters are made, else both or one.
            labels: class numbers by domain, exactly when `classes` is above 0.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).

        Returns:
            float32 logits, not probabilities, of the domains given.

        Raises:
            UserError: if no DCGAN has this image size, there is another domain, a network is made from one domain,
                labels and `classes` disagree, or `own` does not fit.
        """
        _check_domains(images, made=not self.is_initializing())
        _, halvings = pyramid(*next(iter(images.values())).shape[1:3])
        own, sizes = _checked(self.own, halvings), pyramid_channels(self.width, halvings)
        # Made once and called for each domain.
        layers = [self._halving("shared", layer, sizes) for layer in range(own, halvings)]
        dense = _Units(self.units, self.norm == "batch", self.dtype, self.axis_name, name="dense0")
        last = nn.Dense(1, dtype=self.dtype, kernel_init=_WEIGHTS, name="dense1")
        logits = {}
        for domain in sorted(images):
            y = one_hot(None if labels is None else labels[domain], self.classes)
            x = with_planes(images[domain], y)
            for halving in (*(self._halving(domain, layer, sizes) for layer in range(own)), *layers):
                x = halving(x, train)
            x = _leaky(dense(x.reshape(x.shape[0], -1), train))
            logits[domain] = last(x)[:, 0].astype(jnp.float32)
        return logits

    def _halving(self, owner: str, layer: int, sizes: list[int]) -> "_Halving":
        normed = self.norm == "batch" and layer > 0
        return _Halving(sizes[layer], normed, self.dtype, self.axis_name, name=f"{owner}{layer}")


class _Doubling(nn.Module):
    features: int
    dtype: Any
    axis_name: str | None
    momentum: float

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], train: bool) -> Float[Array, "b 2*h 2*w {self.features}"]:
        x = ConvTranspose(self.features, (4, 4), (2, 2), use_bias=False, kernel_init=_WEIGHTS, dtype=self.dtype)(x)
        return nn.relu(batch_norm(train, self.dtype, self.axis_name, momentum=self.momentum)(x))


class _Halving(nn.Module):
    features: int
    normed: bool
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], train: bool) -> Float[Array, "b h//2 w//2 {self.features}"]:
        bias = not self.normed
        x = Conv(self.features, (4, 4), (2, 2), use_bias=bias, kernel_init=_WEIGHTS, dtype=self.dtype)(x)
        x = batch_norm(train, self.dtype, self.axis_name)(x) if self.normed else x
        return _leaky(x)


class _Units(nn.Module):
    features: int
    normed: bool
    dtype: Any
    axis_name: str | None
    momentum: float = 0.9

    @nn.compact
    def __call__(self, x: Float[Array, "b n"], train: bool) -> Float[Array, "b {self.features}"]:
        x = nn.Dense(self.features, not self.normed, self.dtype, kernel_init=_WEIGHTS)(x)
        return batch_norm(train, self.dtype, self.axis_name, momentum=self.momentum)(x) if self.normed else x


def _leaky(x: Float[Array, "*s"]) -> Float[Array, "*s"]:
    return jax.nn.leaky_relu(x, 0.2)


def _checked(own: int, layers: int) -> int:
    if not 1 <= own <= layers:
        raise UserError(f"a coupled network has 1 to {layers} layers of its own for each domain here, got own={own}.")
    return own


def _check_domains(images: Mapping[str, Array], *, made: bool) -> None:
    if not images or not set(images) <= set(DOMAINS):
        raise UserError(
            f"a coupled discriminator takes images of a, of b or of both, got {', '.join(images) or 'none'}."
        )
    if not made and len(images) < len(DOMAINS):
        raise UserError(f"a coupled discriminator is made from images of a and b, got {', '.join(images)} alone.")
