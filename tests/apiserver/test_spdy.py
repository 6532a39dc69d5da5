from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apiserver.spdy import (
    CONTROL,
    DICTIONARY,
    FIN,
    PING,
    RST_STREAM,
    SYN_STREAM,
    Connection,
    Opened,
    Pinged,
    Received,
    Reset,
    SpdyError,
)


class Peer:
    """The other side, as kubectl's library writes it."""

    def __init__(self):
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def open(self, stream, ended=False, **headers):
        texts = [text for pair in headers.items() for text in pair]
        block = struct.pack(">I", len(headers)) + b"".join(struct.pack(">I", len(t)) + t.encode() for t in texts)
        packed = self._deflate.compress(block) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return frame(SYN_STREAM, struct.pack(">IIH", stream, 0, 0) + packed, FIN if ended else 0)


def frame(kind, payload, flags=0):
    return struct.pack(">HHI", CONTROL | 3, kind, flags << 24 | len(payload)) + payload


def test_the_dictionary_is_the_one_that_the_protocol_names():
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


def test_streams_are_opened_with_headers_all_packed_in_one_go():
    peer, connection = Peer(), Connection()
    first = peer.open(1, True, streamType="error", port="8080", requestID="0")
    second = peer.open(3, streamType="data", port="8080", requestID="0")
    events = list(connection.receive(first + second))
    assert events == [
        Opened(1, {"streamtype": "error", "port": "8080", "requestid": "0"}, True),
        Opened(3, {"streamtype": "data", "port": "8080", "requestid": "0"}, False),
    ]


def test_bytes_of_a_stream_come_and_end():
    connection = Connection()
    sent = Connection.data(3, b"hello") + Connection.data(3, b"", ended=True)
    assert list(connection.receive(sent)) == [Received(3, b"hello", False), Received(3, b"", True)]


def test_a_sign_of_life_is_sent_back_as_it_came():
    ping = frame(PING, struct.pack(">I", 7))
    assert list(Connection().receive(ping)) == [Pinged(ping)]


def test_a_stream_may_be_given_up():
    assert list(Connection().receive(frame(RST_STREAM, struct.pack(">II", 5, 6)))) == [Reset(5)]
    assert Connection.reset(5) == frame(RST_STREAM, struct.pack(">II", 5, 6))


@pytest.mark.parametrize(
    "nonsense", [b"\x80\x02" + b"\x00" * 6, frame(SYN_STREAM, b"\x00" * 10 + b"junk"), frame(1, b"")]
)
def test_what_is_no_spdy_is_an_error(nonsense):
    with pytest.raises(SpdyError):
        list(Connection().receive(nonsense))


frames = st.lists(st.tuples(st.integers(1, 100), st.binary(max_size=50), st.booleans()), max_size=8)


@given(frames, st.data())
def test_it_does_not_matter_where_the_bytes_are_cut(frames, data):
    sent = b"".join(Connection.data(stream, chunk, ended=ended) for stream, chunk, ended in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=6)))
    connection, found = Connection(), []
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        found += connection.receive(sent[start:end])
    assert found == [Received(*each) for each in frames]
