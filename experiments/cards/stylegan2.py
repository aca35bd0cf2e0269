"""StyleGAN2: the run card."""

from cards import CLOTHES, Card

CARD = Card(
    system="StyleGAN2",
    papers=(("Karras et al. 2020", "https://arxiv.org/abs/1912.04958"),),
    command="jaxgan train stylegan2",
    data=CLOTHES,
    time="1,400 of its 2,000 steps of 32 images in 5 min 40 s, 4.2 steps/s",
    expect="rough shapes of clothes, with speckles on a grid of two pixels that are not explained yet",
    measured=(
        "distance 12.85 after 1,400 of its 2,000 steps, with speckles that are not explained; the networks have the "
        "published numbers of parameters (configurations E and F, `auto`, `cifar`)"
    ),
)
