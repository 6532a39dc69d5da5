from __future__ import annotations

from k8slab.clock import EPOCH
from k8slab.cri.api import LogOptions
from k8slab.cri.logs import MAX_LINES, Log, choose, render, rfc3339_nano


def written(*lines: str) -> Log:
    log = Log()
    for number, line in enumerate(lines):
        log.write(EPOCH + number, 1, f"{line}\n".encode())
    return log


def read(log: Log, **options: object) -> bytes:
    wanted = LogOptions(**options)
    return b"".join(data for _, data in render(choose(log.lines, wanted), wanted))


def test_a_line_is_seen_once_it_is_whole():
    log = Log()
    log.write(0, 1, b"half")
    assert log.lines == []
    log.write(1, 1, b" and half\n")
    assert [(line.when, line.data) for line in log.lines] == [(1, b"half and half\n")]


def test_channels_do_not_mix():
    log = Log()
    log.write(0, 1, b"out")
    log.write(0, 2, b"err\n")
    log.flush(1)
    assert [(line.channel, line.data) for line in log.lines] == [(2, b"err\n"), (1, b"out")]


def test_the_options_apply_in_the_kubelets_order():
    log = written("a", "b", "c", "d")
    assert read(log, since=EPOCH + 1, tail=2) == b"c\nd\n"
    assert read(log, tail=1, timestamps=True) == b"2026-01-01T00:00:03Z d\n"
    assert read(log, tail=2, limit_bytes=3) == b"c\nd"


def test_fractions_are_as_long_as_they_need_to_be():
    assert rfc3339_nano(EPOCH + 0.25) == "2026-01-01T00:00:00.25Z"


def test_old_lines_are_rotated_away():
    log = written(*map(str, range(MAX_LINES + 10)))
    assert len(log.lines) == MAX_LINES
    assert log.lines[0].data == b"10\n"
    assert [line.data for line in log.since(log.end - 1)] == [f"{MAX_LINES + 9}\n".encode()]
