"""Systems of a user's own. Oracles: sentences, exit codes, and a list in which code leaves its name when executed."""

import importlib
import json
import os
import shutil
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxgan import recipes
from jaxgan.cli import main
from jaxgan.commands import train as train_command
from jaxgan.errors import UserError
from jaxgan.fields import IMAGES
from jaxgan.game import parallel
from jaxgan.train.run import own
from tests.train import toy

SYSTEM = '''"""A toy of a user's own."""
from dataclasses import dataclass
from tests.train import toy

@dataclass(frozen=True, kw_only=True)
class Config(toy.Config):
    slope: float = 2.0

def build(config, spec, axis_name=None):
    return toy.build(config, spec, axis_name)

getattr(toy, "EXECUTED", []).append("NAME")
'''


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    make = parallel.make_mesh
    monkeypatch.setattr(parallel, "make_mesh", lambda devices=None: make(devices or jax.devices()[:1]))
    monkeypatch.setattr("jaxgan.train.screen.summary.write_summary", lambda path, *about: None)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    before = list(sys.path)
    yield
    assert sys.path == before


@pytest.fixture
def executed():
    """Names of the systems that were executed, in order."""
    toy.EXECUTED = []
    yield toy.EXECUTED
    del toy.EXECUTED


def write(path, text="", name="x"):
    """A system that says by this name that it is executed, and then does what `text` adds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SYSTEM.replace("NAME", name) + text)
    return path


@pytest.fixture
def images(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", image=pixels)
    return tmp_path / "images.npz"


def train(system, images, out, *more):
    options = ["--data", images, "--steps", 1, "--batch-size", 4, "--samples", 1, "--out", out, *more]
    return main(["train", *map(str, (system, *options))])


def said(capsys, *args):
    """The exit code and what stderr says."""
    code = main(list(map(str, args)))
    return code, capsys.readouterr().err.strip()


def test_a_run_remembers_its_code_and_is_sampled_without_naming_it(tmp_path, images, capsys, executed):
    file = write(tmp_path / "my-gan.py")
    assert train(file, images, tmp_path / "run") == 0
    saved = json.loads((tmp_path / "run" / "config.json").read_text())
    assert saved["recipe"] == "my-gan"
    assert saved["code"] == {"file": str(file), "sha256": own._digest(file), "module": ""}
    assert saved["config"]["slope"] == 2.0
    assert main(["sample", str(tmp_path / "run"), "--n", "1"]) == 0
    assert executed == ["x", "x"]
    assert "A toy of a user's own." in capsys.readouterr().out


def test_a_run_from_elsewhere_executes_nothing(tmp_path, images, capsys, executed, monkeypatch):
    """Another home has not trained with it; nor has this one with the same content at another place."""
    file = write(tmp_path / "a" / "mine.py")
    assert train(file, images, tmp_path / "run") == 0
    copy = shutil.copytree(tmp_path / "run", tmp_path / "stranger" / "run")
    shutil.copy(file, copy / "mine.py")
    config = json.loads((copy / "config.json").read_text())
    config["code"]["file"] = str(copy / "mine.py")
    (copy / "config.json").write_text(json.dumps(config))
    executed.clear()
    commands = [["sample"], ["evaluate"], ["train", "--resume"]]
    for command in commands:
        code, sentence = said(capsys, *command, copy)
        assert code == 2
        assert sentence.endswith(
            "mine.py, which has never been trained with on this machine; to execute a file of yours for it, "
            "say --system FILE."
        )
    monkeypatch.setenv("HOME", str(tmp_path / "another home"))
    assert said(capsys, "sample", tmp_path / "run")[0] == 2
    assert executed == []
    assert said(capsys, "sample", tmp_path / "run", "--n", 1, "--system", file) == (0, "")
    assert executed == ["x"]
    assert said(capsys, "sample", tmp_path / "run")[0] == 2  # to sample is not to train


@pytest.mark.parametrize("code", [3, {"file": "x"}, {"file": 1, "sha256": "", "module": ""}])
def test_a_run_that_says_nonsense_of_its_code_is_one_sentence(code):
    with pytest.raises(UserError, match="does not say which code the run was trained by; say --system FILE"):
        own.of_run({"recipe": "x", "code": code}, "run", None)


def test_a_namesake_of_a_trusted_module_is_not_imported(tmp_path, images, executed, monkeypatch):
    """The folder that one stands in may be a stranger's; the module comes from where it was trained with."""
    write(tmp_path / "mine" / "lab_a" / "gan.py", name="mine")
    write(tmp_path / "theirs" / "lab_a" / "gan.py", name="theirs")
    monkeypatch.chdir(tmp_path / "mine")
    assert train("lab_a.gan", images, tmp_path / "run") == 0
    for name in ("lab_a", "lab_a.gan"):  # as in another process
        del sys.modules[name]
    monkeypatch.chdir(tmp_path / "theirs")
    importlib.invalidate_caches()
    assert main(["sample", str(tmp_path / "run"), "--n", "1"]) == 0
    assert executed == ["mine", "mine"]


