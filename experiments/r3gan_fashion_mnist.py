"""R3GAN on Fashion-MNIST: the defaults of `jaxgan train r3gan`, as a run card.

Command     python experiments/r3gan_fashion_mnist.py            (options as for `jaxgan train r3gan`)
Data        the 10,000 bundled images; `--data fashion_mnist` takes the full set through TFDS
Hardware    two cores of an AMD EPYC (Zen 4), of which other work took more than half
Time        28 min for 3,000 steps of 32 images; with the cores to itself 3.6 steps/s in its first minute
Expect      clothes that one recognises from step 1,000 on
Distance    FD[fashion-cnn 6a0f1632, 28x28 resize, 10000 vs 5000] with --eval-every 1000, at steps 1000, 2000, 3000:
            11.59 7.45 6.01 (one seed; two halves of the data are 0.03 apart)
Settings    The paper's game, penalties and schedules, on networks of 0.14 million parameters each;
            `recipes.r3gan.PRESETS` has the authors' own, which are not run here
GPU, TPU    not run
"""

import sys

from jaxgan.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "r3gan", *sys.argv[1:]]))
