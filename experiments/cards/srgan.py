"""SRGAN: the run card."""

from cards import Card

CARD = Card(
    system="SRGAN",
    papers=(("Ledig et al. 2017", "https://arxiv.org/abs/1609.04802"),),
    command="jaxgan train srgan",
    data="2,100 crops of 64 x 64 pixels of three bundled photographs; 16 of a fourth, `coffee`, are held out",
    time="beside other work: 1,000 steps at 3.9 to 5.3 a second; 200 steps of the game, with start, in 3 min 20 s",
    expect="blurred edges become sharper in the first 1,000 steps; the game then changes little that the eye sees",
    measured=(
        "twice as large, the held-out photograph has a PSNR-Y of 32.54 dB after the first stage (bicubic: 31.47) and "
        "lies 0.312 from the truth as `fashion-cnn`, which no loss knows, sees it (0.333); after the second 32.56 dB "
        "and 0.297; one seed; `python experiments/super_resolution.py RUN`"
    ),
    numbers=(
        "the same command, bicubic, first stage, second stage: SSIM-Y 0.943, 0.947, 0.948; distance as `random`, which "
        "the loss has, sees it 0.0670, 0.0616, 0.0602; patches as `fashion-cnn` sees them 0.414, 0.183, 0.171, as "
        "`random` 0.0537, 0.0213, 0.0240; detail 0.10, 0.22, 0.20 of the truth's. The loss was chosen by this "
        "photograph. The second stage went on from the saved first stage of a run with the same settings"
    ),
    picture="docs/images/srgan_coffee.png",
)
