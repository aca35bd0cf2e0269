import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.accuracy import accuracy, gan_test_accuracy, gan_train_accuracy
from jaxgan.metrics.classifier import Training

TRAINING = Training(epochs=8, batch_size=16, width=4, learning_rate=1e-2, flip=False, shift=0)


def _stripes(n, seed, diverse=True):
    """Horizontal or vertical stripes, easily told apart; without diversity every class has one image only."""
    rng = np.random.RandomState(seed)
    labels = np.arange(n) % 2
    phases = rng.uniform(0, 6, n) if diverse else np.zeros(n)
    wave = 127.5 + 100 * np.sin(np.arange(12) * 1.5 + phases[:, None])
    images = np.where(labels[:, None, None] == 0, wave[:, :, None], wave[:, None, :])
    return (images[..., None] + rng.randint(0, 20, (n, 12, 12, 1))).clip(0, 255).astype(np.uint8), labels


# Oracle: perfect fakes teach a classifier everything; fakes whose labels are exchanged teach it the opposite.
def test_good_and_mislabelled_fakes():
    real, fake = _stripes(64, 0), _stripes(64, 1)
    assert gan_train_accuracy(*real, *fake, training=TRAINING).value > 0.95
    assert gan_train_accuracy(*real, fake[0], 1 - fake[1], training=TRAINING).value < 0.05
    assert gan_test_accuracy(*real, fake[0], 1 - fake[1], training=TRAINING).value < 0.05


# Oracle: which side trains. Fakes all of one class teach that class alone; tested, they are all named right.
def test_the_two_directions_differ():
    real, (images, labels) = _stripes(64, 0), _stripes(128, 1)
    one_class = images[labels == 0], labels[labels == 0]
    trained = gan_train_accuracy(*real, *one_class, training=TRAINING)
    assert trained.value == pytest.approx(0.5)
    np.testing.assert_allclose(trained.per_class, [1, 0])
    tested = gan_test_accuracy(*real, *one_class, training=TRAINING)
    assert tested.value > 0.95
    np.testing.assert_array_equal(np.isnan(tested.per_class), [False, True])


# Oracle: by hand.
def test_accuracy_by_class():
    logits = np.array([[2.0, 1, 0, 0], [0, 3, 1, 0], [0, 1, 0, 0], [5, 0, 0, 0]])
    found = accuracy(logits, np.array([0, 1, 2, 2]))
    assert found.value == 0.5
    np.testing.assert_array_equal(found.per_class, [1, 1, 0, np.nan])


def test_mistakes_get_a_sentence():
    real, fake = _stripes(8, 0), _stripes(8, 1)
    with pytest.raises(UserError, match="one shape"):
        gan_train_accuracy(*real, fake[0][:, 1:], fake[1])
    with pytest.raises(UserError, match="8 images, 7 labels"):
        gan_train_accuracy(*real, fake[0], fake[1][1:])
