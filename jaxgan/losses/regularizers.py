"""Regularisers on outputs: on logits, on features, on pairs of images."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PyTree

from jaxgan.losses.checks import check_at_least_zero, check_decay, check_same_shape
from jaxgan.losses.reduce import arrays, batch_mean, exact, example_means, example_sums, total

Outputs = PyTree[Float[Array, "b ..."]]
_TINY = 1e-5  # of `mode_seeking`, against division by zero where two images agree


def consistency(outputs: Outputs, moved_outputs: Outputs) -> Float[Array, " b"]:
    """Squared distance between what a network gives for an input and for that input moved a little.

    CR (Zhang et al. 2020, arXiv:1910.12027; weight 10), for D's loss, T being an augmentation of
    `jaxgan.augment`:

        10 * consistency(D(x), D(T(x)))

    zCR (Zhao et al. 2020, arXiv:2002.04724, algorithm 2; weights 5 and 0.5), T adding a little noise to latents, for
    D's and for G's loss, which wants images of different latents to differ:

        5 * consistency(D(G(z)), D(G(T(z))))        -0.5 * consistency(G(z), G(T(z)))

    Args:
        outputs: logits or images, of any shape or pytree.
        moved_outputs: those of the moved inputs, in the same structure.

    Raises:
        UserError: outputs of different shapes.
    """
    check_same_shape("outputs and moved outputs", outputs, moved_outputs)
    differences = jax.tree.map(lambda a, b: jnp.square(exact(a) - exact(b)), outputs, moved_outputs)
    return example_sums(differences)


def balanced_consistency(
    real_logits: Outputs,
    moved_real_logits: Outputs,
    fake_logits: Outputs,
    moved_fake_logits: Outputs,
    real_weight: float | Array = 10.0,
    fake_weight: float | Array = 10.0,
) -> Float[Array, " b"]:
    """BCR: consistency on real images and on fakes (Zhao et al. 2020, arXiv:2002.04724, algorithm 1), with weights.

    Args:
        real_logits: D(x).
        moved_real_logits: D(T(x)).
        fake_logits: D(G(z)), of as many fakes.
        moved_fake_logits: D(T(G(z))).
        real_weight: of the distance on real images.
        fake_weight: of the distance on fakes.

    Raises:
        UserError: a weight below 0, or logits of different shapes.
    """
    check_at_least_zero("real_weight", real_weight)
    check_at_least_zero("fake_weight", fake_weight)
    on_real = consistency(real_logits, moved_real_logits)
    return real_weight * on_real + fake_weight * consistency(fake_logits, moved_fake_logits)


class Anchors(NamedTuple):
    """Moving averages of D's logits, which a recipe keeps in `extras`; start with zeros.

    Attributes:
        real: of real images.
        fake: of fakes.
    """

    real: Float[Array, ""]
    fake: Float[Array, ""]


def lecam(real_logits: Outputs, fake_logits: Outputs, anchors: Anchors) -> Float[Array, " b"]:
    """(D(x) - fake anchor)^2 + (D(G(z)) - real anchor)^2: it pulls the two towards each other.

    Tseng et al. 2021, "Regularizing Generative Adversarial Networks under Limited Data" (arXiv:2104.03310), equation 5.
    The authors' code also cuts off differences below 0, so that logits which have crossed the anchor are left alone.

    Args:
        real_logits: of real images; of several logits an example the mean is taken.
        fake_logits: of as many fakes.
        anchors: the averages so far.

    Raises:
        UserError: not as many fakes as real images.
    """
    real, fake = lax.stop_gradient(anchors)
    from_fake = example_means(jax.tree.map(lambda logits: jnp.square(exact(logits) - fake), real_logits))
    from_real = example_means(jax.tree.map(lambda logits: jnp.square(exact(logits) - real), fake_logits))
    check_same_shape("real and fake logits, one number an example,", from_fake, from_real)
    return from_fake + from_real


def update_anchors(
    anchors: Anchors, real_logits: Outputs, fake_logits: Outputs, decay: float | Array = 0.99
) -> Anchors:
    """The averages after a batch, for `Aux(extras=...)`, in which the engine averages over devices.

    Args:
        anchors: the averages so far.
        real_logits: of real images.
        fake_logits: of fakes.
        decay: what a step leaves of the old averages.

    Raises:
        UserError: a decay outside [0, 1).
    """
    check_decay(decay)

    def move(old: Array, logits: Outputs) -> Array:
        return decay * old + (1 - decay) * lax.stop_gradient(example_means(logits).mean())

    return Anchors(move(anchors.real, real_logits), move(anchors.fake, fake_logits))


def mode_seeking(
    x_fake: Float[Array, "b *s"],
    other_fake: Float[Array, "..."],
    z: Float[Array, "b *l"],
    other_z: Float[Array, "..."],
) -> Float[Array, " b"]:
    """1 / (ratio of distances + 1e-5), the ratio being mean |G(z1) - G(z2)| over mean |z1 - z2|: a loss of G.

    Mao et al. 2019, "Mode Seeking Generative Adversarial Networks for Diverse Image Synthesis" (arXiv:1903.05628).
    The paper has G make the ratio large; its reciprocal is a loss that is bounded from below. The ratio is each pair's
    own, as in the paper's formula; the authors' code takes that of the batch's mean distances.

    Args:
        x_fake: fakes.
        other_fake: fakes of the same shape and the same conditions, from other latents.
        z: latents of `x_fake`.
        other_z: latents of `other_fake`, of the same shape.

    Raises:
        UserError: images or latents of different shapes.
    """
    check_same_shape("the two fakes", x_fake, other_fake)
    check_same_shape("the two latents", z, other_z)
    between_images = example_means(jnp.abs(exact(x_fake) - exact(other_fake)))
    between_latents = example_means(jnp.abs(exact(z) - exact(other_z)))
    spread = between_images + _TINY * between_latents
    # The same latent twice makes the same image twice, which is no collapse: 0, not 0 / 0.
    return between_latents / jnp.where(spread > 0, spread, 1.0)


def feature_matching(
    real_features: PyTree[Float[Array, "..."]], fake_features: PyTree[Float[Array, "..."]], axis_name: str | None = None
) -> Float[Array, ""]:
    """|E f(x) - E f(G(z))|^2 between means of the batch, summed over arrays: one number, a loss of G.

    Salimans et al. 2016, "Improved Techniques for Training GANs" (arXiv:1606.03498), section 3.1.

    Args:
        real_features: activations of D inside, one array a layer.
        fake_features: those of fakes, in the same structure.
        axis_name: the mapped axis whose devices share the batch.

    Raises:
        UserError: features of different shapes; the numbers of images may differ.
    """
    real, fake = (jax.tree.map(lambda x: batch_mean(x, axis_name), each) for each in (real_features, fake_features))
    check_same_shape("means of real and fake features", real, fake)
    return total(arrays(jax.tree.map(lambda a, b: jnp.square(a - b).sum(), real, fake)))


def paired_features(real_features: Outputs, fake_features: Outputs) -> Float[Array, " b"]:
    """Sum over layers of the mean |f(x) - f(G(y))| of pairs of images: a loss of G in image translation.

    Wang et al. 2018, "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs"
    (arXiv:1711.11585), equation 4, for one discriminator.

    Args:
        real_features: activations of D inside, one array a layer.
        fake_features: those of the fakes for the same inputs, in the same structure.

    Raises:
        UserError: features of different shapes.
    """
    check_same_shape("real and fake features", real_features, fake_features)

    def distance(real: Array, fake: Array) -> Array:
        return example_means(jnp.abs(exact(real) - exact(fake)))

    return total(arrays(jax.tree.map(distance, real_features, fake_features)))
