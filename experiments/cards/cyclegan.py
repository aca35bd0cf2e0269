"""CycleGAN: the run card."""

from cards import Card

CARD = Card(
    system="CycleGAN",
    papers=(("Zhu et al. 2017", "https://arxiv.org/abs/1703.10593"),),
    command="jaxgan train cyclegan",
    data="clothes (`a`) and chalk drawings of other clothes (`b`), never paired, of which 500 each are held out",
    time="8 min 42 s of training for 1,500 steps of 8 pictures a domain beside other work, at 2.4 to 4.2 a second",
    expect="from step 300 on drawings with white lines, and clothes of drawings; evener cloth as the rate falls",
    measured=(
        "`fashion-cnn` gives 500 held-out clothes their class in 81.8 % after the way there and back (as they are: "
        "94.6 %), clothes made of 500 held-out drawings in 77.8 %; L1 of the way there and back 0.062 (`a`; the mean "
        "picture: 0.231), 0.048 (`b`; 0.193) after 1,500 steps; `python experiments/round_trip.py RUN`"
    ),
    numbers=(
        "one seed, `python experiments/round_trip.py RUN`: drawings made of clothes, undone, are of their class in "
        "63.6 % (true drawings 92.0 %) and 0.168 (L1) from the true ones; 83.8 % of the clothes keep the class "
        "that they were given"
    ),
    picture="docs/images/cyclegan_chalk.png",
)
