"""GAN: the run card."""

from cards import CLOTHES, Card

CARD = Card(
    system="GAN",
    papers=(("Goodfellow et al. 2014", "https://arxiv.org/abs/1406.2661"),),
    command="jaxgan train gan",
    data=CLOTHES,
    time="2 min 9 s to 2 min 19 s for 20,000 steps of 64 images, 165 steps/s, after 10 s of start-up and compilation",
    expect="grainy clothes one recognises from step 5,000 on; at the end D(x) near 0.6 and D(G(z)) near 0.4",
    measured="20,000 steps in 2 min 19 s; D(x) 0.6 and D(G(z)) 0.4 at the end",
)
