"""Signals. Oracle: what the operating system reports of this process and of a child."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from jaxgan.train.loop.signals import noted_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_noted(number):
    before = signal.getsignal(number)
    with noted_signals() as received:
        assert received == []
        os.kill(os.getpid(), number)
        assert received == [number]
        assert signal.getsignal(number) is signal.SIG_DFL  # the next one ends the process at once
    assert signal.getsignal(number) is before


def test_the_second_signal_kills_even_a_busy_process():
    code = """if True:
        import os, signal, sys
        sys.path.insert(0, sys.argv[1])
        from signals import noted_signals
        with noted_signals() as received:
            os.kill(os.getpid(), signal.SIGINT)
            assert received
            os.kill(os.getpid(), signal.SIGTERM)
            print("still alive")
    """
    folder = os.path.join(os.path.dirname(sys.modules["jaxgan.train"].__file__), "loop")
    child = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=False)
    assert child.returncode == -signal.SIGTERM
    assert child.stdout == ""


def test_other_threads_train_without_signals():
    noted = []

    def train():
        with noted_signals() as received:
            noted.append(received)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert noted == [[]]
