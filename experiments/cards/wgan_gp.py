"""WGAN-GP: the run card."""

from cards import CLOTHES, Card

CARD = Card(
    system="WGAN-GP",
    papers=(("Gulrajani et al. 2017", "https://arxiv.org/abs/1704.00028"),),
    command="jaxgan train wgan_gp --steps 1500",
    data=CLOTHES,
    time="not kept",
    expect="clothes that one recognises",
    measured="distance 11.4 after 1,500 steps",
)
