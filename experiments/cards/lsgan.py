"""LSGAN: the run card."""

from cards import CLOTHES, Card

CARD = Card(
    system="LSGAN",
    papers=(("Mao et al. 2017", "https://arxiv.org/abs/1611.04076"),),
    command="jaxgan train lsgan --steps 2000",
    data=CLOTHES,
    time="not kept",
    expect="clothes that one recognises, softer than DCGAN's of as many steps",
    measured="distance 8.6 after 2,000 steps",
)
