"""What of a system is measured, and by which classes. Oracles: the declarations, and labels counted by hand."""

import jax
import numpy as np

from jaxgan import fields
from jaxgan.data import hold_out, of_arrays
from jaxgan.game import Verb
from jaxgan.metrics.seen_by.extractors import pixels
from jaxgan.recipes import cgan, infogan
from jaxgan.train.loop.scoring import made_by, make_scorer, measured
from tests.train import toy

SPEC = {"image": fields.image(32, 32, 1), "label": fields.label(("few", "many"))}


def uneven(many=950, few=50):
    """Images of two classes, the rare one first."""
    label = np.repeat(np.array([0, 1], np.int32), [few, many])
    return of_arrays({"image": np.zeros((many + few, 32, 32, 1), np.uint8), "label": label}, SPEC)


def test_codes_are_no_classes():
    """A code of InfoGAN has whatever meaning was learned, so images made from it have no label to compare."""
    data = uneven()
    for recipe, classes in ((cgan, True), (infogan, False)):
        made = made_by(recipe.build(recipe.Config(), data.spec), data, data)
        assert made.field == "image"
        assert (made.labels(10) is not None) == classes


def test_classes_are_made_in_the_proportions_of_the_data():
    """950 and 50 images; every part of what is made has them about so, and as many as the data have exactly so."""
    data = uneven()
    labels = made_by(cgan.build(cgan.Config(), data.spec), data, data).labels(2000)
    assert [np.bincount(labels[i : i + 1000]).tolist() for i in (0, 1000)] == [[50, 950]] * 2
    assert 10 <= np.sum(labels[:500] == 0) <= 40  # 25 expected; neither all nor none, as in the order of the data
    np.testing.assert_array_equal(labels[:100], made_by(cgan.build(cgan.Config(), SPEC), data, data).labels(100))


def test_examples_are_made_from_held_rows_where_more_than_a_class_is_given():
    data = toy.pairs()
    kept, held = hold_out(data, 6)
    system = toy.translator(toy.Config(), data.spec)
    only = system._replace(verbs={"translate": system.verbs["translate"]})
    made = made_by(only, kept, held)
    assert (made.field, made.most) == ("target", 6)
    given = made.given(0, 6)["source"][:, 0, 0, 0]
    assert sorted(given) == sorted(held.tables[0].source.arrays["source"][:, 0, 0, 0])
    judge = make_scorer(made, kept, pixels(), 30, 0)
    assert judge(only.init(jax.random.key(0))).n == (34, 6)


def verb(**makes):
    return Verb(lambda state, given, keys: {}, makes)


def test_what_is_measured_is_the_first_field_that_the_data_has_of_the_kind():
    image, vector = fields.image(8, 8, 1), fields.Field("vector", (2,))
    system = toy.build(toy.Config(), toy.SPEC)
    for verbs, spec, expected in (
        ({"a": verb(z=vector), "b": verb(extra=image, image=image)}, toy.SPEC, ("b", "image")),
        ({"a": verb(image=vector)}, toy.SPEC, None),  # another kind
        ({"a": verb(picture=image)}, toy.SPEC, None),  # another name
        ({}, toy.SPEC, None),
    ):
        assert measured(system._replace(verbs=verbs), spec) == expected
