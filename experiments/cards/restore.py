"""Restore: the run card."""

from cards import Card

CARD = Card(
    system="Restore",
    papers=(("Zhang et al. 2017", "https://arxiv.org/abs/1608.03981"), ("Wang et al. 2021", "https://arxiv.org/abs/2107.10833")),
    command="jaxgan train restore",
    data="64-pixel crops of three bundled photographs; a fourth is held out",
    time="@TIME",
    expect="@EXPECT",
    measured="@MEASURED",
    numbers="@NUMBERS",
    picture="docs/images/restored.png",
)
