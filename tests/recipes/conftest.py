"""Plain convolutions: the forms for CPUs compile slowly, and tests/layers proves them."""

import jax
import pytest


@pytest.fixture(autouse=True)
def _plain_forms(monkeypatch):
    monkeypatch.setattr(jax.lax, "platform_dependent", lambda *arrays, default, **_: default(*arrays))
