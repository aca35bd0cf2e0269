"""What several files that train the toy share."""

import jax
import pytest

from jaxgan.game import parallel

MAKE_MESH = parallel.make_mesh


@pytest.fixture(scope="module")
def cheap():
    """Two devices instead of eight, and no summary pictures (test_pictures has them)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "make_mesh", lambda: MAKE_MESH(jax.devices()[:2]))
        patch.setattr(
            "jaxgan.train.screen.summary.write_summary",
            lambda path, rows, grids, title, *about: path.write_text(title),
        )
        yield
