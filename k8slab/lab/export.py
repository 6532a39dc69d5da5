"""The trace as a file: one line of JSON a record, to be read by other programs, and back.

    to_json_lines(cluster.trace, "trace.jsonl")

The first line says what the file is and in which version; each further line is a `Record` with its fields in their order,
those left out that are empty. Times are RFC 3339 with nanoseconds as far as there are any, which is more than a float of this
century can tell apart: so what is read back is equal to what was written.

Nothing is held in memory but the line at hand. A trace holds no bodies, but the commands as they were typed: a password on a
command line is in it.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any

import orjson

from k8slab.clock import from_rfc3339, to_rfc3339
from k8slab.lab.records import Record
from k8slab.lab.trace import Trace

FORMAT, VERSION = "k8slab-trace", 1
NANO = 1_000_000_000


def to_json_lines(records: Trace | Iterable[Record], file: str | Path | IO[bytes]) -> int:
    """Write records to a file (by its name, or open for bytes); how many there were. Raises OSError."""
    written = 0
    with _opened(file, "wb") as out:
        out.write(orjson.dumps({"format": FORMAT, "version": VERSION}) + b"\n")
        # A trace of a live cluster goes on meanwhile.
        for record in records.since(0) if isinstance(records, Trace) else records:
            out.write(orjson.dumps(record.as_dict() | {"time": to_rfc3339_nano(record.time)}) + b"\n")
            written += 1
    return written


def read_json_lines(file: str | Path | IO[bytes]) -> Iterator[Record]:
    """The records of such a file, one after the other.

    Raises OSError, and ValueError, which names the line, for what is no trace, is damaged, or was written by a newer k8slab.
    """
    with _opened(file, "rb") as lines:
        _check_header(lines.readline())
        for number, line in enumerate(lines, 2):
            yield _record(line, number)


def to_rfc3339_nano(when: float) -> str:
    """`when` with as many decimals as it has, at most nine, as Go's RFC3339Nano: `2026-01-01T00:00:01.25Z`."""
    second, nano = divmod(round((when - int(when)) * NANO) + int(when) * NANO, NANO)
    decimals = f".{nano:09d}".rstrip("0") if nano else ""
    return to_rfc3339(second).removesuffix("Z") + decimals + "Z"


def from_rfc3339_nano(text: str) -> float:
    """The seconds since the Unix epoch. Raises ValueError."""
    # Python's own parser stops at microseconds.
    whole, _, decimals = text.removesuffix("Z").partition(".")
    return from_rfc3339(whole + "Z") + (int(decimals) / 10 ** len(decimals) if decimals else 0.0)


def _opened(file: str | Path | IO[bytes], mode: str) -> AbstractContextManager[IO[Any]]:
    """What was opened elsewhere is closed there."""
    return open(file, mode) if isinstance(file, (str, Path)) else nullcontext(file)


def _check_header(line: bytes) -> None:
    try:
        header = orjson.loads(line)
        found, version = header["format"], header["version"]
    except (ValueError, KeyError, TypeError):
        found, version = None, 0
    if found != FORMAT:
        raise ValueError("this is no exported trace: its first line should say so; write one with to_json_lines(...)")
    if version > VERSION:
        raise ValueError(f"this trace was written by a newer k8slab (version {version} of the format): update this one")


def _record(line: bytes, number: int) -> Record:
    try:
        fields = orjson.loads(line)
        fields["time"] = from_rfc3339_nano(fields["time"])
        fields["causes"] = tuple(fields.get("causes", ()))
        return Record(**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"line {number} of the trace is damaged: {error}") from None
