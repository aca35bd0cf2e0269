from functools import partial
from inspect import unwrap

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxgan.errors import UserError
from jaxgan.game import parallel
from jaxgan.losses import penalties

# A critic with a hidden layer, its points, and the penalties with the gradients of their means by its weights.
# Oracle: torch 2.13 in float64, `torch.autograd.grad(..., create_graph=True)`, then `grad` of the mean of 1/2 |g|^2
# and of (|g| - 1)^2. Image and fake are the same point there, so that the random position on the line does not matter.
WEIGHTS = {
    "w1": jnp.array([[0.5, -1.0, 0.25], [1.5, 0.75, -0.5]]),
    "b": jnp.array([0.1, -0.2, 0.3]),
    "w2": jnp.array([1.0, -2.0, 0.5]),
}
POINTS = jnp.array([[0.2, -0.4], [1.0, 0.5], [-0.7, 0.3]])
TORCH = {
    "r1": (
        [1.614175935, 1.097873863, 1.722640179],
        {
            "w1": [[1.418743789, -0.337316893, 0.659053641], [-0.047831127, -0.07143021, -0.052120027]],
            "b": [0.124982591, 0.921594166, -0.103928072],
            "w2": [0.710875633, -1.021067495, 0.406898722],
        },
    ),
    "gradient_penalty": (
        [0.63482888, 0.232136601, 0.732987073],
        {
            "w1": [[1.246835189, -0.404525685, 0.562041905], [-0.034428187, -0.240268851, -0.012805688]],
            "b": [0.092803185, 0.576430453, -0.077963729],
            "w2": [0.652452365, -0.839591363, 0.316284823],
        },
    ),
}
FUNCTIONS = {
    "r1": lambda critic, x, rng: penalties.r1(critic, x),
    "gradient_penalty": lambda critic, x, rng: penalties.gradient_penalty(critic, x, x, rng),
}


def judge(p, x):
    return jnp.tanh(x @ p["w1"] + p["b"]) @ p["w2"]


def keys(n, seed=0):
    return jax.random.split(jax.random.key(seed), n)


def image(n=4, seed=1):
    return jax.random.normal(jax.random.key(seed), (n, 3, 2, 2))


def half_square(x):
    """D whose slope at x is x itself."""
    return 0.5 * jnp.square(x).sum((1, 2, 3))


@pytest.mark.parametrize("name", TORCH)
def test_values_and_gradients_equal_torchs(name):
    values, gradient = TORCH[name]

    def penalty(p):
        return FUNCTIONS[name](partial(judge, p), POINTS, keys(3))

    np.testing.assert_allclose(penalty(WEIGHTS), values, rtol=1e-5)
    found = jax.jit(jax.grad(lambda p: penalty(p).mean()))(WEIGHTS)
    jax.tree.map(
        partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6),
        found,
        jax.tree.map(np.asarray, gradient, is_leaf=lambda x: isinstance(x, list)),
    )


# Oracle: the slope of a half square is the image itself, and that of a sum of logits the sum of their slopes.
def test_r1_of_logits_of_any_shape():
    x = image()
    square = np.square(np.asarray(x)).sum((1, 2, 3))
    np.testing.assert_allclose(penalties.r1(half_square, x), square / 2, rtol=1e-6)
    patches = penalties.r1(lambda x: 0.5 * jnp.square(x), x)
    np.testing.assert_allclose(patches, square / 2, rtol=1e-6)
    scales = penalties.r1(lambda x: {"whole": half_square(x), "part": 0.5 * x[:, 0, :, :1] ** 2}, x)
    part = np.square(np.asarray(x[:, 0, :, 0])).sum(1)
    np.testing.assert_allclose(scales, square / 2 + 1.5 * part, rtol=1e-6)


