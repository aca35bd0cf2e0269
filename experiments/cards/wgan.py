"""WGAN: the run card."""

from cards import CLOTHES, Card

CARD = Card(
    system="WGAN",
    papers=(("Arjovsky et al. 2017", "https://arxiv.org/abs/1701.07875"),),
    command="jaxgan train wgan --steps 1500",
    data=CLOTHES,
    time="not kept",
    expect="shapes of clothes, blurred",
    measured="distance 17.3 after 1,500 steps: shapes of clothes, blurred",
)
