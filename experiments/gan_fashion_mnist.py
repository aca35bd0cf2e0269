"""The original GAN on Fashion-MNIST: the course's fully connected networks, as a run card.

Command     python experiments/gan_fashion_mnist.py              (options as for `jaxgan train gan`)
Data        the 10,000 bundled images; `--data fashion_mnist` takes the full set through TFDS
Hardware    two cores of an AMD EPYC (Zen 4), shared with other work
Time        2 min 9 s for 20,000 steps of 64 images, 165 steps/s, after 10 s of start-up and compilation
Expect      grainy clothes one recognises from step 5,000 on; at the end D(x) near 0.6 and D(G(z)) near 0.4
GPU, TPU    not run
"""

import sys

from jaxgan.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "gan", *sys.argv[1:]]))
