"""Eight virtual CPU devices, run-time checks of all annotations of the package, nothing written to the user's home."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version

# Most of the suite's time is compilation: without XLA's optimisations programs compile in a third of the time, and the
# small ones here run no slower. jaxlib 0.10, the last for Python 3.11, has quicker fusions to choose.
os.environ["XLA_FLAGS"] = " ".join(
    [
        os.environ.get("XLA_FLAGS", ""),
        "--xla_force_host_platform_device_count=8",
        "--xla_backend_optimization_level=0",
        "--xla_cpu_use_fusion_emitters=false" if version("jaxlib").startswith("0.10.") else "",
    ]
)
os.environ.setdefault("JAX_PLATFORMS", "cpu")
if "JAXGAN_TESTS" not in os.environ:
    # One folder for a run of the tests, shared by its workers and by the processes that they start: many tests compile
    # the same programs, and preparing the bundled set takes twelve seconds.
    _shared = tempfile.TemporaryDirectory(prefix="jaxgan-tests-")
    os.environ["JAXGAN_TESTS"] = _shared.name
    os.environ["TFDS_DATA_DIR"] = os.path.join(_shared.name, "tfds")
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        os.environ["JAX_COMPILATION_CACHE_DIR"] = os.path.join(_shared.name, "programs")
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

from pathlib import Path

import jax
import pytest
from jaxtyping import install_import_hook

# Every annotated function of the package is checked on every call that a test makes.
install_import_hook("jaxgan", "beartype.beartype")

from jaxgan import data  # noqa: E402

NEWEST_ONLY = (
    *("experiments/", "layers/", "losses/", "made/", "metrics/", "nets/", "weights/"),
    *("recipes/test_costs.py", "recipes/test_learning.py", "recipes/test_toolbox", "recipes/test_modes.py"),
    *("game/test_collectives.py", "game/test_dynamics.py", "game/test_flops.py", "game/test_frozen.py"),
    *("game/test_local.py", "game/test_unroll.py", "train/cluster/test_cluster.py", "train/loop/test_best.py"),
    *("recipes/test_cyclegan.py", "recipes/test_spade.py", "recipes/test_biggan.py", "recipes/test_restore.py"),
    *("recipes/test_stylegan2.py", "recipes/test_augment.py", "augment/", "commands/test_import"),
    *("train/loop/test_goals.py", "train/loop/test_held.py", "train/loop/test_prolong.py"),
    *("train/loop/test_rollback.py", "train/monitor/test_failing_runs.py", "commands/test_interpolate.py"),
    *("recipes/test_superres.py", "commands/test_enlarge.py", "test_docs.py"),
)
"""What the oldest Python leaves to the newest: it is there to prove that the older JAX has all that we call."""
KEPT = (
    "layers/test_conv.py",
    "losses/test_penalties.py",
    "metrics/compare/test_evaluate.py",
    "metrics/inception/test_net.py",
)
FAMILIES = ("gan", "dcgan", "cgan", "sngan/projection", "r3gan", "pix2pix", "spade", "voxel_gan/conv")
"""Cases of the recipe contract that the oldest Python runs, one a family of networks."""

FORMS = ("layers/", "metrics/inception/test_net.py", "game/test_collectives.py", "game/test_flops.py")
"""Where the forms for CPUs are tested."""


def _is_left_to_the_newest(item: pytest.Item) -> bool:
    path = _place(item)
    name = getattr(item, "callspec", None) and item.callspec.params.get("name")
    if path == "recipes/test_contract.py":
        return name is not None and name not in FAMILIES
    return path.startswith(NEWEST_ONLY) and path not in KEPT


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist writes a test's group down
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests of a file stay in one process, which compiles their programs once; those with a group, that group's.

    On the oldest Python a part is left out, unless JAXGAN_ALL_TESTS is set or files are named.
    """
    if (
        sys.version_info < (3, 12)
        and "JAXGAN_ALL_TESTS" not in os.environ
        and config.args == config.getini("testpaths")
    ):
        left = [item for item in items if _is_left_to_the_newest(item)]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(_place(item)))


@pytest.fixture(autouse=True)
def _no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def signals_are_heard() -> Iterator[None]:
    """Signals as a terminal gives them: nohup ignores SIGHUP, a shell's background SIGINT, for children too."""
    heard = {signal.SIGHUP: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in heard.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def fashion() -> data.Data:
    """The bundled images."""
    return data.load("fashion_mnist_10k")


@pytest.fixture(scope="session")
def prepared(fashion: data.Data) -> Path:
    """The TFDS data dir of this run of the tests, with the bundled set in it."""
    return Path(os.environ["TFDS_DATA_DIR"])


@pytest.fixture(autouse=True, scope="module")
def _plain_forms(request: pytest.FixtureRequest) -> Iterator[None]:
    """Convolutions in the form that accelerators get: those for CPUs compile slowly, and tests/layers proves them."""
    with pytest.MonkeyPatch.context() as patch:
        if not _place(request).startswith(FORMS):
            patch.setattr(jax.lax, "platform_dependent", lambda *arrays, default, **_: default(*arrays))
        yield


@pytest.fixture(autouse=True, scope="module")
def _forget() -> Iterator[None]:
    """Drop compiled programs after each file: thousands of them make a process slow and take gigabytes."""
    yield
    jax.clear_caches()


def _place(at: pytest.FixtureRequest | pytest.Item) -> str:
    """Path of a test file within the tests."""
    return at.path.relative_to(Path(__file__).parent).as_posix()