# Oracle: a linear critic has the same slope everywhere.
@pytest.mark.parametrize(
    ("slope", "one_sided", "target", "expected"),
    [(3, False, 1.0, 4), (0.5, False, 1.0, 0.25), (0.5, True, 1.0, 0), (3, True, 2.0, 1), (3, False, 0.0, 9)],
)
def test_gradient_penalty_of_a_linear_critic(slope, one_sided, target, expected):
    direction = jnp.zeros((3, 2, 2)).at[1, 0, 1].set(slope)
    value = penalties.gradient_penalty(
        lambda x: (x * direction).sum((1, 2, 3)), image(), image(seed=2), keys(4), one_sided, target
    )
    assert value.shape == (4,)
    np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-7)


# Oracle: with slope x and target 0 the penalty is |point|^2; between a and -a at position t that is (1 - 2 t)^2 |a|^2.
def test_gradient_penalty_looks_between_image_and_fake():
    x = jnp.ones((4000, 1, 1, 1))
    value = penalties.gradient_penalty(half_square, x, -x, keys(4000), target=0.0)
    assert value.min() >= 0
    assert value.max() <= 1
    # t is uniform: the mean of (1 - 2 t)^2 is 1/3 and that of its square 1/5; the margin is five standard errors.
    np.testing.assert_allclose(value.mean(), 1 / 3, atol=5 * np.sqrt((1 / 5 - 1 / 9) / 4000))
    one = penalties.gradient_penalty(half_square, x[:4], -x[:4], keys(4000)[:4], target=0.0)
    np.testing.assert_allclose(one, value[:4], rtol=1e-6)
    assert len(set(np.asarray(value[:20]).tolist())) == 20


def test_dragan_of_the_formula_adds_normal_noise_of_this_variance():
    """Oracle: with slope x and target 0 around zeros the penalty is |noise|^2: its mean is the variance x numbers."""
    value = penalties.dragan(half_square, jnp.zeros((2000, 3, 2, 2)), keys(2000), variance=4.0, target=0.0)
    np.testing.assert_allclose(value.mean(), 48, atol=5 * 4 * np.sqrt(2 * 12 / 2000))


def test_dragan_of_the_authors_adds_uniform_noise_of_half_a_deviation():
    """Oracle: moments of u v, both uniform: E[u^2] E[v^2] = 1/9. The images are a and -a: their deviation is a."""
    x = 3.0 * jnp.tile(jnp.array([1.0, -1.0]), 1000)[:, None, None, None] * jnp.ones((2000, 3, 2, 2))
    moved = penalties.dragan(lambda point: half_square(point - x), x, keys(2000), target=0.0)
    np.testing.assert_allclose(moved.mean(), 12 * 1.5**2 / 9, rtol=0.1)
    assert moved.max() <= 12 * 1.5**2
    np.testing.assert_allclose(penalties.dragan(lambda x: x[:, 0, 0, 0] * 3, x, keys(2000)), 4, rtol=1e-6)


@pytest.mark.parametrize(
    "penalty",
    [
        penalties.r1,
        lambda c, x: penalties.gradient_penalty(c, x, x, keys(4)),
        lambda c, x: penalties.dragan(c, x, keys(4)),
    ],
)
def test_finite_gradients_where_the_slope_is_zero(penalty):
    """Oracle: at w = 0 the critic w sum(x) is flat; the derivative of |w| there counts as 0, never as NaN."""
    x = image()
    gradient = jax.grad(lambda w: penalty(lambda x: w * x.sum((1, 2, 3)), x).mean())(0.0)
    np.testing.assert_allclose(gradient, 0, atol=1e-5)


# Oracle: G(w) = w A has the Jacobian A for every example; y is drawn again from the keys.
def test_path_length_of_a_linear_generator():
    a = jax.random.normal(jax.random.key(3), (5, 4 * 3 * 2))
    w, rng = jax.random.normal(jax.random.key(4), (6, 5)), keys(6)
    value, mean = penalties.path_length(lambda w: (w @ a).reshape(-1, 4, 3, 2), w, rng, jnp.float32(2.0), decay=0.75)
    y = np.stack([jax.random.normal(key, (4, 3, 2)) for key in rng]).reshape(6, -1) / np.sqrt(12)
    lengths = np.linalg.norm(y @ np.asarray(a).T, axis=1)
    np.testing.assert_allclose(value, (lengths - 2) ** 2, rtol=1e-4)
    np.testing.assert_allclose(mean, 0.75 * 2 + 0.25 * lengths.mean(), rtol=1e-5)


