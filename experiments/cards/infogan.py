"""InfoGAN: the run card."""

from cards import CLOTHES, Card

CARD = Card(
    system="InfoGAN",
    papers=(("Chen et al. 2016", "https://arxiv.org/abs/1606.03657"),),
    command="jaxgan train infogan --steps 3000",
    data=CLOTHES,
    time="not kept",
    expect="a column for each kind of clothes, found without labels",
    measured="distance 0.61 after 3,000 steps; a column for each kind of clothes, found without labels",
    picture="docs/images/infogan_fashion.png",
)
