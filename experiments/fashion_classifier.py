"""The bundled extractor `fashion-cnn`: a small classifier of Fashion-MNIST, trained on the 60,000 training images.

Command     python experiments/fashion_classifier.py --data DIR --out jaxgan/metrics/bundled/fashion_cnn.safetensors
Data        DIR: a folder with the IDX files of Fashion-MNIST, or the TFDS name fashion_mnist
Hardware    two cores of an AMD EPYC (Zen 4), shared with other work; no GPU
Time        31 minutes for 20 epochs, 60 to 130 s each
Expect      accuracy 0.9367 on the 10,000 test images, which are the bundled set, none of which it has seen; they were
            looked at once, after the last epoch, and nothing was chosen by them. 687,400 bytes.
"""

import argparse
import hashlib
import time
from pathlib import Path

import numpy as np

import jaxgan
from jaxgan import data
from jaxgan.metrics.numbers.accuracy import accuracy
from jaxgan.metrics.seen_by.classifier import Classifier, Training, predict, train_classifier
from jaxgan.metrics.seen_by.fashion_cnn import CLASSES, pack

TEST = "fashion_mnist_10k"
TRAINING = Training()
SPLIT_SEED = 0


def main() -> None:
    """Train, test once, write the weights; with `--held-out` train on fewer images and test on the rest of them."""
    options = parse()
    arrays = whole(options.data)
    images, labels = arrays["image"], arrays["label"]
    if options.held_out:
        order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
        kept, held = order[options.held_out :], order[: options.held_out]
        test = images[held], labels[held]
        images, labels = images[kept], labels[kept]
    else:
        arrays = whole(TEST)
        test = arrays["image"], arrays["label"]
    start = time.perf_counter()

    def progress(epoch: int, loss: float) -> None:
        print(f"epoch {epoch}: loss {loss:.4f}, {time.perf_counter() - start:.0f} s", flush=True)

    variables = train_classifier(
        images, labels, classes=CLASSES, seed=options.seed, training=TRAINING, progress=progress
    )
    score = accuracy(predict(Classifier(CLASSES, TRAINING.width), variables, test[0]), test[1])
    print(f"accuracy {score.value:.4f} on {len(test[0])} images that it has not seen; by class {score.per_class}")
    if not options.held_out:
        write(options.out, pack(variables, notes(score.value, options.seed, len(images))))


def whole(name: str) -> dict[str, np.ndarray]:
    """Images and labels of a set."""
    found = data.load(name)
    (arrays,) = data.resident(found, found.spec)
    return arrays


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the IDX files, or the TFDS name fashion_mnist")
    parser.add_argument("--out", type=Path, default=Path("fashion_cnn.safetensors"))
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--held-out", type=int, default=0, help="test on so many of the training images, write nothing")
    return parser.parse_args()


def notes(value: float, seed: int, n: int) -> dict[str, str]:
    """What the file says of itself."""
    return {
        "what": "jaxgan.metrics.seen_by.classifier.Classifier of Fashion-MNIST, images in [-1, 1]",
        "trained_on": f"{n} training images of Fashion-MNIST",
        "test_accuracy": f"{value:.4f} on the 10,000 test images",
        "seed": str(seed),
        "training": ", ".join(f"{name} {setting}" for name, setting in TRAINING._asdict().items()),
        "library": f"jaxgan {jaxgan.__version__}",
    }


def write(path: Path, content: bytes) -> None:
    """Write the file and say what it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    print(f"{path}: {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
