"""Meshes. Oracle: the order of processes in which `place_batch` gives rows."""

from types import SimpleNamespace

import jax
import pytest

from jaxgan.errors import UserError
from jaxgan.game import parallel


def devices_of(*processes):
    return [SimpleNamespace(process_index=process, id=i) for i, process in enumerate(processes)]


def test_devices_follow_their_numbers_whatever_the_order_they_are_given_in():
    mesh = parallel.make_mesh(jax.devices()[::-1])
    assert [device.id for device in mesh.devices.flat] == sorted(device.id for device in jax.devices())


def test_the_devices_of_a_process_follow_each_other():
    """The order of wires on a TPU interleaves processes."""
    ordered = parallel.in_order(devices_of(1, 1, 0, 0, 1, 0))
    assert [(device.process_index, device.id) for device in ordered] == [(0, 2), (0, 3), (0, 5), (1, 0), (1, 1), (1, 4)]


def test_processes_have_as_many_devices_as_each_other():
    parallel.check_even(devices_of(0, 0, 1, 1))
    with pytest.raises(UserError, match="same number of devices each, but process 0 has 1, process 1 has 3"):
        parallel.check_even(devices_of(0, 1, 1, 1))
