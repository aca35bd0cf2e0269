from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxgan import data
from jaxgan.errors import UserError
from jaxgan.metrics.seen_by import classifier
from jaxgan.metrics.seen_by.classifier import (
    Classifier,
    Outputs,
    Training,
    augment,
    halvings,
    predict,
    train_classifier,
)

# The same numbers as in test_accuracy: one program serves both.
SMALL = Training(epochs=6, batch_size=32, width=4, learning_rate=1e-2)


@pytest.fixture(scope="module")
def clothes(fashion):
    """Every other pixel of 340 images of three of the classes."""
    (arrays,) = data.resident(fashion, fashion.spec)
    chosen = np.flatnonzero(np.isin(arrays["label"], (0, 1, 7)))[:340]
    return arrays["image"][chosen, ::2, ::2], np.searchsorted((0, 1, 7), arrays["label"][chosen])


def _learn(clothes, **options):
    images, labels = clothes
    return train_classifier(images[:240], labels[:240], training=SMALL, **options)


# Oracles: the labels of 100 images it did not see, chance being 1/3; and the promise that the arguments say everything.
def test_learns_from_a_few_hundred_images(clothes):
    losses = []
    variables = _learn(clothes, progress=lambda epoch, loss: losses.append((epoch, loss)))
    assert [epoch for epoch, _ in losses] == [1, 2, 3, 4, 5, 6]
    assert losses[-1][1] < losses[0][1]
    logits = predict(Classifier(3, SMALL.width), variables, clothes[0][240:], batch_size=50)
    assert (logits.argmax(1) == clothes[1][240:]).mean() > 0.9
    jax.tree.map(np.testing.assert_array_equal, _learn(clothes, classes=3), variables)
    other = _learn(clothes, seed=1)
    assert any((a != b).any() for a, b in zip(jax.tree.leaves(variables), jax.tree.leaves(other)))


# Oracle: halving 28 and 32 twice leaves 7 and 8 pixels, 64 three times 8.
def test_sizes():
    assert [halvings(side) for side in (4, 16, 28, 32, 33, 64, 128)] == [1, 1, 2, 2, 3, 3, 4]
    for shape in ((2, 2, 3), (28, 28, 1), (33, 64, 3)):
        net = Classifier(7, width=4, features=6)
        outputs = jax.eval_shape(partial(net.init_with_output, train=False), jax.random.key(0), jnp.zeros((2, *shape)))
        assert outputs[0].features.shape == (2, 6)
        assert outputs[0].logits.shape == (2, 7)


_augment = jax.jit(augment, static_argnums=2)


# Oracle: NumPy's own shifts. Each of the 2 x 3 x 3 outcomes is one of the possible ones, and all of them occur.
def test_augmentation_mirrors_and_moves():
    image = np.arange(1, 21, dtype=np.uint8).reshape(4, 5, 1)
    padded = [np.pad(each, ((1, 1), (1, 1), (0, 0))) for each in (image, image[:, ::-1])]
    possible = {each[i : i + 4, j : j + 5].tobytes() for each in padded for i in range(3) for j in range(3)}
    made = _augment(np.repeat(image[None], 300, 0), jax.random.key(0), SMALL._replace(shift=1))
    assert {np.asarray(one).tobytes() for one in made} == possible
    plain = _augment(image[None], jax.random.key(0), SMALL._replace(shift=0, flip=False))
    np.testing.assert_array_equal(plain[0], image)


# Oracle: a square of side 2 covers at most 4 of 100 pixels, 4 unless it hangs over the edge.
def test_augmentation_covers():
    white = jnp.full((200, 10, 10, 1), 255, jnp.uint8)
    made = np.asarray(_augment(white, jax.random.key(0), SMALL._replace(shift=0, flip=False, erase=2)))
    covered = (made == 0).sum((1, 2, 3))
    assert set(covered) <= {1, 2, 4}
    assert (covered == 4).mean() > 0.7
    assert ((made == 0).any(0)).all()


class _Fixed(Classifier):
    """Logits that are parameters, and statistics that count the calls."""

    @nn.compact
    def __call__(self, x, *, train):
        calls = self.variable("batch_stats", "calls", lambda: jnp.zeros(()))
        calls.value = calls.value + train
        logits = self.param("logits", lambda _: jnp.asarray([1.0, 0.0, -2.0]))
        return Outputs(x.mean((1, 2)), jnp.broadcast_to(logits, (len(x), 3)))


# Oracle: cross-entropy with smoothed labels, in NumPy.
def test_loss():
    net, x = _Fixed(3), jnp.zeros((2, 8, 8, 1))
    params, stats = {"logits": jnp.asarray([1.0, 0.0, -2.0])}, {"calls": jnp.zeros(())}
    loss, updated = classifier._loss(params, stats, net, x, jnp.asarray([0, 2]), SMALL)
    log_p = np.asarray([1, 0, -2]) - np.log(np.exp([1, 0, -2]).sum())
    assert float(loss) == pytest.approx(-0.9 * (log_p[0] + log_p[2]) / 2 - 0.1 * log_p.mean(), rel=1e-6)
    assert float(updated["calls"]) == 1


IMAGES = np.zeros((3, 8, 8, 1), np.uint8)


@pytest.mark.parametrize(
    ("labels", "classes", "words"),
    [
        (np.array([0, 1]), None, "3 images, 2 labels"),
        (np.array([0, 1, 2]), 2, "0 to 1, got 0 to 2"),
        (np.array([0, -1, 2]), None, "got -1 to 2"),
    ],
)
def test_mistakes_get_a_sentence(labels, classes, words):
    with pytest.raises(UserError, match=words):
        classifier.check_labels(IMAGES, labels, classes)
    with pytest.raises(UserError, match="0 images"):
        classifier.check_labels(IMAGES[:0], labels[:0])
