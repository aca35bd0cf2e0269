"""A small convolutional classifier and its training: features of small images, and classification accuracy scores.

The network is a plain one with residual connections (He, Zhang, Ren and Sun 2016, arXiv:1512.03385), small enough that
thousands of images take seconds on a laptop. Its training is one compiled loop an epoch, over images in memory.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Int, Key, UInt8

from jaxgan.errors import UserError
from jaxgan.fields import KINDS
from jaxgan.layers.conv.layers import Conv

Images = UInt8[Array, "n h w c"] | UInt8[np.ndarray, "n h w c"]
Labels = Int[Array, " labels"] | Int[np.ndarray, " labels"]
"""One for each image, which is checked with words."""
Variables = dict[str, Any]
"""{"params": ..., "batch_stats": ...} of a `Classifier`."""
Progress = Callable[[int, float], None]
_LAST_SIDE = 8  # pixels: images are halved until their shorter side has no more
_MAX_MULTIPLE = 8  # of `width`


class Outputs(NamedTuple):
    """What a classifier says of images.

    Attributes:
        features: the last layer's input: non-negative, averaged over the image.
        logits: unnormalised log-probabilities of the classes.
    """

    features: Float[Array, "b f"]
    logits: Float[Array, "b classes"]


class Classifier(nn.Module):
    """Images to features and logits; any size from 2 pixels on, any number of channels.

    Attributes:
        classes: number of classes.
        width: channels of the first layer; each halving of the image doubles them, up to 8 times.
        features: numbers an image before the last layer.
        seen_as: pixels of the shorter side of the images that the parameters are for, by which images of all sizes are
            halved; None: of the images themselves.
    """

    classes: int
    width: int = 24
    features: int = 128
    seen_as: int | None = None

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"], *, train: bool) -> Outputs:
        """Features and logits.

        Args:
            x: images in [-1, 1].
            train: normalise with this batch's statistics and update the running ones (collection `batch_stats`).
        """
        x = _block(self.width, train)(x)
        for stage in range(1, 1 + halvings(self.seen_as or min(x.shape[1:3]))):
            x = _block(self.width * min(2**stage, _MAX_MULTIPLE), train, strides=2)(x)
            x = x + _block(x.shape[-1], train)(x)
        x = _block(self.features, train, kernel=1)(x).mean((1, 2))
        return Outputs(x, nn.Dense(self.classes, kernel_init=nn.initializers.zeros_init())(x))


def halvings(side: int) -> int:
    """How often an image is halved whose shorter side has so many pixels; at least once."""
    return 1 + halvings(-(-side // 2)) if side > 2 * _LAST_SIDE else 1


def _block(features: int, train: bool, kernel: int = 3, strides: int = 1) -> Callable[[Array], Array]:
    convolve = Conv(features, (kernel, kernel), strides, use_bias=False, kernel_init=nn.initializers.he_normal())
    normalise = nn.BatchNorm(use_running_average=not train, momentum=0.9)
    return lambda x: nn.relu(normalise(convolve(x)))


class Training(NamedTuple):
    """How a classifier is trained: AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101), warm-up and cosine decay.

    Attributes:
        epochs: times that every image is seen.
        batch_size: images a step.
        width: of the network.
        learning_rate: at its highest.
        weight_decay: of the kernels.
        smoothing: share of the label that is spread over all classes.
        flip: mirror half of the images left to right.
        shift: largest number of pixels that an image is moved by, along each axis, black coming in.
        erase: side in pixels of a black square put anywhere on an image (DeVries and Taylor 2017, arXiv:1708.04552).
    """

    epochs: int = 20
    batch_size: int = 128
    width: int = 24
    learning_rate: float = 4e-3
    weight_decay: float = 0.05
    smoothing: float = 0.1
    flip: bool = True
    shift: int = 2
    erase: int = 0


DEFAULT = Training()


class _State(NamedTuple):
    variables: Variables
    optimizer: optax.OptState


def train_classifier(
    images: Images,
    labels: Labels,
    *,
    classes: int | None = None,
    seed: int = 2020,
    training: Training = DEFAULT,
    progress: Progress | None = None,
) -> Variables:
    """Variables of a `Classifier` trained on labelled images; the same for the same arguments.

    Args:
        images: on the scale 0..255.
        labels: class numbers from 0.
        classes: number of classes; one more than the largest label unless given.
        seed: of the first weights, the order of the images and their augmentation.
        training: how.
        progress: is told the epochs done and the mean loss of the last one.

    Returns:
        {"params": ..., "batch_stats": ...} for `Classifier(classes, training.width)`.

    Raises:
        UserError: no images, labels of another number, or class numbers out of range.
    """
    classes = check_labels(images, labels, classes)
    pixels, targets = jnp.asarray(images), jnp.asarray(labels, jnp.int32)
    steps = max(1, len(pixels) // training.batch_size)
    net, optimizer = Classifier(classes, training.width), _optimizer(training, steps)
    key = jax.random.key(seed)
    variables: Any = net.init(key, jnp.zeros((1, *pixels.shape[1:])), train=False)
    state = _State(variables, optimizer.init(variables["params"]))
    for epoch in range(training.epochs):
        state, loss = _epoch(net, training, state, pixels, targets, jax.random.fold_in(key, epoch))
        if progress:
            progress(epoch + 1, float(loss))
    return state.variables


def infer(net: Classifier, variables: Variables, x: Float[Array, "b h w c"]) -> Outputs:
    """Features and logits of images in [-1, 1] by a trained classifier."""
    outputs: Any = net.apply(variables, x, train=False)
    return outputs


def predict(net: Classifier, variables: Variables, images: Images, batch_size: int = 250) -> Float[np.ndarray, "n k"]:
    """Logits of many images, a batch at a time.

    Args:
        net: the classifier.
        variables: what `train_classifier` made.
        images: on the scale 0..255.
        batch_size: images at a time.
    """
    parts = [images[start : start + batch_size] for start in range(0, len(images), batch_size)]
    return np.concatenate([np.asarray(_logits(net, variables, jnp.asarray(part))) for part in parts])


def check_labels(images: Images, labels: Labels, classes: int | None = None) -> int:
    """The number of classes.

    Raises:
        UserError: no images, labels of another number, or class numbers out of range.
    """
    if len(images) == 0 or len(images) != len(labels):
        raise UserError(f"a classifier takes one label for each image, got {len(images)} images, {len(labels)} labels.")
    low, high = int(np.min(labels)), int(np.max(labels))
    classes = high + 1 if classes is None else classes
    if low < 0 or high >= classes:
        raise UserError(f"labels of {classes} classes are from 0 to {classes - 1}, got {low} to {high}.")
    return classes


@functools.partial(jax.jit, static_argnums=0)
def _logits(net: Classifier, variables: Variables, images: UInt8[Array, "b h w c"]) -> Float[Array, "b k"]:
    return infer(net, variables, KINDS["image"].inside(images)).logits


def _optimizer(training: Training, steps: int) -> optax.GradientTransformation:
    total = max(1, steps * training.epochs)
    rate = optax.warmup_cosine_decay_schedule(0.0, training.learning_rate, total // 10, total)
    return optax.adamw(rate, weight_decay=training.weight_decay, mask=lambda params: jax.tree.map(_is_kernel, params))


def _is_kernel(leaf: Array) -> bool:
    return leaf.ndim > 1


@functools.partial(jax.jit, static_argnums=(0, 1))
def _epoch(
    net: Classifier, training: Training, state: _State, pixels: Array, targets: Array, key: Key[Array, ""]
) -> tuple[_State, Float[Array, ""]]:
    """Every image once, but for the last ones that fill no batch: the order is another one every epoch."""
    size = min(training.batch_size, len(pixels))
    steps = len(pixels) // size
    order = jax.random.permutation(jax.random.fold_in(key, 0), len(pixels))[: steps * size].reshape(steps, size)
    optimizer = _optimizer(training, steps)

    def step(state: _State, inputs: tuple[Array, Array]) -> tuple[_State, Array]:
        rows, key = inputs
        x = KINDS["image"].inside(augment(jnp.take(pixels, rows, axis=0), key, training))
        (loss, stats), gradient = jax.value_and_grad(_loss, has_aux=True)(
            state.variables["params"], state.variables["batch_stats"], net, x, jnp.take(targets, rows), training
        )
        updates, rest = optimizer.update(gradient, state.optimizer, state.variables["params"])
        params = optax.apply_updates(state.variables["params"], updates)
        return _State({"params": params, "batch_stats": stats}, rest), loss

    state, losses = jax.lax.scan(step, state, (order, jax.random.split(jax.random.fold_in(key, 1), steps)))
    return state, losses.mean()


def _loss(
    params: Any, stats: Any, net: Classifier, x: Array, target: Array, training: Training
) -> tuple[Float[Array, ""], Any]:
    variables = {"params": params, "batch_stats": stats}
    outputs, updated = net.apply(variables, x, train=True, mutable=["batch_stats"])
    wanted = optax.smooth_labels(jax.nn.one_hot(target, net.classes), training.smoothing)
    return optax.softmax_cross_entropy(outputs.logits, wanted).mean(), updated["batch_stats"]


def augment(images: UInt8[Array, "b h w c"], key: Key[Array, ""], training: Training) -> UInt8[Array, "b h w c"]:
    """The images mirrored, moved and partly covered at random, each in its own way."""
    one = functools.partial(_augment_one, training=training)
    return jax.vmap(one)(images, jax.random.split(key, len(images)))


def _augment_one(image: UInt8[Array, "h w c"], key: Key[Array, ""], training: Training) -> UInt8[Array, "h w c"]:
    mirror, move, cover = jax.random.split(key, 3)
    if training.flip:
        image = jnp.where(jax.random.bernoulli(mirror), image[:, ::-1], image)
    if training.shift:
        start = jax.random.randint(move, (2,), 0, 2 * training.shift + 1)
        edges = ((training.shift, training.shift), (training.shift, training.shift), (0, 0))
        image = jax.lax.dynamic_slice(jnp.pad(image, edges), (*start, 0), image.shape)
    if training.erase:
        centre = jax.random.uniform(cover, (2,)) * jnp.asarray(image.shape[:2])
        rows, columns = (jnp.abs(jnp.arange(n) + 0.5 - at) < training.erase / 2 for n, at in zip(image.shape, centre))
        image = jnp.where((rows[:, None] & columns)[..., None], jnp.uint8(0), image)
    return image
