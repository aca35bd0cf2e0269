"""pix2pix: the run card."""

from cards import Card

CARD = Card(
    system="pix2pix",
    papers=(("Isola et al. 2017", "https://arxiv.org/abs/1611.07004"),),
    command="jaxgan train pix2pix",
    data="outlines of the bundled clothes and the clothes, of which 500 pairs are held out",
    time="1 min 59 s for 2,000 steps of 16 pairs",
    expect="clothes that fill their outlines from step 500 on",
    measured=(
        "2,000 steps in 1 min 59 s; on 500 held-out pairs L1 0.085, SSIM 0.74 (the mean picture: 0.227, 0.17; the "
        "outline itself: 0.679, 0.08), distance 0.95; L1 training alone (`--gan-weight 0`): 0.081, 0.76, 1.31"
    ),
    numbers=(
        "one seed, `jaxgan evaluate RUN --metrics fd` on the 500 pairs: L1 0.0846, SSIM 0.741, FD[fashion-cnn] "
        "0.95 (10,000 vs 500); with `--gan-weight 0` 0.0814, 0.758, 1.31"
    ),
    picture="docs/images/pix2pix_outlines.png",
)
