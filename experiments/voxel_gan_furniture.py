"""3D-GAN on furniture drawn from parameters: the defaults of `jaxgan train voxel_gan`, as a run card.

Command     python experiments/voxel_gan_furniture.py            (options as for `jaxgan train voxel_gan`)
Data        4,000 chairs, stools and tables in cubes of 16 voxels, of which 400 are held out
Hardware    two cores of an AMD EPYC (Zen 4), shared with other work
Time        2 min 18 s, 3 min 34 s and 4 min 35 s for 3,000 steps of 64 shapes, 20 steps/s and more where others rest
Expect      seats on legs or pedestals, rough at the edges, that one recognises from step 1,000 on; D(x) near 0.75,
            D(G(z)) near 0.3
1-NN        accuracy against 300 held-out shapes, `jaxgan evaluate RUN`, seeds 0, 1, 2: 0.672, 0.666, 0.638; real
            halves 0.728, 0.738, 0.718; made halves 0.615, 0.593, 0.557 (0.5 is perfect; 0.987 after one step)
Picture     docs/images/voxel_gan_furniture.png
GPU, TPU    not run
"""

import sys

from jaxgan.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", "voxel_gan", "--hold-out", "400", *sys.argv[1:]]))
