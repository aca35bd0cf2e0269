"""The pre-flight of memory. Oracles: XLA's own sizes, and arrays counted by hand."""

import dataclasses
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest

from jaxgan.errors import UserError
from jaxgan.game import parallel
from jaxgan.train.loop import memory
from tests.train import toy

MAKE_MESH = parallel.make_mesh
MB = 10**6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Remat(toy.Config):
    """The toy's configuration with two options of a recipe's."""

    remat: bool = False
    precision: str = "float32"


def device(limit, platform="gpu"):
    return SimpleNamespace(memory_stats=lambda: limit and {"bytes_limit": limit}, platform=platform)


def test_the_need_is_what_xla_has_planned():
    """A donated state is counted once: 4 MB in place, 2 MB of data, and a result and a product of 4 MB besides."""
    shapes = [jax.ShapeDtypeStruct((1000, n), jnp.float32) for n in (1000, 500)]
    step = jax.jit(lambda state, data: (state + data.sum(), state @ state), donate_argnums=0)
    compiled = step.lower(*shapes).compile()
    need, sizes = memory.need_of(compiled, shapes[0]), compiled.memory_analysis()
    assert (need.state, need.data) == (4 * MB, 2 * MB)
    assert 4 * MB <= need.step < 9 * MB
    whole = sizes.argument_size_in_bytes + sizes.output_size_in_bytes + sizes.temp_size_in_bytes
    assert need.total == whole - 4 * MB + sizes.generated_code_size_in_bytes
    assert memory.need_of(SimpleNamespace(), shapes[0]) is None


def test_the_need_under_pmap_is_one_devices():
    """A state of 4 MB, and half of 2 MB of data on each of two devices."""
    step = parallel.parallelize(lambda state, data, rng: (state + data.sum(), {}), "pmap", MAKE_MESH(jax.devices()[:2]))
    state, data = jnp.zeros((1000, 1000)), jnp.zeros((1000, 500))
    need = memory.need_of(step.lower(state, data, jax.random.key(0)).compile(), state)
    assert need is not None
    assert need.state == 4 * MB
    assert MB <= need.data < 1.1 * MB


def test_remat_on_a_cpu_asks_for_little_memory():
    """Eight sorted arrays of 4 MB of which one is needed at a time."""
    shape = jax.ShapeDtypeStruct((1000, 1000), jnp.float32)
    lowered = jax.jit(lambda x: sum(jnp.sort(jnp.sin(i * x)).var() for i in range(8))).lower(shape)
    usual, saving = (
        memory.compiled(lowered, Remat(remat=remat), MAKE_MESH(jax.devices()[:1])).memory_analysis().temp_size_in_bytes
        for remat in (False, True)
    )
    assert saving < 9 * MB < 30 * MB < usual


def test_the_limit_is_the_smallest_devices_or_a_share_of_the_machine():
    assert memory.limit_of([device(5), device(3)]) == 3
    whole = memory.limit_of([device(None)])
    assert 2**28 < whole < 2**50
    assert memory.limit_of([device(None)] * 4) == whole // 4


def test_what_fits_is_one_line_that_adds_up():
    line = memory.check(memory.Need(100 * MB, 50 * MB, 1050 * MB), [device(24_000 * MB)], None, True)
    assert line == "Memory      1.2 GB of 24 GB on each device: state 100 MB, data 50 MB, step 1.05 GB"


@pytest.mark.parametrize(
    ("config", "resident", "advice"),
    [
        (None, False, r"24 MB\."),
        (toy.Config(), True, r"24 MB; less is needed with a smaller --batch-size, --resident off\."),
        (Remat(), False, r"with a smaller --batch-size, --remat, --precision bfloat16\."),
        (Remat(remat=True, precision="bfloat16"), False, r"with a smaller --batch-size\."),
    ],
)
def test_what_does_not_fit_names_what_would_help(config, resident, advice):
    with pytest.raises(UserError, match="a step needs 24.5 MB of memory on each device .state 20 MB, .*" + advice):
        memory.check(memory.Need(20 * MB, 0, 4_500_000), [device(30 * MB), device(24 * MB)], config, resident)


def test_a_cpu_is_not_told_to_recompute():
    with pytest.raises(UserError, match=r"with a smaller --batch-size, --precision bfloat16\."):
        memory.check(memory.Need(20 * MB, 0, 0), [device(9 * MB, "cpu")], Remat(), False)


@pytest.mark.parametrize("resident", ["on", "off"])
def test_a_run_that_does_not_fit_is_refused_before_its_first_step(resident, tmp_path, monkeypatch):
    """The toy's state is 8.5 kB, its images 2.6 kB: what is left for a step decides when."""
    monkeypatch.setattr(parallel, "make_mesh", lambda: MAKE_MESH(jax.devices()[:2]))
    said = toy.Said()
    toy.train(tmp_path / "fits", steps=1, report=said, resident=resident)
    (line,) = [line for line in said.lines if line.startswith("Memory")]
    state = memory.size(
        memory.checkpoint.nbytes(jax.eval_shape(toy.build(toy.Config(), toy.SPEC).init, jax.random.key(0)))
    )
    assert f"each device: state {state}, data " in line

    def refused(limit, folder):
        monkeypatch.setattr(memory, "limit_of", lambda devices: limit)
        with pytest.raises(UserError) as caught:
            toy.train(tmp_path / folder, steps=1, resident=resident)
        assert not (tmp_path / folder / "config.json").exists()
        return str(caught.value)

    assert "a step needs" in refused(12_000, "step")
    assert not (tmp_path / "step").exists()
    early = refused(5_000, "plan")
    assert "before any step the state" in early
    assert ("--resident off" in early) == (resident == "on")
    assert not (tmp_path / "plan").exists()
