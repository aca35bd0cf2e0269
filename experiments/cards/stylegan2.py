"""StyleGAN2: the run card."""

from cards import CLOTHES, Card

CARD = Card(
    system="StyleGAN2",
    papers=(("Karras et al. 2020", "https://arxiv.org/abs/1912.04958"),),
    command="jaxgan train stylegan2",
    data=CLOTHES,
    time="not run yet",
    expect="not known yet",
    measured=(
        "not trained yet; the networks have the published numbers of parameters (configurations E and F, `auto`, "
        "`cifar`)"
    ),
)
