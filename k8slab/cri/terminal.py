"""The line discipline of a terminal: what happens between the keys and the program.

Typed characters are echoed, a line reaches the program when Enter is pressed, Backspace takes one back, ^C interrupts, ^D
on an empty line ends the input; and each newline of the output becomes CR LF. A kernel does this for a real container.

Models: tty(4), n_tty in its canonical mode.
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.apimachinery.rest import STDOUT
from k8slab.cri.process import Process

_ENTER, _BACKSPACE, _INTERRUPT, _END, _KILL = b"\r\n", b"\x7f\x08", 0x03, 0x04, 0x15


class Terminal:
    """A terminal with one process at it."""

    def __init__(self, process: Process, put: Callable[[int, bytes], None]) -> None:
        self._process, self._put = process, put
        self._line = b""

    def output(self, channel: int, data: bytes) -> None:
        """What the program writes: a terminal has one output channel."""
        self._put(STDOUT, data.replace(b"\n", b"\r\n"))

    def input(self, keys: bytes, now: float) -> None:
        """Keys that were pressed."""
        for key in keys:
            self._press(key, now)

    def _press(self, key: int, now: float) -> None:
        if key in _ENTER:
            self._put(STDOUT, b"\r\n")
            line, self._line = self._line + b"\n", b""
            self._process.feed(line, now)
        elif key in _BACKSPACE:
            if self._line:
                self._line = self._line[:-1]
                self._put(STDOUT, b"\x08 \x08")
        elif key == _INTERRUPT:
            self._put(STDOUT, b"^C\r\n")
            self._line = b""
            self._process.interrupt(now)
        elif key == _KILL:
            self._put(STDOUT, b"\x08 \x08" * len(self._line))
            self._line = b""
        elif key == _END:
            if not self._line:
                self._process.feed(b"", now, ended=True)
        elif key >= 0x20 or key == 0x09:
            self._line += bytes([key])
            self._put(STDOUT, bytes([key]))
