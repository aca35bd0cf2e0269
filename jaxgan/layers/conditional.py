"""How a class, a latent vector or a style enters a network: joined to its input, as gain and bias, as a scalar product.

The normalising layers standardise each channel and then give it a gain and a bias that depend on the condition:
y = gain(c) * (x - mean) / std + bias(c). They differ in the condition c (a class or a vector) and in what mean and std
are taken over (the batch or the image). All start as plain normalisation.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float, Int

from jaxgan.errors import UserError
from jaxgan.layers.spectral import SpectralDense, SpectralEmbed, rows_of

_GLOROT = nn.initializers.glorot_uniform()


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation with a learned gain and bias for every class.

    De Vries et al. 2017 (arXiv:1707.00683); in generators Miyato and Koyama 2018 (arXiv:1802.05637), section 5.
    Statistics are those of the whole batch, whatever its classes.

    Attributes:
        classes: number of classes.
        momentum: share of the running statistics that a training step keeps.
        epsilon: added to the variance.
        dtype: of the computation; parameters and statistics are float32.
        axis_name: mapped axis over which statistics are averaged, or None.
    """

    classes: int
    momentum: float = 0.9
    epsilon: float = 1e-5
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "b *s c"], label: Int[Array, "b"], *, train: bool) -> Float[Array, "b *s c"]:
        """The normalised channels, each with the gain and the bias of its image's class.

        Args:
            x: channels last.
            label: class numbers in [0, classes); others give NaN.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).
        """
        _check_labels(self.classes, label, x)
        gain = _rows(self, label, "gain", nn.initializers.ones, x.shape[-1])
        bias = _rows(self, label, "bias", nn.initializers.zeros, x.shape[-1])
        return modulate(_batch_norm(self, train)(x), gain, bias)


class LinearBatchNorm(nn.Module):
    """Batch normalisation whose gain and bias are linear maps of a condition, 1 added to the gain.

    BigGAN's (Brock et al. 2019, arXiv:1809.11096, appendix B): the condition is an embedding of the class, which all
    layers share, joined to a part of the latent vector; the maps have no bias and are spectrally normalised.

    Attributes:
        momentum: share of the running statistics that a training step keeps.
        epsilon: added to the variance.
        kernel_init: initialiser of both maps.
        spectral_epsilon: the maps' singular values are at least this.
        dtype: of the computation; parameters and statistics are float32.
        axis_name: mapped axis over which statistics are averaged, or None.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    kernel_init: nn.initializers.Initializer = nn.initializers.orthogonal()
    spectral_epsilon: float = 1e-12
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "b *s c"], given: Float[Array, "b n"], *, train: bool) -> Float[Array, "b *s c"]:
        """The normalised channels with the gains and biases that the condition asks for.

        Args:
            x: channels last.
            given: the condition.
            train: normalise with this batch's statistics, update the running ones (collection `batch_stats`), and
                take a step of power iteration (collection `spectral`).
        """
        shared: dict[str, Any] = {"use_bias": False, "kernel_init": self.kernel_init, "dtype": self.dtype}
        maps = [
            SpectralDense(x.shape[-1], **shared, epsilon=self.spectral_epsilon, name=name) for name in ("gain", "bias")
        ]
        gain, bias = (each(given, train=train) for each in maps)
        return modulate(_batch_norm(self, train)(x), 1 + gain, bias)


class SelfModulation(nn.Module):
    """Batch normalisation whose gain and bias are a small network of the latent vector.

    Chen et al. 2019 (arXiv:1810.01365), section 2: gain(z) = V max(0, U z + b) and a bias likewise; here both
    share the hidden layer, and 1 is added to the gain. Class labels take part when their embedding is joined to z
    (`JoinedLabel`).

    Attributes:
        hidden: units of the hidden layer.
        momentum: share of the running statistics that a training step keeps.
        epsilon: added to the variance.
        dtype: of the computation; parameters and statistics are float32.
        axis_name: mapped axis over which statistics are averaged, or None.
    """

    hidden: int = 32
    momentum: float = 0.9
    epsilon: float = 1e-5
    dtype: Any = jnp.float32
    axis_name: str | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "b *s c"], z: Float[Array, "b n"], *, train: bool) -> Float[Array, "b *s c"]:
        """The normalised channels with the gains and biases that z asks for.

        Args:
            x: channels last.
            z: latent vectors.
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).
        """
        inner = nn.relu(nn.Dense(self.hidden, kernel_init=_GLOROT, dtype=self.dtype, name="hidden")(z))
        gain, bias = _affine(inner, x.shape[-1], self.dtype)
        return modulate(_batch_norm(self, train)(x), gain, bias)


class AdaIN(nn.Module):
    """Adaptive instance normalisation: each image's channels take the mean and the deviation that a style asks for.

    Huang and Belongie 2017 (arXiv:1703.06868), equation 8, with mean and deviation an affine map of a style vector
    (Karras et al. 2019, arXiv:1812.04948, section 2).

    Attributes:
        epsilon: added to the variance.
        dtype: of the computation; parameters and statistics are float32.
    """

    epsilon: float = 1e-5
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], style: Float[Array, "b n"]) -> Float[Array, "b h w c"]:
        """The image's channels, standardised over its pixels, with the gains and biases of the style.

        Args:
            x: channels-last images.
            style: style vectors.
        """
        gain, bias = _affine(style, x.shape[-1], self.dtype)
        # E[x^2] - E[x]^2, Flax's default, is rounding alone where a channel's mean is far larger than its deviation.
        plain: dict[str, Any] = {"use_bias": False, "use_scale": False, "use_fast_variance": False}
        standard = nn.InstanceNorm(epsilon=self.epsilon, dtype=self.dtype, **plain)(x)
        return modulate(standard, gain, bias)


class Projection(nn.Module):
    """The projection discriminator's last layer: logit = V[y] . phi + psi(phi).

    Miyato and Koyama 2018 (arXiv:1802.05637), section 3: phi are the features of an image, psi a linear map to one
    number, V a vector for each class. It is the form of log p(x|y) / q(x|y) for classes with log-linear posteriors.

    Attributes:
        classes: number of classes.
        spectral: normalise psi and V spectrally.
        epsilon: of that; singular values are at least this.
        kernel_init: initialiser of psi and V.
        dtype: of the computation; parameters are float32.
    """

    classes: int
    spectral: bool = True
    epsilon: float = 1e-12
    kernel_init: nn.initializers.Initializer = _GLOROT
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, phi: Float[Array, "b n"], label: Int[Array, "b"], *, train: bool) -> Float[Array, "b"]:
        """Logits in `dtype`.

        Args:
            phi: features.
            label: class numbers in [0, classes); others give NaN.
            train: take a step of power iteration (collection `spectral`).
        """
        _check_labels(self.classes, label, phi)
        psi: dict[str, Any] = {"features": 1, "kernel_init": self.kernel_init, "dtype": self.dtype, "name": "psi"}
        if self.spectral:
            logits = SpectralDense(**psi, epsilon=self.epsilon)(phi, train=train)
            shared: dict[str, Any] = {"embedding_init": self.kernel_init, "epsilon": self.epsilon, "name": "classes"}
            v = SpectralEmbed(self.classes, phi.shape[-1], self.dtype, **shared)(label, train=train)
        else:
            logits = nn.Dense(**psi)(phi)
            v = _rows(self, label, "classes", self.kernel_init, phi.shape[-1])
        return logits[:, 0] + jnp.sum(v * phi.astype(self.dtype), axis=1)


class JoinedLabel(nn.Module):
    """A vector with the embedding of a class joined to it.

    Mirza and Osindero 2014 (arXiv:1411.1784), with a learned vector for each class in place of the one-hot row.

    Attributes:
        classes: number of classes.
        features: length of a class's vector.
        dtype: of the computation; parameters are float32.
    """

    classes: int
    features: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, z: Float[Array, "b n"], label: Int[Array, "b"]) -> Float[Array, "b joined"]:
        """`[b, n + features]` in `dtype`: z, then the class's vector. Labels outside [0, classes) give NaN."""
        _check_labels(self.classes, label, z)
        vector = _rows(self, label, "classes", nn.initializers.normal(1.0), self.features)
        return jnp.concatenate([z.astype(self.dtype), vector], axis=1)


