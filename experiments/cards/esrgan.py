"""ESRGAN: the run card."""

from cards import Card

CARD = Card(
    system="ESRGAN",
    papers=(
        ("Wang et al. 2018", "https://arxiv.org/abs/1809.00219"),
        ("2021", "https://arxiv.org/abs/2107.10833"),
    ),
    command="jaxgan train esrgan",
    data="2,100 crops of 64 x 64 pixels of three bundled photographs; 16 of a fourth are held out",
    time="not run to its end",
    expect="blurred edges become sharper in the first 800 steps; then the game",
    measured=(
        "not trained to its end yet: its networks have the published counts of parameters (16,697,987 for factor 4), "
        "and its losses are tested against the paper's equations"
    ),
)
