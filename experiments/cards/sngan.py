"""SNGAN, AC-GAN, projection: the run card."""

from cards import CLOTHES, Card

CARD = Card(
    system="SNGAN, AC-GAN, projection",
    papers=(
        ("Miyato et al. 2018", "https://arxiv.org/abs/1802.05957"),
        ("2018b", "https://arxiv.org/abs/1802.05637"),
        ("Odena et al. 2017", "https://arxiv.org/abs/1610.09585"),
    ),
    command="jaxgan train sngan --condition projection --steps 1500",
    data=CLOTHES,
    time="not kept",
    expect="a column for each class",
    measured="distance 5.7 after 1,500 steps; one column a class",
    numbers=(
        "AC-GAN is `--condition auxiliary`, looked at after 600 steps: rough shapes, whose class D recognises in "
        "81 % of a batch"
    ),
)
