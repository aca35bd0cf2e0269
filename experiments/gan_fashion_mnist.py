"""The original GAN on Fashion-MNIST: the course's fully connected networks, as a run card.

Command     python experiments/gan_fashion_mnist.py              (options as for `jaxgan train gan`)
Data        the 10,000 bundled images; `--data fashion_mnist` takes the full set through TFDS
Hardware    @HARDWARE@
Time        @TIME@
Expect      @EXPECT@
GPU, TPU    not run
"""

import sys

from jaxgan.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "gan", *sys.argv[1:]]))
