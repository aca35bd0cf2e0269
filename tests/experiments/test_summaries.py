import itertools

from laboratory import record, summaries
from laboratory.choices import LOSSES
from laboratory.mixtures import PENALTIES


def rows(remedies):
    """Games whose modes are the number of their loss, one more with a remedy; twice as many on the grid."""
    for task, loss, penalty, remedy in itertools.product(("ring", "grid"), LOSSES, PENALTIES, remedies):
        modes = (LOSSES.index(loss) + (remedy != "none")) * (2 if task == "grid" else 1)
        yield {
            "task": task, "loss": loss, "penalty": penalty, "remedy": remedy,
            "covered": modes, "covered +-": 0.25, "high_quality": modes / 100, "reverse_kl": -1.0,
        }  # fmt: skip


# Oracle: by hand; seven losses have the numbers 0 to 6, whose mean is 3.
def test_means_of_remedies_and_penalties():
    by_remedy, by_penalty, games = summaries.of_mixtures(list(rows(["none", "top_k"])))
    assert [row["remedy"] for row in by_remedy] == ["none", "top k"]
    assert [row["ring: modes of 8"] for row in by_remedy] == [3, 4]
    assert [row["grid: modes of 25"] for row in by_remedy] == [6, 8]
    assert [row["grid: high quality"] for row in by_remedy] == [0.06, 0.08]
    assert [row["ring: modes of 8"] for row in by_penalty] == [3] * len(PENALTIES)
    assert games[6] == {"loss": "rp non saturating"} | {
        name.replace("_", " "): "6.0 ± 0.2, 12.0 ± 0.2" for name in PENALTIES
    }
    assert record.table(by_remedy).count("\n") == 3


def test_remedies_alone_are_summed_up_alone():
    assert len(summaries.of_mixtures(list(rows(["top_k"])))) == 1
