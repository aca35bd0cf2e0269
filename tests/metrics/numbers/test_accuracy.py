import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers.accuracy import accuracy, gan_test_accuracy, gan_train_accuracy
from jaxgan.metrics.seen_by.classifier import Training

SMALL = Training(epochs=6, batch_size=32, width=4, learning_rate=1e-2)


def _stripes(n, seed):
    """Lying stripes, standing ones and checks: easily told apart, mirrored and moved too."""
    rng = np.random.RandomState(seed)
    labels = np.arange(n) % 3
    wave = np.sin(np.arange(14) * 1.5 + rng.uniform(0, 6, n)[:, None])
    lying, standing = wave[:, :, None], wave[:, None, :]
    images = np.choose(labels[:, None, None], [lying + 0 * standing, standing + 0 * lying, lying * standing])
    noise = rng.randint(0, 20, (n, 14, 14))
    return (127.5 + 100 * images + noise)[..., None].clip(0, 255).astype(np.uint8), labels


# Oracle: perfect fakes teach a classifier everything; fakes whose labels are exchanged teach it what is wrong.
def test_good_and_mislabelled_fakes():
    real, (images, labels) = _stripes(240, 0), _stripes(240, 1)
    wrong = images, (labels + 1) % 3
    assert gan_train_accuracy(*real, images, labels, training=SMALL).value > 0.95
    assert gan_train_accuracy(*real, *wrong, training=SMALL).value < 0.05
    assert gan_test_accuracy(*real, *wrong, training=SMALL).value < 0.05


# Oracle: which side trains. Fakes all of one class teach that class alone; tested, they are all named right.
def test_the_two_directions_differ():
    real, (images, labels) = _stripes(240, 0), _stripes(720, 1)
    one_class = images[labels == 0], labels[labels == 0]
    trained = gan_train_accuracy(*real, *one_class, training=SMALL)
    assert trained.value == pytest.approx(1 / 3)
    np.testing.assert_allclose(trained.per_class, [1, 0, 0])
    tested = gan_test_accuracy(*real, *one_class, training=SMALL)
    assert tested.value > 0.95
    np.testing.assert_array_equal(np.isnan(tested.per_class), [False, True, True])


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
