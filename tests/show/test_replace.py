"""Files that are whole, and what is said of those that stood there before. Oracle: the folder's content."""

import pytest

from jaxgan.show.replace import free, noticing, replaced, told


def write(path, text="x"):
    with replaced(path) as temporary:
        temporary.write_text(text)


def test_what_is_replaced_is_noticed(tmp_path):
    with noticing() as stood:
        write(tmp_path / "a.png")
        assert (stood, told(stood)) == ([], "")
        write(tmp_path / "a.png", "y")
        assert (stood, told(stood)) == ([tmp_path / "a.png"], " (replaced)")
        write(tmp_path / "a.png")
    write(tmp_path / "a.png")
    assert told(stood) == " (2 files replaced)"


def test_nothing_is_said_of_what_was_not_written(tmp_path):
    write(tmp_path / "a.png")
    with noticing() as stood, pytest.raises(TypeError):
        write(tmp_path / "a.png", 3)  # no text
    assert not stood
    assert [each.name for each in tmp_path.iterdir()] == ["a.png"]


def test_a_free_name(tmp_path):
    path = tmp_path / "sample-1.5-seed0.png"
    for expected in ("sample-1.5-seed0.png", "sample-1.5-seed0-2.png", "sample-1.5-seed0-3.png"):
        found = free(path)
        assert found.name == expected
        write(found)
