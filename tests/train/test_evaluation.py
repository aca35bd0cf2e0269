"""What `jaxgan evaluate` takes for classes."""

from jaxgan.train import evaluation
from tests.recipes import contract


def test_codes_are_no_classes():
    """A code of InfoGAN has whatever meaning was learned, so images made from it have no label to compare."""
    for recipe, classes in (("cgan", 2), ("infogan", 0)):
        system = contract.build(recipe)
        assert evaluation.comparable(system, 2) == classes
