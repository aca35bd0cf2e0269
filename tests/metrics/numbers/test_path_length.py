import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.numbers import path_length as module
from jaxgan.metrics.numbers.path_length import lerp, path_length, path_lengths, slerp, without_outliers

RNG = np.random.RandomState(0)
A, B = (RNG.randn(37, 6).astype(np.float32) for _ in range(2))
WEIGHTS = RNG.randn(6, 12).astype(np.float32)


def _linear(latents):
    return (latents @ WEIGHTS).reshape(-1, 2, 2, 3)


def _squared(x, y):
    return jnp.square(x - y).sum((1, 2, 3))


def _unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


# Oracle: closed form. A linear generator moves by epsilon W (b - a) along a line, wherever it starts.
@pytest.mark.parametrize("sampling", ["full", "end"])
def test_linear_generator_on_lines(sampling):
    lengths = path_lengths(_linear, _squared, A, B, space="w", sampling=sampling, epsilon=1e-2)
    np.testing.assert_allclose(lengths, np.square((B - A) @ WEIGHTS).sum(1), rtol=1e-3)


# Oracle: closed form. On the unit sphere the chord of epsilon times the angle has the length 2 sin(epsilon angle / 2).
def test_identity_on_the_sphere():
    a, b = _unit(A), _unit(B)
    angle = np.arccos((a * b).sum(1).astype(np.float64))
    lengths = path_lengths(lambda z: z, lambda x, y: jnp.square(x - y).sum(1), a, b, epsilon=1e-2)
    np.testing.assert_allclose(lengths, (2 * np.sin(5e-3 * angle) / 1e-2) ** 2, rtol=1e-3)


# Oracle: the standard step of 1e-4 in float32 keeps the mean to a percent.
def test_the_standard_step():
    expected = without_outliers(np.square((B - A) @ WEIGHTS).sum(1)).value
    assert path_length(_linear, _squared, A, B, space="w").value == pytest.approx(expected, rel=0.01)


# Oracle: a quadratic generator x^2 on the line from 0 to b moves by epsilon b^2 (2 t + epsilon): 0 at the start, and as
# far as the positions t say elsewhere, whose distribution is uniform: E[4 t^2] = 4/3.
def test_positions():
    n = 4000
    zero, one = np.zeros((n, 1), np.float32), np.ones((n, 1), np.float32)

    def lengths(sampling, seed=2020):
        options = {"space": "w", "sampling": sampling, "epsilon": 1e-2, "seed": seed, "batch_size": n}
        return path_lengths(jnp.square, lambda x, y: jnp.square(x - y)[:, 0], zero, one, **options)

    np.testing.assert_allclose(lengths("end"), 1e-4, rtol=1e-2)
    assert lengths("full").mean() == pytest.approx(4 / 3 + 0.02, rel=0.05)
    np.testing.assert_array_equal(lengths("full"), lengths("full"))
    assert (lengths("full") != lengths("full", seed=1)).any()


# Oracle: the batch size is no part of the definition.
def test_batch_size():
    whole = path_lengths(_linear, _squared, A, B, epsilon=1e-2, batch_size=37)
    np.testing.assert_allclose(path_lengths(_linear, _squared, A, B, epsilon=1e-2, batch_size=5), whole, rtol=1e-3)


# Oracle: by hand. Of 0..999 the 1st percentile is between 9 and 10, the 99th between 989 and 990.
def test_outliers_are_left_out():
    kept = without_outliers(np.random.RandomState(0).permutation(np.arange(1000.0)))
    assert kept.kept == 982
    assert kept.value == pytest.approx(np.arange(9, 991).mean())
    assert kept.std == pytest.approx(np.arange(9, 991).std())


# Oracle: rotation in a plane by a known angle; the length goes from one to the other; parallel ones are a line.
def test_slerp():
    a, b = np.array([[1.0, 0.0]] * 3, np.float32), np.array([[0.0, 3.0]] * 3, np.float32)
    t = jnp.asarray([0.0, 0.5, 1.0])
    half = np.sqrt(0.5)
    np.testing.assert_allclose(slerp(a, b, t), [[1, 0], [half, 3 * half], [0, 3]], atol=1e-6)
    np.testing.assert_allclose(slerp(a, 2 * a, t), [[1, 0], [1.5, 0], [2, 0]], atol=1e-6)
    np.testing.assert_allclose(slerp(a, -a, t), [[1, 0], [0, 0], [-1, 0]], atol=1e-6)
    np.testing.assert_allclose(lerp(a, b, t), [[1, 0], [0.5, 1.5], [0, 3]], atol=1e-6)
    near = _unit(a + np.array([0, 1e-3], np.float32))
    assert np.isfinite(slerp(a, near, t)).all()
    np.testing.assert_allclose(jnp.linalg.norm(slerp(a, near, t), axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: path_length(_linear, _squared, A, B[:5]), "pairs"),
        (lambda: path_length(_linear, _squared, A[:0], B[:0]), "pairs"),
        (lambda: path_length(lambda z: jnp.round(z).astype(jnp.uint8), _squared, A, B), "uint8"),
        (lambda: module._check(A, B, "x", "full"), "space is z or w"),
        (lambda: module._check(A, B, "z", "middle"), "sampling is full or end"),
    ],
)
def test_mistakes_get_a_sentence(call, words):
    with pytest.raises(UserError, match=words):
        call()
