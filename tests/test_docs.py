"""Every Python snippet of the README and of docs/ runs; those of one page share a namespace, as a reader would."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def snippets(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_snippets_run(page, tmp_path, monkeypatch, prepared):
    namespace = run_snippets(page, tmp_path, monkeypatch, prepared)
    if page.name == "README.md":
        # What its last line says: the generator has found N(3, 0.5^2); the sign of a scale means nothing.
        found = namespace["state"].players["g"].params
        assert abs(abs(found["scale"]) - 0.5) < 0.15
        assert abs(found["shift"] - 3) < 0.3


def run_snippets(page, tmp_path, monkeypatch, prepared):
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "snippet", "folder": str(tmp_path / "run")}
    found = snippets(page, "python")
    assert found, f"{page.name} has no Python snippet"
    for code in found:
        exec(compile(code, str(page), "exec"), namespace)
    return namespace


def test_the_readme_program_is_short():
    """A complete program of at most 15 lines that composes a train step."""
    (program,) = snippets(ROOT / "README.md", "python")
    assert len([line for line in program.splitlines() if line.strip()]) <= 15


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"
