"""DCGAN: the run card."""

from cards import CLOTHES, DISTANCE, Card

CARD = Card(
    system="DCGAN",
    papers=(("Radford et al. 2015", "https://arxiv.org/abs/1511.06434"),),
    command="jaxgan train dcgan",
    data=CLOTHES,
    time="1 min 33 s for 4,000 steps of 64 images, 47 steps/s, after 20 s of start-up and compilation",
    expect=(
        "shirts, trousers, shoes and bags that one recognises from step 2,000 on; D(x) near 0.7, D(G(z)) near 0.35"
    ),
    measured="4,000 steps in 1 min 52 s",
    numbers=(
        f"{DISTANCE} "
        "with --eval-every 500, at steps 500, 1000, ..., 4000: 19.89 11.93 6.53 4.85 4.46 4.04 3.67 3.52 (one "
        "seed; two halves of the data are 0.03 apart)"
    ),
    picture="docs/images/dcgan_fashion.png",
)
