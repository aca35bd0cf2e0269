"""What devices tell each other in a step, counted in the compiled program. Oracle: the parameters, and arithmetic."""

import runpy
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from jaxgan import fields
from jaxgan.game import parallel
from tests.recipes import contract

COUNT = runpy.run_path(str(Path(__file__).parents[2] / "experiments" / "benchmarks" / "collectives.py"))
Collective, collectives = COUNT["Collective"], COUNT["collectives"]


@pytest.fixture(autouse=True)
def accelerators_forms(request, monkeypatch):
    """Convolutions as accelerators get them; nothing here is run.

    But grouped ones: those of R3GAN are counted as a CPU gets them; this compiler gathers the input of the others.
    """
    if "r3gan" in request.node.name:
        return
    monkeypatch.setattr(jax.lax, "platform_dependent", lambda *arrays, default, **_: default(*arrays))


def count(case, mode, **changes):
    """The account of a recipe's step on four devices, and the bytes of each player's kernels."""
    spec = {**contract.spec(case), "image": fields.image(16, 16, 3)}
    module, config = contract.module(case), contract.config(case, **changes)
    text, params = COUNT["compiled_text"](module, config, spec, mode, jax.devices()[:4])
    kernels = {
        name: sum(4 * leaf.size for leaf in jax.tree.leaves(tree) if leaf.ndim > 1) for name, tree in params.items()
    }
    return COUNT["account"](collectives(text), params), kernels, params


def test_the_count_reads_a_program():
    text = """%body (p: f32[]) -> f32[] {
      %all-reduce.1 = (f32[4,4,1,8]{3,2,1,0}, bf16[3]{0}, f32[]) all-reduce(%a, %b, %c), channel_id=1
    }
ENTRY %main (p: f32[]) -> f32[] {
      ROOT %ag = (f32[2]{0}, f32[8]{0}) all-gather-start(%all-reduce.1), dimensions={0}
      %x = f32[8]{0} all-gather-done(%ag), metadata={op_name="all-reduce"}
    """
    found = collectives(text)
    assert found == [
        Collective("all-reduce", (("f32", (4, 4, 1, 8)), ("bf16", (3,)), ("f32", ())), True),
        Collective("all-gather", (("f32", (8,)),)),
    ]
    account = COUNT["account"](found, {"kernel": jnp.zeros((4, 8, 4)), "bias": jnp.zeros(8)})
    assert account["operations"] == {"all-reduce": 1, "all-gather": 1}
    assert account["bytes"] == {"gradients": 512, "vectors": 6 + 32, "scalars": 4}


def test_a_gather_is_seen():
    """Negative control: one array behind another, both split over devices, moves all of it."""
    mesh = parallel.make_mesh(jax.devices()[:4])
    split = NamedSharding(mesh, PartitionSpec(parallel.AXIS))
    join = jax.jit(lambda a, b: jnp.concatenate([a, b]), in_shardings=split, out_shardings=split)
    found = collectives(join.lower(*[jax.ShapeDtypeStruct((8, 3), jnp.float32)] * 2).compile().as_text())
    assert found
    assert {each.kind for each in found} != {"all-reduce"}


def test_each_gradient_is_reduced_once_and_statistics_cost_a_few_vectors():
    """C numbers a normalisation: mean and square forward and their gradients backward, for each pass; the gradients of
    gain and bias; the running mean and variance. G passes once, D three times."""
    found, kernels, params = count("dcgan", "shard_map")
    assert set(found["operations"]) == {"all-reduce"}
    assert found["bytes"]["gradients"] == sum(kernels.values())
    channels = {
        name: sum(leaf.size for leaf in jax.tree.leaves(tree) if leaf.ndim == 1) // 2 for name, tree in params.items()
    }
    vectors = 4 * (channels["g"] * (2 + 2 + 2 + 2) + channels["d"] * (3 * (2 + 2) + 2 + 2))
    assert 0 < found["bytes"]["vectors"] <= vectors
    assert 0 < found["bytes"]["scalars"] <= 4 * 16


def test_sharded_jit_reduces_what_each_pass_of_d_gives():
    """G's kernels once, D's for real and for fake images: a CPU's compiler does not add before it reduces.

    Those of accelerators do (docs/scaling.md has the count of a TPU's).
    """
    found, kernels, _ = count("dcgan", "jit")
    assert set(found["operations"]) == {"all-reduce"}
    assert found["bytes"]["gradients"] == kernels["g"] + 2 * kernels["d"]


@pytest.mark.parametrize(
    ("case", "mode"),
    [
        *((case, "jit") for case in ("infogan", "r3gan", "wgan_gp", "gan/relativistic")),
        *((case, "shard_map") for case in ("wgan_gp", "gan/relativistic")),
    ],
)
def test_nothing_is_gathered(case, mode):
    """No image, feature or parameter leaves its device; gradients weigh at most as much as D's three passes."""
    found, kernels, _ = count(case, mode)
    assert set(found["operations"]) == {"all-reduce"}
    most = 1.1 if mode == "shard_map" else 3.1  # a vector may look like a kernel with one output
    assert 0 < found["bytes"]["gradients"] < most * sum(kernels.values())


@pytest.mark.parametrize(("mode", "looped"), [("shard_map", False), ("jit", True)])
def test_accumulation_adds_on_each_device_before_it_reduces(mode, looped):
    """Under `shard_map`; the partitioner of `jit` reduces every microbatch's gradient, inside the loop."""
    module, config = contract.module("gan"), contract.config("gan", accumulate=2)
    text, params = COUNT["compiled_text"](module, config, contract.IMAGES, mode, jax.devices()[:4])
    of_loop = [each for each in collectives(text) if each.inner]
    assert (COUNT["account"](of_loop, params)["bytes"]["gradients"] > 0) is looped
