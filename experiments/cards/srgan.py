"""SRGAN: the run card."""

from cards import Card

CARD = Card(
    system="SRGAN",
    papers=(("Ledig et al. 2017", "https://arxiv.org/abs/1609.04802"),),
    command="jaxgan train srgan",
    data="2,100 crops of 64 x 64 pixels of three bundled photographs; 16 of a fourth, `coffee`, are held out",
    time="3 min 50 s for the 1,000 steps on pixels, beside other work; the game's 200 steps were not timed",
    expect="blurred edges become sharper in the first 1,000 steps; the game then changes textures, not shapes",
    measured=(
        "twice as large, the held-out photograph has a PSNR of 32.54 dB after the first stage (luminance, two pixels "
        "cut off; bicubic: 31.47) and an SSIM of 0.947 (0.943), one seed; the second stage by today's default was not "
        "measured to its end; `python experiments/super_resolution.py RUN`"
    ),
    numbers="as `fashion-cnn` sees it the first stage lies 0.312 from the truth (bicubic: 0.333)",
)
