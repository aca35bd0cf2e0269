"""CoGAN: the run card."""

from cards import Card

CARD = Card(
    system="CoGAN",
    papers=(("Liu and Tuzel 2016", "https://arxiv.org/abs/1606.07536"),),
    command="jaxgan train cogan",
    data="clothes (`a`) and negatives of other clothes with outlines (`b`), never paired",
    time="not kept",
    expect="pairs: clothes, and a negative of the same kind",
    measured=(
        "`fashion-cnn` gives both pictures of a pair the same class in 83.0, 80.0, 80.8 % of 5,000 pairs (three "
        "seeds; real clothes and their own negatives: 91.9 %, unrelated ones: 10.4 %); distances 0.93, 1.16, 0.92 "
        "(`a`), 0.42, 0.58, 0.43 (`b`); `python experiments/coupled_pairs.py RUN`"
    ),
    numbers="agreement and distances: `python experiments/coupled_pairs.py RUN`",
)
