"""BigGAN-deep: the run card."""

from cards import CLOTHES, Card

CARD = Card(
    system="BigGAN-deep",
    papers=(("Brock et al. 2019", "https://arxiv.org/abs/1809.11096"),),
    command="jaxgan train biggan_deep",
    data=CLOTHES,
    time="not trained",
    expect="not known: it was not trained",
    measured=(
        "not trained here; at 128 pixels G has 50,244,484 parameters and D 34,590,210, as published; small networks of "
        "the public code, taken over by `jaxgan import`, make the same to 1e-4"
    ),
)
