"""SPADE: the run card."""

from cards import Card

CARD = Card(
    system="SPADE",
    papers=(("Park et al. 2019", "https://arxiv.org/abs/1903.07291"),),
    command="jaxgan train spade",
    data="maps of the parts of the bundled clothes and the clothes, of which 500 pairs are held out",
    time="13 min 49 s for 1,200 steps of 16 pairs beside two other trainings; 60 steps beside less ran at 3.5/s",
    expect="clothes that keep to their maps from step 300 on, brighter or darker by the seed",
    measured=(
        "1,200 steps; of 500 held-out maps the parts of the pictures made overlap the map's by 0.805 (mean IoU; the "
        "map painted with mean greys: 0.709, real pictures of other maps: 0.162, the real ones: 1 by construction); "
        "two styles of a map differ by 0.060, black to white being 1; `python experiments/maps_kept.py RUN`"
    ),
    numbers=(
        "one seed; IoU of ground 0.989, rim 0.907, narrow 0.630, cloth 0.890, dark 0.689, light 0.727. No Fréchet "
        "distance by fashion-cnn is given: the generator was trained on that network's features"
    ),
    picture="docs/images/spade_parts.png",
)
