"""DCGAN: the run card."""

from cards import CLOTHES, DISTANCE, Card

CARD = Card(
    system="DCGAN",
    papers=(("Radford et al. 2015", "https://arxiv.org/abs/1511.06434"),),
    command="jaxgan train dcgan",
    data=CLOTHES,
    time=(
        "not measured on a quiet machine; 3 min 52 s and 4 min 18 s for 3,000 steps of 64 images beside other work. A "
        "step takes 1.22 times as long as with the layers that had 47 steps/s on a quiet one, in turn with it"
    ),
    expect="clothes that one recognises from step 500 on, whole shoes and bags from step 1,500 on; D(x) near 0.58",
    measured="distances 0.96, 0.95, 0.86 (mean 0.92; three seeds) after 2,500 steps",
    numbers=(
        f"{DISTANCE} "
        "with --eval-every, jax 0.12: seed 0 at steps 500, 1000, ..., 2500: 3.07 1.84 1.06 0.88 0.96; seed 1 at 1250, "
        "2500, 3000: 1.42 0.95 0.88; seed 2: 1.55 0.86 0.88 (two halves of the data are 0.03 apart). `--preset paper` "
        "has the paper's settings, which were not run; its rates and layers at width 32 had 19.89, 11.93, 6.53, 4.85 "
        "at steps 500, ..., 2000, and 3.52 after 4,000 (one seed, jax 0.10)"
    ),
    picture="docs/images/dcgan_fashion.png",
)