# Oracle: G(w1, w2) = (w1 + w2) A has the Jacobian A for each of an example's latents: the lengths of one of them.
def test_path_length_of_several_latents_an_example():
    a = jax.random.normal(jax.random.key(3), (5, 4 * 3 * 2))
    w, rng, mean = jax.random.normal(jax.random.key(4), (6, 2, 5)), keys(6), jnp.float32(2.0)
    generate = lambda w: (w @ a).reshape(-1, 4, 3, 2)  # noqa: E731
    value, moved = penalties.path_length(lambda w: generate(w.sum(1)), w, rng, mean)
    expected, expected_mean = penalties.path_length(generate, w.sum(1), rng, mean)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(moved, expected_mean, rtol=1e-6)


# Oracle: central differences in float64.
def test_path_length_gradient_by_finite_differences():
    with jax.enable_x64(True):
        w, rng = jax.random.normal(jax.random.key(4), (3, 2)), keys(3)
        point, direction = jax.random.normal(jax.random.key(5), (2, 2, 8))

        @jax.jit
        @jax.value_and_grad
        def f(a):
            return penalties.path_length(lambda w: jnp.tanh(w @ a).reshape(-1, 2, 2, 2), w, rng, jnp.asarray(0.3))[
                0
            ].mean()

        numeric = (f(point + 1e-6 * direction)[0] - f(point - 1e-6 * direction)[0]) / 2e-6
        np.testing.assert_allclose(jnp.vdot(f(point)[1], direction), numeric, rtol=1e-6)


# Oracle: numpy, filter by filter.
@pytest.mark.parametrize("diagonal", [True, False])
def test_orthogonal(diagonal):
    kernels = [jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate([(3, 3, 2, 4), (5, 3), (2, 6)])]
    params = {"a": {"kernel": kernels[0], "bias": jnp.ones(4)}, "b": {"kernel": kernels[1], "scale": jnp.ones(())}}
    params["wide"] = {"kernel": kernels[2]}
    expected = 0.0
    for kernel in kernels:
        w = np.asarray(kernel, np.float64).reshape(-1, kernel.shape[-1])
        for i in range(w.shape[1]):
            for j in range(w.shape[1]):
                if i != j or diagonal:
                    expected += (w[:, i] @ w[:, j] - (i == j)) ** 2
    np.testing.assert_allclose(penalties.orthogonal(params, diagonal), expected, rtol=1e-5)
    rotation = jnp.linalg.qr(kernels[1])[0]
    np.testing.assert_allclose(penalties.orthogonal({"w": rotation}, diagonal), 0, atol=1e-10)


@partial(jax.jit, static_argnums=4)
def every(p, x, x_fake, rng, axis_name):
    """All penalties of the plane's critic, one row each."""
    critic = partial(judge, p)
    return jnp.stack(
        [
            penalties.r1(critic, x),
            penalties.gradient_penalty(critic, x, x_fake, rng),
            penalties.dragan(critic, x, rng, axis_name=axis_name),
            penalties.dragan(critic, x, rng, variance=0.5),
            penalties.path_length(lambda w: jnp.tanh(w @ p["w1"]), x, rng, jnp.float32(0.5))[0],
        ]
    )


