"""The TFDS builder of the bundled default set: the 10,000 Fashion-MNIST test images.

H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
2017, arXiv:1708.07747. MIT licence (beside the files).
"""

import io
from collections.abc import Iterator
from importlib import resources
from typing import Any

import tensorflow_datasets as tfds
from PIL import Image

from jaxgan.data.readers import idx

CLASSES = ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def _bundled(name: str, rank: int) -> Any:
    path = resources.files("jaxgan") / "data" / "bundled" / "fashion_mnist" / name
    return idx.parse(path.read_bytes(), name, rank)


class FashionMnist10k(tfds.core.GeneratorBasedBuilder):
    """28x28 grey pictures of clothes, ten classes, in the published order.

    Images are handed over as PNG bytes: TFDS would call TensorFlow to encode an array.
    """

    name = "fashion_mnist_10k"
    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = None  # no TFDS metadata files beside this module

    def _info(self) -> tfds.core.DatasetInfo:
        features = tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(28, 28, 1), encoding_format="png"),
                "label": tfds.features.ClassLabel(names=CLASSES),
            }
        )
        return tfds.core.DatasetInfo(
            builder=self,
            description="The 10,000 test images of Fashion-MNIST.",
            features=features,
            supervised_keys=("image", "label"),
            homepage="https://github.com/zalandoresearch/fashion-mnist",
            license="MIT",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # nothing to download
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
        images = _bundled("t10k-images-idx3-ubyte.gz", 3)
        labels = _bundled("t10k-labels-idx1-ubyte.gz", 1)
        for row, (image, label) in enumerate(zip(images, labels, strict=True)):
            png = io.BytesIO()
            Image.fromarray(image).save(png, "PNG")
            yield row, {"image": png.getvalue(), "label": int(label)}