def test_changed_code_is_refused_until_it_is_named_or_trained_with(tmp_path, images, capsys, executed):
    file = write(tmp_path / "mine.py")
    assert train(file, images, tmp_path / "run") == 0
    write(file, "# other\n", "changed")
    code, sentence = said(capsys, "sample", tmp_path / "run")
    assert (code, executed) == (2, ["x"])
    assert "which has changed since; to execute a file of yours for it, say --system FILE." in sentence
    change = f"Warning     {file} is not what the run was trained with: its content has changed since."
    assert main(["sample", str(tmp_path / "run"), "--n", "1", "--system", str(file)]) == 0
    assert change in capsys.readouterr().out
    resumed = ["train", str(file), "--resume", str(tmp_path / "run"), "--steps", "2"]
    assert main(resumed) == 0
    assert change in capsys.readouterr().out
    assert main(["sample", str(tmp_path / "run"), "--n", "1"]) == 0  # this content has been trained with now
    file.unlink()
    assert "which is not there any more" in said(capsys, "sample", tmp_path / "run")[1]


def test_a_file_that_bears_the_name_of_a_recipe(tmp_path, images, capsys):
    assert train(write(tmp_path / "gan.py"), images, tmp_path / "run") == 0
    assert said(capsys, "train", "gan", "--resume", tmp_path / "run", "--steps", 2) == (0, "")


def test_system_takes_a_value(tmp_path):
    assert own.taken(["--n", "3", "--system", "x.py"]) == own.taken(["--system=x.py"]) == "x.py"
    assert own.taken(["--n", "3"]) is None
    with pytest.raises(UserError, match="--system takes a value, got nothing"):
        own.taken(["--system"])


def test_neighbours_are_found_both_ways(tmp_path, monkeypatch):
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "own_neighbour.py").write_text("NUMBER = 7\n")
    more = "from .own_neighbour import NUMBER\nimport own_neighbour\nassert own_neighbour.NUMBER == NUMBER\n"
    write(tmp_path / "dir" / "file.py", more)
    monkeypatch.chdir(tmp_path)
    found = own.named("./dir/file.py")
    assert (found.name, found.module.NUMBER, found.module.NEEDS) == ("file", 7, IMAGES)
    assert not (tmp_path / "dir" / "__pycache__").exists()
    del sys.modules["own_neighbour"]


def test_the_path_is_left_as_it_was_where_the_code_changes_it(tmp_path):
    file = write(tmp_path / "x.py", "import sys\nsys.path.pop(0)\n")
    own.named(str(file))


def test_a_module_by_its_name(tmp_path, images, monkeypatch, capsys):
    write(tmp_path / "lab_b" / "gan.py")
    monkeypatch.chdir(tmp_path)
    assert train("lab_b.gan", images, tmp_path / "run") == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["code"]["module"] == "lab_b.gan"
    assert said(capsys, "train", "lab_b.gone")[1].startswith(
        "jaxgan: there is no recipe and no module 'lab_b.gone'; recipes: biggan,"
    )


