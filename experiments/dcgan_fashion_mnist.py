"""DCGAN on Fashion-MNIST: the defaults of `jaxgan train dcgan`, as a run card.

Command     python experiments/dcgan_fashion_mnist.py            (options as for `jaxgan train dcgan`)
Data        the 10,000 bundled images; `--data fashion_mnist` takes the full set through TFDS
Hardware    two cores of an AMD EPYC (Zen 4), shared with other work
Time        1 min 33 s for 4,000 steps of 64 images, 47 steps/s, after 20 s of start-up and compilation
Expect      shirts, trousers, shoes and bags that one recognises from step 2,000 on; D(x) near 0.7, D(G(z)) near 0.35
Distance    FD[fashion-cnn 6a0f1632, 28x28 resize, 10000 vs 5000] with --eval-every 500, at steps 500, 1000, ..., 4000:
            19.89 11.93 6.53 4.85 4.46 4.04 3.67 3.52 (one seed; two halves of the data are 0.03 apart)
Picture     docs/images/dcgan_fashion.png
GPU, TPU    not run
"""

import sys

from jaxgan.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "dcgan", *sys.argv[1:]]))