# Oracle: one device. The noise is that of the examples, whichever device they are on.
@pytest.mark.parametrize("mode", ["pmap", "shard_map"])
def test_four_devices_agree_with_one(mode):
    x = jax.random.normal(jax.random.key(2), (8, 2)) * jnp.arange(1, 9)[:, None]
    axis_name = parallel.axis_name_of(mode)

    def step(p, batch, _, axis_name=axis_name):
        if axis_name is not None:
            p = lax.pcast(p, axis_name, to="varying")
        found = jax.value_and_grad(lambda p: every(p, batch["x"], -batch["x"], batch["rng"], axis_name).mean(1).sum())(
            p
        )
        return (found if axis_name is None else lax.pmean(found, axis_name)), ()

    batch = {"x": x, "rng": keys(8)}
    run = parallel.parallelize(step, mode, parallel.make_mesh(jax.devices()[:4]), donate=False)
    found, _ = run(WEIGHTS, batch, keys(1)[0])
    expected, _ = step(WEIGHTS, batch, None, axis_name=None)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-5), found, expected)


def test_float32_whatever_the_images_and_one_seed_at_a_time_under_vmap():
    x = jax.random.normal(jax.random.key(2), (4, 2)).astype(jnp.bfloat16)
    values = every(WEIGHTS, x, -x, keys(4), None)
    assert values.dtype == jnp.float32
    np.testing.assert_allclose(
        values, every(WEIGHTS, x.astype(jnp.float32), -x.astype(jnp.float32), keys(4), None), rtol=1e-5
    )
    half = jax.tree.map(lambda p: p.astype(jnp.bfloat16), WEIGHTS)
    low = penalties.r1(lambda x: judge(half, x.astype(jnp.bfloat16)), x)
    assert low.dtype == jnp.float32
    np.testing.assert_allclose(low, values[0], rtol=0.1)
    seeds = jax.tree.map(lambda p: jnp.stack([p, 2 * p]), WEIGHTS)
    together = jax.vmap(lambda p: every(p, x, -x, keys(4), None))(seeds)
    alone = every(jax.tree.map(lambda p: 2 * p, WEIGHTS), x, -x, keys(4), None)
    np.testing.assert_allclose(together[0], values, rtol=1e-5)
    np.testing.assert_allclose(together[1], alone, rtol=1e-5)


# Numbers that are traced cannot be looked at: schedules of targets and variances pass.
def test_traced_settings_pass():
    x = image()
    scheduled = jax.jit(lambda t: penalties.gradient_penalty(half_square, x, x, keys(4), target=t))(2.0)
    np.testing.assert_allclose(scheduled, penalties.gradient_penalty(half_square, x, x, keys(4), target=2.0), rtol=1e-5)
    noisy = jax.jit(lambda c: penalties.dragan(half_square, x, keys(4), variance=c))(0.25)
    np.testing.assert_allclose(noisy, penalties.dragan(half_square, x, keys(4), variance=0.25), rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: penalties.gradient_penalty(half_square, x, x[:2], keys(4)), "same shape"),
        (lambda x: penalties.gradient_penalty(half_square, x, x, keys(4), target=-1.0), "target"),
        (lambda x: penalties.dragan(half_square, x, keys(4), variance=-1.0), "variance"),
        (lambda x: penalties.path_length(lambda w: w, x, keys(4), jnp.zeros(()), decay=1.0), "decay"),
        (lambda x: penalties.orthogonal({"bias": jnp.zeros(3)}), "kernel"),
        # Without the checks of annotations, as users have them.
        (lambda x: unwrap(penalties.gradient_penalty)(half_square, x, x, keys(2)), "one key an example, 4 here, got 2"),
        (lambda x: unwrap(penalties.dragan)(half_square, x, keys(1)), "one key an example, 4 here, got 1"),
        (
            lambda x: unwrap(penalties.path_length)(lambda w: w, x, keys(3), jnp.zeros(())),
            "one key an example, 4 here, got 3",
        ),
        (lambda x: penalties.r1(jnp.sum, x), r"each of the 4 examples, got \(\)"),
        (lambda x: penalties.r1(lambda x: [half_square(x), x[:2]], x), r"each of the 4 examples, got \[\(4,\), \(2, 3"),
        (lambda x: penalties.r1(lambda x: {}, x), "a pytree with at least one, got {}"),
    ],
)
def test_impossible_arguments_are_named(call, words):
    with pytest.raises(UserError, match=words):
        call(image())
