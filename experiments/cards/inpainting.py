"""Inpainting with gated convolutions: the run card."""

from cards import Card

CARD = Card(
    system="Gated convolution, context encoder",
    papers=(
        ("Yu et al. 2019", "https://arxiv.org/abs/1806.03589"),
        ("Pathak et al. 2016", "https://arxiv.org/abs/1604.07379"),
    ),
    command="jaxgan train inpainting",
    data="the 10,000 bundled images of clothes, of which 500 are held out; holes are drawn in each step",
    time="6 min 36 s for 2,000 steps of 16 pictures under load, 5.8 to 8.1 steps/s",
    expect="shapes that go on through their holes from step 500 on; prints and folds in holes are smooth",
    measured=(
        "2,000 steps in 6 min 36 s; in the holes of 500 held-out clothes L1 0.086, 0.085 and PSNR 15.6, "
        "15.5 dB (two seeds; the known pixels' mean: 0.306, 8.9; harmonic fill: 0.167, 12.6; biharmonic fill: 0.153, "
        "12.5); `python experiments/holes_filled.py RUN`"
    ),
    numbers=(
        "L1 is of black to white being 1; 33.6 % of the pixels are in holes, and no known one is changed. The context "
        "encoder (`--preset context_encoder`) has not been trained to its end"
    ),
    picture="docs/images/inpainting_holes.png",
)
