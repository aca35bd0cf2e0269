"""What an image must tell of the label or the code that it was made from: AC-GAN and InfoGAN.

Both give the discriminator a second output, a guess of the label or of the code, and both players want it to be right.
Guesses come as logits or as the parameters of a Gaussian; results are one number of nats per example.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgan.losses.checks import check_same_shape
from jaxgan.losses.reduce import exact


def auxiliary_d(
    real_class_logits: Float[Array, "b k"], fake_class_logits: Float[Array, "b k"], label: Int[Array, "b"]
) -> Float[Array, "b"]:
    """AC-GAN's discriminator: -L_C = -log P(C = c | x) - log P(C = c | G(z, c)) (Odena et al. 2017, equation 3).

    arXiv:1610.09585. It is added to the adversarial loss of D.

    Args:
        real_class_logits: the second output of D for real images.
        fake_class_logits: the same for fakes.
        label: classes of the real images, and those that the fakes were made with.
    """
    check_same_shape("class logits of real and fake images", real_class_logits, fake_class_logits)
    return cross_entropy(real_class_logits, label) + cross_entropy(fake_class_logits, label)


def auxiliary_g(fake_class_logits: Float[Array, "b k"], label: Int[Array, "b"]) -> Float[Array, "b"]:
    """AC-GAN's generator: the part of -L_C that depends on it, -log P(C = c | G(z, c)) (Odena et al. 2017, section 3).

    Args:
        fake_class_logits: the second output of D for fakes.
        label: the classes that the fakes were made with.
    """
    return cross_entropy(fake_class_logits, label)


def cross_entropy(class_logits: Float[Array, "b k"], label: Int[Array, "b"]) -> Float[Array, "b"]:
    """-log P(label), in nats; NaN for a label that is none of the k classes."""
    check_same_shape("labels and rows of class logits", label, class_logits[:, 0])
    log_probabilities = jax.nn.log_softmax(exact(class_logits))
    # Python's -1 is the last class; a label of -1 is none.
    label = jnp.where(label < 0, class_logits.shape[1], label.astype(jnp.int32))
    return -jnp.take_along_axis(log_probabilities, label[:, None], axis=1, mode="fill")[:, 0]


def categorical_information(code_logits: Float[Array, "b k"], code: Int[Array, "b"]) -> Float[Array, "b"]:
    """InfoGAN's bound for a code drawn evenly from k: log Q(c|x) + H(c), whose mean is at most I(c; G(z, c)).

    Chen et al. 2016 (arXiv:1606.03657), equation 5. At most log k, which a code that can be read off every
    image reaches; 0 for a Q that guesses; below 0 for one that is wrong.

    Args:
        code_logits: Q's guess.
        code: what the images were made with, in [0, k).
    """
    return math.log(code_logits.shape[1]) - cross_entropy(code_logits, code)


def continuous_information(
    code: Float[Array, "b n"], mean: Float[Array, "b n"], log_variance: Float[Array, "b n"] | None = None
) -> Float[Array, "b"]:
    """InfoGAN's bound for n codes drawn evenly from [-1, 1], log Q(c|x) + H(c) with a Gaussian Q: equation 5 as above.

    The entropy is n log 2. With unit variance the bound never reaches 0 (log 2 - log(2 pi) / 2 = -0.23 a code at
    best); its gradients are all that counts then.

    Args:
        code: what the images were made with.
        mean: of Q.
        log_variance: of Q, or None for a variance that is fixed at 1.
    """
    return gaussian_log_likelihood(code, mean, log_variance) + code.shape[1] * math.log(2)


def gaussian_log_likelihood(
    code: Float[Array, "b n"], mean: Float[Array, "b n"], log_variance: Float[Array, "b n"] | None = None
) -> Float[Array, "b"]:
    """Logarithm of N(code; mean, diag(exp(log_variance))), n codes; nats (Chen et al. 2016, section 6)."""
    code, mean = exact(code), exact(mean)
    log_variance = jnp.zeros_like(mean) if log_variance is None else exact(log_variance)
    check_same_shape("codes, means and logarithms of variances", code, mean, log_variance)
    squares = jnp.square(code - mean) * jnp.exp(-log_variance)
    return -0.5 * jnp.sum(squares + log_variance + math.log(2 * math.pi), axis=1)


def kl_to_normal(mean: Float[Array, "b n"], log_variance: Float[Array, "b n"]) -> Float[Array, "b"]:
    """KL(N(mean, diag(exp(log_variance))) || N(0, 1)), in nats: a variational autoencoder's price of what it tells.

    Kingma and Welling 2014 (arXiv:1312.6114), appendix B.

    Args:
        mean: of each number of the code.
        log_variance: logarithm of the variance of each.
    """
    check_same_shape("means and logarithms of variances", mean, log_variance)
    mean, log_variance = exact(mean), exact(log_variance)
    return 0.5 * jnp.sum(jnp.square(mean) + jnp.exp(log_variance) - 1 - log_variance, axis=1)
