from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import data
from jaxgan.errors import UserError
from jaxgan.metrics import classifier
from jaxgan.metrics.classifier import Classifier, Training, augment, halvings, predict, train_classifier

SMALL = Training(epochs=6, batch_size=32, width=4, learning_rate=1e-2)


# Oracle: the labels. Three of the classes, 80 images of each to learn from, 100 others to tell apart: chance is 1/3.
def test_learns_from_a_few_hundred_images(fashion):
    arrays = data.resident(fashion)
    chosen = np.isin(arrays["label"], (0, 1, 7))
    images, labels = arrays["image"][chosen][:340], np.searchsorted((0, 1, 7), arrays["label"][chosen][:340])
    images = images[:, ::2, ::2]
    losses = []
    variables = train_classifier(
        images[:240], labels[:240], training=SMALL, progress=lambda epoch, loss: losses.append((epoch, loss))
    )
    assert [epoch for epoch, _ in losses] == [1, 2, 3, 4, 5, 6]
    assert losses[-1][1] < losses[0][1]
    logits = predict(Classifier(3, SMALL.width), variables, images[240:], batch_size=64)
    assert (logits.argmax(1) == labels[240:]).mean() > 0.9


# Oracle: the promise that the arguments say everything.
def test_same_arguments_same_variables_and_another_seed_others():
    rng = np.random.RandomState(0)
    images, labels = rng.randint(256, size=(12, 9, 10, 3), dtype=np.uint8), rng.randint(4, size=12)
    short = SMALL._replace(epochs=1, batch_size=5)
    first, again, other = (train_classifier(images, labels, classes=5, seed=s, training=short) for s in (1, 1, 2))
    jax.tree.map(np.testing.assert_array_equal, first, again)
    assert any((a != b).any() for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(other)))
    assert predict(Classifier(5, SMALL.width), first, images).shape == (12, 5)


# Oracle: halving 28 and 32 twice leaves 7 and 8 pixels, 64 three times 8.
def test_sizes():
    assert [halvings(side) for side in (4, 16, 28, 32, 33, 64, 128)] == [1, 1, 2, 2, 3, 3, 4]
    for shape in ((2, 2, 3), (28, 28, 1), (33, 64, 3)):
        net = Classifier(7, width=4, features=6)
        outputs = jax.eval_shape(partial(net.init_with_output, train=False), jax.random.key(0), jnp.zeros((2, *shape)))
        assert outputs[0].features.shape == (2, 6)
        assert outputs[0].logits.shape == (2, 7)


# Oracle: NumPy's own shifts. Each of the 2 x 3 x 3 outcomes is one of the possible ones, and all of them occur.
def test_augmentation_mirrors_and_moves():
    image = np.arange(1, 21, dtype=np.uint8).reshape(4, 5, 1)
    padded = [np.pad(each, ((1, 1), (1, 1), (0, 0))) for each in (image, image[:, ::-1])]
    possible = {each[i : i + 4, j : j + 5].tobytes() for each in padded for i in range(3) for j in range(3)}
    made = augment(jnp.asarray(np.repeat(image[None], 300, 0)), jax.random.key(0), SMALL._replace(shift=1))
    assert {np.asarray(one).tobytes() for one in made} == possible
    plain = augment(jnp.asarray(image[None]), jax.random.key(0), SMALL._replace(shift=0, flip=False))
    np.testing.assert_array_equal(plain[0], image)


# Oracle: a square of side 2 covers at most 4 of 100 pixels, 4 unless it hangs over the edge.
def test_augmentation_covers():
    white = jnp.full((200, 10, 10, 1), 255, jnp.uint8)
    made = np.asarray(augment(white, jax.random.key(0), SMALL._replace(shift=0, flip=False, erase=2)))
    covered = (made == 0).sum((1, 2, 3))
    assert set(covered) <= {1, 2, 4}
    assert (covered == 4).mean() > 0.7
    assert ((made == 0).any(0)).all()


# Oracle: cross-entropy with smoothed labels in NumPy; the head begins with zeros, so that its bias alone makes logits.
def test_loss():
    net, x = Classifier(3, width=4), jax.random.normal(jax.random.key(1), (2, 8, 8, 1))
    variables = net.init(jax.random.key(0), x, train=False)
    logits = np.array([1.0, 0.0, -2.0], np.float32)
    params = variables["params"] | {"Dense_0": variables["params"]["Dense_0"] | {"bias": jnp.asarray(logits)}}
    loss, stats = classifier._loss(params, variables["batch_stats"], net, x, jnp.asarray([0, 2]), SMALL)
    log_p = logits - np.log(np.exp(logits).sum())
    expected = -0.9 * (log_p[0] + log_p[2]) / 2 - 0.1 * log_p.mean()
    assert float(loss) == pytest.approx(expected, rel=1e-6)
    assert jax.tree.structure(stats) == jax.tree.structure(variables["batch_stats"])


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
