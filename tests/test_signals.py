"""Signals. Oracle: what the operating system reports of this process and of a child."""

import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading

import pytest

from jaxgan import signals
from jaxgan.signals import ending, noted_signals

pytestmark = pytest.mark.usefixtures("signals_are_heard")


@pytest.mark.parametrize("number", signals.SIGNALS)
def test_the_first_signal_is_noted_and_answered(number):
    before = signal.getsignal(number)
    asked = queue.Queue()
    with noted_signals(asked.put) as received:
        assert received == []
        os.kill(os.getpid(), number)
        assert received == [number]
        assert asked.get(timeout=60) == signal.Signals(number).name
    assert signal.getsignal(number) is before
    assert signal.set_wakeup_fd(-1) == -1


def test_signals_that_come_together_are_one(monkeypatch):
    """A shell and its terminal, or `timeout`, send two."""
    monkeypatch.setattr(signals, "APART", 3600.0)
    ended = []
    with noted_signals(ends=ended.append) as received:
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
    assert (received, ended) == ([signal.SIGTERM], [])


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="takes SIGHUP")
def test_a_closed_terminal_ends_nothing_and_under_nohup_is_not_heard(monkeypatch):
    monkeypatch.setattr(signals, "APART", 0.0)
    asked = []
    with noted_signals(asked.append) as received:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)
    assert (received, asked) == ([signal.SIGHUP], ["SIGHUP"])
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with noted_signals(asked.append) as received:
            os.kill(os.getpid(), signal.SIGHUP)
        assert (received, asked) == ([], ["SIGHUP"])
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(sys.platform != "linux", reason="takes the mutex of Linux's C library")
def test_the_answer_does_not_wait_for_the_main_thread():
    """It stands in a call that no signal ends, as in one of a device, until there is an answer."""
    library, mutex, asked = ctypes.CDLL(None), ctypes.create_string_buffer(64), threading.Event()
    library.pthread_mutex_lock(mutex)

    def kill():
        os.kill(os.getpid(), signal.SIGINT)
        answered.append(asked.wait(timeout=60))
        library.pthread_mutex_unlock(mutex)

    answered: list[bool] = []
    thread = threading.Thread(target=kill)
    with noted_signals(lambda _: asked.set()) as received:
        thread.start()
        library.pthread_mutex_lock(mutex)
        thread.join()
    assert (answered, received) == ([True], [signal.SIGINT])


def test_the_second_signal_ends_the_process():
    code = """if True:
        import os, signal, sys, time
        sys.path.insert(0, sys.argv[1])
        import signals
        signals.APART = 0.0
        say = lambda name: print(name, flush=True)
        with signals.noted_signals(say, say) as received:
            os.kill(os.getpid(), signal.SIGINT)
            assert received
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
            print("still alive")
    """
    folder = os.path.dirname(signals.__file__)
    child = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=False)
    assert child.returncode == 128 + signal.SIGTERM
    assert child.stdout == "SIGINT\nSIGTERM\n"


@pytest.mark.parametrize("number", [number for number in signals.SIGNALS if number != signal.SIGINT])
def test_one_signal_ends_a_process_that_waits_with_a_word(number):
    """It sleeps in a call that no handler of Python's interrupts."""
    code = """if True:
        import ctypes, os, signal, sys, threading
        from jaxgan.signals import ending
        threading.Timer(0.5, lambda: os.kill(os.getpid(), int(sys.argv[1]))).start()
        say = lambda name: print(name, flush=True)
        with ending(lambda name: print("outer"), say), ending(say):
            mutex = ctypes.create_string_buffer(64)
            ctypes.CDLL(None).pthread_mutex_lock(mutex)
            ctypes.CDLL(None).pthread_mutex_lock(mutex)
    """
    child = subprocess.run(
        [sys.executable, "-c", code, str(int(number))], capture_output=True, text=True, check=False, timeout=60
    )
    assert (child.returncode, child.stdout, child.stderr) == (128 + number, signal.Signals(number).name + "\n", "")


def test_what_is_handled_or_ignored_already_stays_and_interrupts_are_answered():
    said, heard = queue.Queue(), []
    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda number, _: heard.append(number)),
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    }
    try:
        with ending(said.put, said.put):
            for number in (signal.SIGHUP, signal.SIGTERM):
                os.kill(os.getpid(), number)
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
        assert heard == [signal.SIGTERM]
        assert said.get(timeout=60) == "SIGINT"
        assert said.empty()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert signal.set_wakeup_fd(-1) == -1


def test_other_threads_train_without_signals():
    noted = []

    def train():
        with noted_signals() as received:
            noted.append(received)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert noted == [[]]
