"""DCGAN on Fashion-MNIST: the defaults of `jaxgan train dcgan`, as a run card.

Command     python experiments/dcgan_fashion_mnist.py            (options as for `jaxgan train dcgan`)
Data        the 10,000 bundled images; `--data fashion_mnist` takes the full set through TFDS
Hardware    @HARDWARE@
Time        @TIME@
Expect      @EXPECT@
Picture     docs/images/dcgan_fashion.png
GPU, TPU    not run
"""

import sys

from jaxgan.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "dcgan", *sys.argv[1:]]))
