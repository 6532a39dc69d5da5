"""What a container wrote, and which part of it someone wants.

A log is a list of lines, each with its moment and its channel. `LogOptions` choose in the kubelet's order: `since` drops
what is older, `tail` keeps the last lines, `timestamps` puts the moment before each line, and `limit_bytes` cuts the rest
off, in the middle of a line if it must.

Models: pkg/kubelet/kuberuntime/logs/logs.go (ReadLogs, logWriter).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from k8slab.apimachinery.rest import STDERR, STDOUT
from k8slab.cri.api import LogOptions

MAX_LINES = 50_000
"""A log keeps this many lines at most; the oldest go first, as log rotation would have it."""


class Line(NamedTuple):
    """One line of output."""

    when: float
    channel: int
    data: bytes
    """With its newline, if it had one."""


@dataclass(slots=True)
class Log:
    """The lines of one container, and the beginnings of lines not finished yet."""

    lines: list[Line] = field(default_factory=list)
    dropped: int = 0
    """How many lines were rotated away: line number n is `lines[n - dropped]`."""
    _partial: dict[int, bytes] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The number that the next line will have."""
        return self.dropped + len(self.lines)

    def write(self, when: float, channel: int, data: bytes) -> None:
        """Add output; a line becomes visible when its newline has come."""
        *whole, rest = (self._partial.get(channel, b"") + data).split(b"\n")
        self.lines.extend(Line(when, channel, line + b"\n") for line in whole)
        if rest:
            self._partial[channel] = rest
        else:
            self._partial.pop(channel, None)
        if len(self.lines) > MAX_LINES:
            surplus = len(self.lines) - MAX_LINES
            del self.lines[:surplus]
            self.dropped += surplus

    def flush(self, when: float) -> None:
        """The writer has ended: unfinished lines are lines too."""
        for channel in (STDOUT, STDERR):
            if rest := self._partial.pop(channel, b""):
                self.lines.append(Line(when, channel, rest))

    def since(self, number: int) -> Sequence[Line]:
        """The lines from `number` on."""
        return self.lines[max(0, number - self.dropped) :]


def rfc3339_nano(when: float) -> str:
    """`when` as Go's RFC3339Nano: a fraction only as long as it needs to be."""
    moment = datetime.fromtimestamp(round(when, 6), UTC)
    fraction = f".{moment.microsecond:06d}".rstrip("0").rstrip(".")
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def choose(lines: Sequence[Line], options: LogOptions) -> Sequence[Line]:
    """The lines that `since` and `tail` leave."""
    if options.since:
        lines = [line for line in lines if line.when >= options.since]
    if options.tail is not None:
        lines = lines[max(0, len(lines) - options.tail) :]
    return lines


def render(lines: Sequence[Line], options: LogOptions, sent: int = 0) -> list[tuple[int, bytes]]:
    """Chunks for a stream that has `sent` bytes behind it: time stamps in front, cut at the limit."""
    chunks: list[tuple[int, bytes]] = []
    for line in lines:
        data = line.data
        if options.timestamps:
            data = f"{rfc3339_nano(line.when)} ".encode() + data
        if options.limit_bytes is not None:
            data = data[: max(0, options.limit_bytes - sent)]
        sent += len(data)
        if data:
            chunks.append((line.channel, data))
    return chunks
