"""3D-GAN: the run card."""

from cards import Card

CARD = Card(
    system="3D-GAN",
    papers=(("Wu et al. 2016", "https://arxiv.org/abs/1610.07584"),),
    command="jaxgan train voxel_gan --hold-out 400",
    data="4,000 chairs, stools and tables in cubes of 16 voxels; `--hold-out 400` keeps 400 for measuring",
    time="2 min 18 s, 3 min 34 s and 4 min 35 s for 3,000 steps of 64 shapes, 20 steps/s and more where others rest",
    expect=(
        "seats on legs or pedestals, rough at the edges, that one recognises from step 1,000 on; D(x) near 0.75, "
        "D(G(z)) near 0.3"
    ),
    measured=(
        "1-NN accuracy against 300 held-out shapes (0.5 is perfect) 0.99 after one step, 0.67, 0.67, 0.64 after "
        "3,000 (three seeds; halves 0.73 and 0.62, 0.74 and 0.59, 0.72 and 0.56) in 2 min 18 s to 4 min 35 s; 0.60"
        " (one seed) with `--symmetric`; convolutional networks at 32^3 (`--preset conv32 --data furniture_32`) "
        "0.85 after 1,831 steps of 16 (one seed)"
    ),
    numbers=(
        "1-NN accuracy against 300 held-out shapes, `jaxgan evaluate RUN`, seeds 0, 1, 2: 0.672, 0.666, 0.638; "
        "real halves 0.728, 0.738, 0.718; made halves 0.615, 0.593, 0.557 (0.5 is perfect; 0.987 after one step)"
    ),
    picture="docs/images/voxel_gan_furniture.png",
)