class LabelPlane(nn.Module):
    """An image with one more channel, a learned picture of its class.

    Denton et al. 2015 (LAPGAN, arXiv:1506.05751): a linear map of the one-hot class, as a plane of the
    image's size.

    Attributes:
        classes: number of classes.
        dtype: of the computation; parameters are float32.
    """

    classes: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], label: Int[Array, "b"]) -> Float[Array, "b h w c+1"]:
        """`x` in `dtype` with the plane as last channel. Labels outside [0, classes) give NaN."""
        _check_labels(self.classes, label, x)
        b, h, w, _ = x.shape
        plane = _rows(self, label, "classes", nn.initializers.normal(1.0), h * w)
        return jnp.concatenate([x.astype(self.dtype), plane.reshape(b, h, w, 1)], axis=-1)


def modulate(x: Float[Array, "b *s c"], gain: Float[Array, "b c"], bias: Float[Array, "b c"]) -> Float[Array, "b *s c"]:
    """Give each channel of each example a gain and a bias of its own: gain * x + bias."""
    shape = (x.shape[0], *(1 for _ in x.shape[1:-1]), x.shape[-1])
    return gain.reshape(shape) * x + bias.reshape(shape)


def _batch_norm(layer: ConditionalBatchNorm | LinearBatchNorm | SelfModulation, train: bool) -> nn.BatchNorm:
    return nn.BatchNorm(
        use_running_average=not train,
        momentum=layer.momentum,
        epsilon=layer.epsilon,
        dtype=layer.dtype,
        use_bias=False,
        use_scale=False,
        axis_name=layer.axis_name,
    )


def _check_labels(classes: int, label: Array, x: Array) -> None:
    """Raise a UserError for a layer without classes, or unless there is a label for each example of x."""
    if classes < 1:
        raise UserError(f"a layer with labels takes at least 1 class, got {classes}.")
    if label.shape != x.shape[:1]:
        raise UserError(f"a layer with labels takes one an example, {len(x)} here, got labels of shape {label.shape}.")


def _rows(layer: Any, label: Int[Array, "b"], name: str, init: Any, features: int) -> Float[Array, "b features"]:
    """A learned row for each label, NaN for a label that is no class."""
    table = nn.Embed(layer.classes, features, embedding_init=init, name=name)
    return rows_of(table.embedding, label).astype(layer.dtype)


def _affine(vector: Float[Array, "b n"], channels: int, dtype: Any) -> Sequence[Float[Array, "b c"]]:
    """A gain around 1 and a bias around 0 from a vector."""
    gain = nn.Dense(channels, kernel_init=_GLOROT, dtype=dtype, name="gain")(vector)
    return 1 + gain, nn.Dense(channels, kernel_init=_GLOROT, dtype=dtype, name="bias")(vector)