def test_a_recipe_of_another_package(tmp_path, monkeypatch, images, capsys):
    write(tmp_path / "lab_c" / "gan.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("lab-gan", "lab_c.gan", recipes.GROUP)
    monkeypatch.setattr(recipes, "entry_points", lambda group: [point] if group == recipes.GROUP else [])
    assert "lab-gan" in recipes.names()
    assert main(["recipes"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "lab-gan      lab_c.gan"
    assert train("lab-gan", images, tmp_path / "run") == 0
    assert main(["sample", str(tmp_path / "run"), "--n", "1"]) == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["code"] is None
    sys.path.remove(str(tmp_path))  # syspath_prepend takes it away after the check of the path


MISTAKES = {
    "def build(:\n": "{file} has a syntax error in line 1: ",
    "x = 1\n": "{file} has no function build(config, spec, axis_name=None) that returns a System.",
    "build = print\n": "{file} has no Config, a frozen dataclass with the system's options.",
    "build = Config = print\n": "{file} has no Config, a frozen dataclass",
    SYSTEM + "NEEDS = {'image': 'image'}\n": "{file} has NEEDS that are no jaxgan.fields.Needs",
    "import no_such_thing\n": "{file} cannot be imported: ModuleNotFoundError: No module named 'no_such_thing'.",
    "1 / 0\n": "{file} cannot be imported: ZeroDivisionError: division by zero.",
    "raise SystemExit(0)\n": "{file} ends the program while it is read; put what it does under",
    "open('results.txt', 'w')\n": "{file} writes {folder}/results.txt while it is read; put what it does under",
    "import numpy as np\nnp.save('a.npy', np.zeros(1))\n": "{file} writes {folder}/a.npy while it is read",
    "from pathlib import Path\nPath('runs').mkdir()\n": "{file} writes {folder}/runs while it is read",
    "from own_writer import x\n": "{file} writes {folder}/b.txt while it is read",
}


@pytest.mark.parametrize("text", MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_in_a_file_is_one_sentence(text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "mine.py"
    file.write_text(text)
    (tmp_path / "own_writer.py").write_text("open('b.txt', 'a')\n")
    code, sentence = said(capsys, "train", "mine.py")
    assert (code, sentence.count("\n")) == (2, 0)
    assert sentence.startswith("jaxgan: " + MISTAKES[text].format(file="mine.py", folder=tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.py", "own_writer.py"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gone.py", "gone.py cannot be read (No such file or directory); a system of your own is"),
        ("./folder", "folder cannot be read (Is a directory)"),
        ("./file", "file is no Python file; a system of your own ends in .py."),
        ("no.such.thing", "there is no recipe and no module 'no.such.thing'"),
        ("thing", "there is no recipe 'thing'; the recipes are "),
    ],
)
def test_a_name_that_is_none_is_one_sentence(name, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    assert said(capsys, "train", name)[1].startswith(f"jaxgan: {sentence}")


def test_what_libraries_write_while_they_are_imported_is_theirs(tmp_path, monkeypatch):
    """Caches anywhere, and what an import of a library outside the folder does; afterwards anything may be written."""
    library = tmp_path / "elsewhere"
    library.mkdir()
    (library / "own_library.py").write_text(f"open({str(library / 'list.txt')!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(str(library))
    for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR", "JAX_COMPILATION_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    writes = "".join(
        f"os.makedirs(os.environ[{name!r}])\nopen(os.environ[{name!r}] + '/x', 'w').close()\n"
        for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR", "JAX_COMPILATION_CACHE_DIR")
    )
    own.named(
        str(write(tmp_path / "mine" / "gan.py", f"import os, own_library\n{writes}open(os.devnull, 'w').close()\n"))
    )
    assert (library / "list.txt").exists()
    assert (tmp_path / "MPLCONFIGDIR" / "x").exists()
    (tmp_path / "later.txt").write_text("")
    del sys.modules["own_library"]
    sys.path.remove(str(library))


def test_help_lists_the_options_of_a_file(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", str(write(tmp_path / "mine.py")), "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "--slope" in text
    assert "--eval-every" in text
    assert "A toy of a user's own." in text


def test_an_option_that_a_file_has_not(tmp_path, capsys):
    assert (
        "jaxgan train mine has no option --slop; did you mean --slope?"
        in said(capsys, "train", write(tmp_path / "mine.py"), "--slop", 3)[1]
    )


def test_a_home_that_cannot_be_written_is_survived(tmp_path, images, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert train(write(tmp_path / "mine.py"), images, tmp_path / "run") == 0


def test_presets_are_defaults():
    r3gan = own.named("r3gan")
    config = train_command._options(r3gan, "", ["--preset", "cifar10", "--gamma", "0.25"])[0]
    preset = r3gan.module.PRESETS["cifar10"]
    assert (config.gamma, config.gamma_end, config.width) == (0.25, preset.gamma_end, preset.width)
    assert train_command._options(r3gan, "", [])[0] == r3gan.module.Config()
    with pytest.raises(UserError, match="--preset takes one of cifar10, ffhq64, ffhq256; got mnist"):
        train_command._options(r3gan, "", ["--preset=mnist"])
    with pytest.raises(UserError, match="--preset takes one of none: this recipe has no presets; got x"):
        train_command._options(own.named("gan"), "", ["--preset", "x"])


def test_help_of_a_preset_shows_its_values(capsys):
    with pytest.raises(SystemExit):
        main(["train", "r3gan", "--preset", "ffhq64", "--help"])
    text = capsys.readouterr().out
    assert "384" in text
    assert os.path.basename(sys.argv[0]) not in text.splitlines()[0]


def test_the_file_of_the_documentation_is_a_system(tmp_path):
    page = Path(__file__).parents[3] / "docs" / "adding_a_gan.md"
    file = tmp_path / "my_gan.py"
    file.write_text(page.read_text().partition("```python\n")[2].partition("```")[0])
    found = own.named(str(file))
    assert found.module.build(found.module.Config(), toy.SPEC).verbs.keys() == {"sample", "draw", "decode"}
