"""Inpainting with gated convolutions: the run card."""

from cards import Card

CARD = Card(
    system="Gated convolution",
    papers=(("Yu et al. 2019", "https://arxiv.org/abs/1806.03589"),),
    command="jaxgan train inpainting",
    data="the 10,000 bundled images of clothes, of which 500 are held out; holes are drawn in each step",
    time="6 min 36 s for 2,000 steps of 16 pictures under load, 5.8 to 8.1 steps/s",
    expect="shapes that go on through their holes from step 500 on; prints and folds in holes are smooth",
    measured=(
        "2,000 steps in 6 min 36 s (one seed); shapes of held-out clothes go on through their holes; the error in "
        "holes is not measured yet"
    ),
    numbers=(
        "none on held-out pictures; `python experiments/holes_filled.py RUN` is written to print them beside two fills "
        "without training, and has not been run"
    ),
)
