"""Every Python snippet of the README and of docs/ runs; those of one page share a namespace, as a reader would."""

import re
from pathlib import Path

import numpy as np
import pytest

from jaxgan.fields import KINDS

ROOT = Path(__file__).parents[1]
INDEX = ROOT / "docs" / "README.md"  # of the pages, without snippets
PAGES = [ROOT / "README.md", *sorted(set((ROOT / "docs").glob("*.md")) - {INDEX})]


def snippets(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_snippets_run(page, tmp_path, monkeypatch):
    namespace = run_snippets(page, tmp_path, monkeypatch)
    if page.name == "README.md":
        # What its last line says: the generator has found N(3, 0.5^2); the sign of a scale means nothing.
        found = namespace["state"].players["g"].params
        assert abs(abs(found["scale"]) - 0.5) < 0.15
        assert abs(found["shift"] - 3) < 0.3


def run_snippets(page, tmp_path, monkeypatch):
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
    for page in (*PAGES, INDEX):
        prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)#]+)\)", prose):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_index_names_every_page_once():
    named = re.findall(r"^\d+\. \[.+?\]\((\w+\.md)\)", INDEX.read_text(), flags=re.MULTILINE)
    assert sorted(named) == sorted(page.name for page in PAGES[1:])


def test_the_table_of_units_is_that_of_the_code():
    """docs/data.md: every kind, the type that it is stored in, and what the ends of that type are seen as."""
    table = (ROOT / "docs" / "data.md").read_text().partition("| kind |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    assert {row[0].strip("`") for row in rows} == set(KINDS)
    for kind, _, stored, seen in rows:
        storage = KINDS[kind.strip("`")]
        assert stored.split(",")[0] == storage.dtype.name
        ends = re.match(r"(-?\d+)(?: \(\w+\))? to (-?\d+)", seen)
        if ends:
            least, most = (np.iinfo(storage.dtype).min, np.iinfo(storage.dtype).max)
            got = [float(storage.inside(np.array(end, storage.dtype))) for end in (least, most)]
            np.testing.assert_allclose(got, [float(end) for end in ends.groups()], atol=1e-4)
        else:
            assert float(storage.inside(np.array(7, storage.dtype))) == 7
