from __future__ import annotations

import orjson
import pytest

from k8slab.cri.api import CriError
from k8slab.cri.streams import BufferStream, error_status, exit_code_of, exit_status
from tests.cri.harness import Bell


@pytest.mark.parametrize("code", [0, 1, 137])
def test_an_exit_code_goes_through_a_status(code):
    assert exit_code_of(orjson.dumps(exit_status(code))) == code


def test_what_could_not_run_has_no_exit_code():
    with pytest.raises(CriError, match=r"desc = no such thing$"):
        exit_code_of(orjson.dumps(error_status("no such thing")))
    with pytest.raises(CriError):
        exit_code_of(b"")


def test_a_stream_closes_when_all_was_polled():
    bell = Bell()
    stream = BufferStream(bell)
    stream.buffer.put(1, b"out")
    stream.buffer.finish(exit_status(0))
    stream.buffer.put(1, b"too late")
    assert not stream.closed
    assert [channel for channel, _ in stream.poll()] == [1, 3]
    assert stream.closed
    assert bell.count == 2


def test_closing_twice_is_fine_and_drops_what_was_there():
    stream = BufferStream(Bell())
    stream.buffer.put(1, b"out")
    stream.close()
    stream.close()
    assert (stream.poll(), stream.closed) == ([], True)


def test_input_goes_to_its_method():
    class Typed(BufferStream):
        def write_stdin(self, data: bytes) -> None:
            self.typed = data

        def resize(self, width: int, height: int) -> None:
            self.size = width, height

    stream = Typed(Bell())
    stream.send(0, b"keys")
    stream.send(4, b'{"Width": 80, "Height": 24}')
    assert (stream.typed, stream.size) == (b"keys", (80, 24))
