"""What a run shows of itself. Oracles: the arrays that were put in, magnified and placed by hand."""

import jax
import numpy as np
import pytest
from PIL import Image

from jaxgan import fields
from jaxgan.data import hold_out
from jaxgan.game import Show, Verb
from jaxgan.show.sheets import sheet
from jaxgan.train.loop.previews import SHEET_ROWS, make_previews, reals
from jaxgan.train.run.record import read_metrics, sample_pictures
from tests.train import toy

pytestmark = pytest.mark.usefixtures("cheap")


def large(image):
    """An image of 8 pixels as tiles show it: magnified by 7."""
    return image.repeat(7, 0).repeat(7, 1)


def read(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.fixture(scope="module")
def state():
    return toy.build(toy.Config(), toy.SPEC).init(jax.random.key(0))


def previews(data, n, system=None):
    return make_previews(system or toy.translator(toy.Config(), data.spec), data, n, 0)


def test_a_grid_has_whole_rows(state):
    first, _ = previews(toy.pairs(), 5)
    made = first.draw(state)
    assert (first.verb, first.suffix) == ("sample", "")
    assert made["image"].shape == (6, 8, 8, 1)
    picture = first.picture(made)
    assert picture.shape == (3 * 58 + 2, 2 * 58 + 2, 1)
    np.testing.assert_array_equal(picture[60:116, 2:58], large(made["image"][2]))


def test_a_grid_of_classes_has_a_column_each(state):
    run = lambda state, given, keys: {"image": given["label"][:, None, None, None] / 2 + 0 * state.step}  # noqa: E731
    verb = Verb(run, makes={"image": fields.image(1, 1, 1)}, given=fields.only(toy.LABELLED, "label"))
    system = toy.build(toy.Config(), toy.SPEC)._replace(verbs={"sample": verb}, shows=(Show("sample"),))
    (preview,) = previews(toy.images(labels=True), 7, system)
    made = preview.draw(state)
    assert made["image"].ravel().tolist() == [128, 191, 255] * 3


def test_a_sheet_is_given_made_and_truth(state):
    """Of the rows that the run has held out, each beside its own answer."""
    held = hold_out(toy.pairs(), 15)[1]
    source = held.tables[0].source.arrays["source"][:SHEET_ROWS]
    _, second = previews(held, 20)
    assert (second.verb, second.suffix) == ("translate", "-translate")
    made = second.draw(state)
    assert len(made["target"]) == 20
    columns = (source, source + toy.LIGHTER, source + 100)
    expected = sheet(list(zip(*columns, strict=True)), ["given: source", "made: target", "truth: target"])
    np.testing.assert_array_equal(second.picture(made), expected)


def test_several_fields_made_are_a_sheet_too(state):
    spec = {"image": fields.image(8, 8, 1), "number": fields.Field("number")}
    data = toy.images()
    numbers = lambda state, given, keys: {  # noqa: E731
        **system.verbs["sample"](state, given, keys),
        "number": jax.numpy.arange(len(keys)) + 0.0 * state.step,
    }
    system = toy.build(toy.Config(), toy.SPEC)
    both = system._replace(verbs={"sample": Verb(numbers, makes=spec)})
    (preview,) = previews(data, 4, both)
    made = preview.draw(state)
    (alone,) = previews(data, 4, system)
    np.testing.assert_array_equal(made["image"], alone.draw(state)["image"])
    picture = preview.picture(made)
    assert picture.shape[0] > 4 * 58
    assert picture.shape[1] > 2 * 56
    np.testing.assert_array_equal(picture[-58:-2, 2:58, 0], large(made["image"][3])[..., 0])


def test_a_run_leaves_both_kinds_and_the_data(tmp_path):
    data = toy.pairs()
    folder = toy.train(tmp_path / "run", build=toy.translator, data=data, steps=6).folder
    names = ["00000000-translate.png", "00000000.png", "00000006-translate.png", "00000006.png"]
    assert sorted(path.name for path in folder.samples.iterdir()) == names
    assert [step for step, _ in sample_pictures(folder)] == [0, 6]  # the summary shows the first kind
    kept = hold_out(data, 4)[0].tables[0].source.arrays["image"]  # a tenth is held out where answers are known
    shown = read(folder.reals)
    assert shown.shape == (2 * 58 + 2, 2 * 58 + 2)
    np.testing.assert_array_equal(shown[2:58, 2:58], large(kept[0])[..., 0])
    np.testing.assert_array_equal(shown[60:116, 60:116], large(kept[-1])[..., 0])


def test_data_of_several_fields_are_a_sheet():
    data = toy.pairs(5)
    arrays = data.tables[0].source.arrays
    rows = [tuple(arrays[name][i] for name in arrays) for i in (0, 2, 4)]
    np.testing.assert_array_equal(reals(data, data.spec, 3), sheet(rows, list(arrays)))
    labelled = toy.images(5, labels=True)  # classes are no pictures
    np.testing.assert_array_equal(reals(labelled, labelled.spec, 9), reals(labelled, toy.SPEC, 9))


def test_every_show_has_a_file_of_its_own():
    """Several shows of one verb: none writes over another's picture."""
    system = toy.translator(toy.Config(), toy.pairs().spec)
    shows = (Show("sample"), Show("translate"), Show("translate", "sheet"), Show("sample", "sheet"))
    found = previews(toy.pairs(), 4, system._replace(shows=shows))
    assert [each.suffix for each in found] == ["", "-translate", "-translate-2", "-sample"]


def test_samples_of_a_verb_that_is_shown_twice_are_judged_once(tmp_path):
    def twice(config, spec, axis_name=None):
        return toy.build(config, spec, axis_name)._replace(shows=(Show("sample"), Show("sample", "sheet")))

    folder = toy.train(tmp_path / "run", build=twice, steps=6).folder
    judged = [row["step"] for row in read_metrics(folder.monitor) if row["kind"] == "samples"]
    assert judged == sorted(set(judged))
    assert 6 in judged


def test_a_sheet_shows_no_row_twice(state):
    held = hold_out(toy.pairs(), 3)[1]
    _, second = previews(held, 20)
    source = held.tables[0].source.arrays["source"]
    expected = sheet(
        list(zip(source, source + toy.LIGHTER, source + 100)), ["given: source", "made: target", "truth: target"]
    )
    np.testing.assert_array_equal(second.picture(second.draw(state)), expected)


def test_a_sheet_with_truth_gives_the_classes_of_its_rows(state):
    """In turn, they would be the classes of other rows than the answers beside them."""
    run = lambda state, given, keys: {"image": given["label"][:, None, None, None] / 2 + 0 * state.step}  # noqa: E731
    verb = Verb(run, {"image": fields.image(1, 1, 1)}, fields.only(toy.LABELLED, "label"), truth=("image",))
    system = toy.build(toy.Config(), toy.SPEC)._replace(verbs={"sample": verb}, shows=(Show("sample", "sheet"),))
    data = hold_out(toy.images(labels=True), 5)[1]
    made = previews(data, 5, system)[0].draw(state)["image"].ravel()[:5]
    labels = data.tables[0].source.arrays["label"]
    assert labels.tolist() != [0, 1, 2, 0, 1]
    np.testing.assert_array_equal(made, np.array([128, 191, 255])[labels])
