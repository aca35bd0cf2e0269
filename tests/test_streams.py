"""Streams that fail. Oracles: errors put in by hand, the operating system's /dev/full and pipes, exit codes."""

import errno
import io
import os
import subprocess
import sys

import pytest

from jaxgan.cli import main
from jaxgan.streams import Lenient, lenient, why


class Broken(io.StringIO):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error

    flush = isatty = lambda self: self.write("")


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), BrokenPipeError(), OSError(errno.EIO, "gone")])
def test_whatever_fails_is_noted_and_no_more(error):
    stream = Lenient(Broken(error))
    assert (stream.write("text"), stream.failure) == (4, error)
    stream.failure = None
    stream.flush()
    assert stream.failure is error
    assert stream.isatty() is False
    assert why(error) == ("" if isinstance(error, BrokenPipeError) else error.strerror)


def test_a_closed_stream_and_a_missing_one():
    closed = io.StringIO()
    closed.close()
    for stream in (lenient(closed), lenient(None)):
        stream.write("text")
        stream.flush()
        assert stream.isatty() is False


def test_letters_that_an_encoding_lacks_are_question_marks():
    written = io.BytesIO()
    stream = lenient(io.TextIOWrapper(written, encoding="ascii", write_through=True))
    stream.write("Schnürsenkel \udcff")
    assert written.getvalue() == b"Schn?rsenkel ?"
    assert stream.failure is None
    assert lenient(stream) is stream


def test_a_result_that_is_lost_is_said_and_a_reader_may_go(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", Broken(OSError(errno.ENOSPC, "No space left on device")))
    assert main(["--version"]) == 1
    assert capsys.readouterr().err == "jaxgan: standard output cannot be written (No space left on device).\n"
    monkeypatch.setattr(sys, "stdout", Broken(BrokenPipeError()))
    assert main(["--version"]) == 0
    assert capsys.readouterr().err == ""


CASES = {
    "--help >/dev/full": (1, "jaxgan: standard output cannot be written (No space left on device).\n"),
    "--help >/dev/full 2>/dev/full": (1, ""),
    "--help >&-": (0, ""),
    "--help >&- 2>&- <&-": (0, ""),
    "fly 2>&-": (2, ""),
    "--help | true": (0, ""),
}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="takes Linux")
@pytest.mark.parametrize("text", CASES)
def test_a_process_whose_streams_fail_ends_in_a_sentence(text):
    words, _, pipe = text.partition(" | ")
    command = f"'{sys.executable}' -c 'from jaxgan.cli import main; exit(main())' {words}"
    if pipe:
        command = f"{{ {command}; }} | {pipe}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    code, said = CASES[text]
    assert (done.returncode, done.stderr) == (code, said)


def test_files_do_not_take_the_place_of_a_closed_standard_output(tmp_path):
    """What writes to number 1 below Python would otherwise write into the first file that is opened, a checkpoint."""
    code = """if True:
        import os, sys
        from jaxgan.streams import unfailing
        with unfailing(), open(sys.argv[1], "w") as file:
            os.write(1, b"of a library")
            os.write(2, b"of a library")
            file.write("ours")
    """
    shell = ["bash", "-c", 'exec "$@" >&- 2>&- <&-', "bash"]
    subprocess.run([*shell, sys.executable, "-c", code, str(tmp_path / "file")], check=True)
    assert (tmp_path / "file").read_text() == "ours"
