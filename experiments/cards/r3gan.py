"""R3GAN: the run card."""

from cards import CLOTHES, DISTANCE, Card

CARD = Card(
    system="R3GAN",
    papers=(("Huang et al. 2024", "https://arxiv.org/abs/2501.05441"),),
    command="jaxgan train r3gan",
    data=CLOTHES,
    time=(
        "28 min for 3,000 steps of 32 images, beside work that took more than half; alone 3.6 steps/s in its first"
        " minute"
    ),
    expect="clothes that one recognises from step 1,000 on",
    measured=(
        "distances 11.6, 7.5, 6.0 after 1,000, 2,000, 3,000 steps of 32 images (DCGAN with the paper's rates had 11.9 "
        "after as many images as those 2,000)"
    ),
    numbers=(
        f"{DISTANCE} "
        "with --eval-every 1000, at steps 1000, 2000, 3000: 11.59 7.45 6.01 (one seed). Networks have 0.14 million"
        " parameters each; the authors' settings (`recipes.r3gan.PRESETS`) were not run"
    ),
)
