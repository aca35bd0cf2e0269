"""SAGAN: the run card."""

from cards import CLOTHES, Card

CARD = Card(
    system="SAGAN",
    papers=(("Zhang et al. 2019", "https://arxiv.org/abs/1805.08318"),),
    command="jaxgan train sagan",
    data=CLOTHES,
    time="not trained",
    expect="not known: it was not trained",
    measured=(
        "not trained here; at 128 pixels G has 42,078,852 parameters and D 39,463,618, as published; a small generator "
        "of the public code, taken over by `jaxgan import`, makes the same to 1e-4"
    ),
)
