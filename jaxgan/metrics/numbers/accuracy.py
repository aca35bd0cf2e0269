"""Classification accuracy scores: do generated images teach a classifier what the data teach it?

Ravuri and Vinyals 2019, "Classification Accuracy Score for Conditional Generative Models" (arXiv:1905.10887), train on
generated images and test on real ones; Shmelkov, Schmid and Alahari 2018, "How good is my GAN?" (arXiv:1807.09499), do
that (GAN-train) and the reverse (GAN-test). Both are to be held against the same classifier trained and tested on real
images.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float, Int, UInt8

from jaxgan.errors import UserError
from jaxgan.metrics.seen_by.classifier import DEFAULT, Classifier, Training, check_labels, predict, train_classifier

RealImages: TypeAlias = UInt8[np.ndarray, "real h w c"]
FakeImages: TypeAlias = UInt8[np.ndarray, "fake _ _ _"]
RealLabels: TypeAlias = Int[np.ndarray, " real_labels"]
FakeLabels: TypeAlias = Int[np.ndarray, " fake_labels"]


class Accuracy(NamedTuple):
    """The share of test images that a classifier names right; higher is better.

    Attributes:
        value: of all, 0 to 1.
        per_class: of each class; NaN where the test has none of it.
    """

    value: float
    per_class: Float[np.ndarray, " classes"]


def gan_train_accuracy(
    real_images: RealImages,
    real_labels: RealLabels,
    fake_images: FakeImages,
    fake_labels: FakeLabels,
    *,
    seed: int = 2020,
    training: Training = DEFAULT,
) -> Accuracy:
    """The classification accuracy score (CAS, GAN-train): a classifier learns from fakes and is tested on real images.

    Falls with the quality of the fakes and with their lack of diversity.

    Args:
        real_images: held out from the generator's training.
        real_labels: their classes.
        fake_images: of the same shape; as many as the training set has.
        fake_labels: the classes they were generated for.
        seed: of the classifier's training.
        training: how it is trained; leave `flip` off for images of writing.

    Raises:
        UserError: images of different shapes, or labels that are not one for each image.
    """
    return _transfer((fake_images, fake_labels), (real_images, real_labels), seed, training)


def gan_test_accuracy(
    real_images: RealImages,
    real_labels: RealLabels,
    fake_images: FakeImages,
    fake_labels: FakeLabels,
    *,
    seed: int = 2020,
    training: Training = DEFAULT,
) -> Accuracy:
    """The reverse (GAN-test): a classifier learns from real images and is tested on fakes.

    Says whether fakes are of the class they were generated for, not whether they are diverse; a value above the
    accuracy on real test images says that the generator repeats its training images.

    Arguments and errors as for `gan_train_accuracy`, the real images being those of training.
    """
    return _transfer((real_images, real_labels), (fake_images, fake_labels), seed, training)


def accuracy(logits: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"]) -> Accuracy:
    """The share of rows whose largest logit is the label's, over all rows and by class."""
    right = logits.argmax(1) == labels
    totals, rights = (np.bincount(labels, weights, minlength=logits.shape[1]) for weights in (None, right))
    with np.errstate(invalid="ignore"):
        return Accuracy(float(right.mean()), rights / totals)


def _transfer(
    train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], seed: int, training: Training
) -> Accuracy:
    if train[0].shape[1:] != test[0].shape[1:]:
        raise UserError(
            f"an accuracy score takes real and generated images of one shape, got {list(train[0].shape[1:])} "
            f"and {list(test[0].shape[1:])}."
        )
    classes = max(check_labels(*train), check_labels(*test))
    variables = train_classifier(*train, classes=classes, seed=seed, training=training)
    return accuracy(predict(Classifier(classes, training.width), variables, test[0]), test[1])
