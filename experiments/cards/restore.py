"""Restore: the run card."""

from cards import Card

CARD = Card(
    system="Restore",
    papers=(
        ("Zhang et al. 2017", "https://arxiv.org/abs/1608.03981"),
        ("Wang et al. 2021", "https://arxiv.org/abs/2107.10833"),
    ),
    command="jaxgan train restore",
    data="64-pixel crops of three bundled photographs, made worse as they are drawn; a fourth is held out",
    time="about 1.2 steps a second beside much other work; the default's 1,000 steps were not run to their end",
    expect="noise that gets fainter from step 100 on",
    measured=(
        "after 300 steps, noise of 25 / 255 on the photograph held out: PSNR 25.6 dB, SSIM 0.53 (noisy: 21.1, 0.32; "
        "medians: 26.1, 0.59; non-local means: 30.0, 0.82), so below both classical methods; colours after 87 steps: "
        "15.4, 0.69 (grey: 14.6, 0.72); the default of 1,000 steps and the other degradations were not measured; "
        "`python experiments/restored.py RUN`"
    ),
    numbers="one seed, `jaxgan train restore --steps 300`, `python experiments/restored.py RUN`",
)
