from __future__ import annotations

import os
import signal
import threading

import pytest

from k8slab.loop.interrupts import deferred_interrupts


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_waits_for_the_checkpoint():
    done = []

    def two_turns() -> None:
        with deferred_interrupts() as checkpoint:
            press_ctrl_c()
            done.append("the turn")
            checkpoint()
            done.append("the next turn")

    with pytest.raises(KeyboardInterrupt):
        two_turns()
    assert done == ["the turn"]


def test_an_interrupt_is_never_lost():
    with pytest.raises(KeyboardInterrupt), deferred_interrupts():
        press_ctrl_c()


def test_afterwards_ctrl_c_is_as_it_was():
    before = signal.getsignal(signal.SIGINT)
    with deferred_interrupts():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_have_no_interrupts_to_defer():
    seen = []

    def run() -> None:
        with deferred_interrupts() as checkpoint:
            checkpoint()
            seen.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [True]
