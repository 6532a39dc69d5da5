"""SPDY/3.1, as far as kubectl's port-forward speaks it: many streams over one connection. No sockets here: bytes in, bytes out.

A connection is a row of frames. A control frame opens a stream (SYN_STREAM, answered by SYN_REPLY), resets it, asks for a sign
of life; a data frame carries bytes of one stream, and the last one has the flag FIN. The names and values of a stream's headers
are compressed, all headers of one direction in one go, with a dictionary that both sides know.

Nobody counts bytes against a window here: neither does the library that kubectl uses.

Models: SPDY Protocol Draft 3.1 (chromium.org), github.com/moby/spdystream.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 0x01
CONTROL = 0x8000
REFUSED, INTERNAL = 3, 6
"""Why a stream is reset."""
HEAD = 8
"""Bytes in front of each frame: what it is, a flag, and the length of the rest."""

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length content-location "
    "content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match "
    "if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range "
    "referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get "
    "status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin"
)
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal "
    "Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, "
    "Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,"
    "text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = (
    b"".join(len(word).to_bytes(4, "big") + word.replace("_", " ").encode() for word in _WORDS.split()) + _REST.encode()
)
"""What headers often say, so that they take few bytes: draft 3, section 2.6.10.1."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The other side has opened a stream."""

    stream: int
    headers: Mapping[str, str]
    ended: bool
    """Whether it will send nothing on it."""


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes of a stream have come."""

    stream: int
    data: bytes
    ended: bool


@dataclass(frozen=True, slots=True)
class Reset:
    """The other side has given a stream up."""

    stream: int


@dataclass(frozen=True, slots=True)
class Pinged:
    """The other side wants a sign of life: send it back."""

    frame: bytes


Event = Opened | Received | Reset | Pinged


class SpdyError(Exception):
    """What came is no SPDY."""


@dataclass(slots=True)
class Connection:
    """One side of a connection, the server's."""

    _received: bytes = b""
    _inflate: zlib._Decompress = field(default_factory=lambda: zlib.decompressobj(zdict=DICTIONARY))
    _deflate: zlib._Compress = field(default_factory=lambda: zlib.compressobj(zdict=DICTIONARY))

    def receive(self, data: bytes) -> Iterator[Event]:
        """What the bytes mean. Raises SpdyError."""
        self._received += data
        while len(self._received) >= HEAD:
            first, flags_and_length = struct.unpack(">II", self._received[:HEAD])
            flags, length = flags_and_length >> 24, flags_and_length & 0xFFFFFF
            if len(self._received) < HEAD + length:
                return
            payload = self._received[HEAD : HEAD + length]
            self._received = self._received[HEAD + length :]
            if first >> 16 & CONTROL:
                yield from self._control(first, flags, payload)
            else:
                yield Received(first, payload, bool(flags & FIN))

    def _control(self, first: int, flags: int, payload: bytes) -> Iterator[Event]:
        if first >> 16 != CONTROL | VERSION:
            raise SpdyError(f"version {first >> 16 & 0x7FFF} of SPDY, not {VERSION}")
        kind = first & 0xFFFF
        if kind == SYN_STREAM:
            yield Opened(_stream(payload), self._headers(payload[10:]), bool(flags & FIN))
        elif kind == RST_STREAM:
            yield Reset(_stream(payload))
        elif kind == PING:
            yield Pinged(_control(PING, 0, payload))
        elif kind in (SYN_REPLY, HEADERS):
            self._headers(payload[4:])  # read all the same: later headers are compressed after these

    def _headers(self, packed: bytes) -> dict[str, str]:
        try:
            block = self._inflate.decompress(packed)
            texts = list(_texts(block))
        except (zlib.error, struct.error, UnicodeDecodeError) as error:
            raise SpdyError(f"headers that cannot be read: {error}") from None
        return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=True)}

    def accept(self, stream: int) -> bytes:
        """The answer to a stream that was opened."""
        block = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _control(SYN_REPLY, 0, struct.pack(">I", stream) + block)

    @staticmethod
    def data(stream: int, data: bytes, *, ended: bool = False) -> bytes:
        """Bytes for a stream."""
        return struct.pack(">II", stream, (FIN if ended else 0) << 24 | len(data)) + data

    @staticmethod
    def reset(stream: int, why: int = INTERNAL) -> bytes:
        """Give a stream up."""
        return _control(RST_STREAM, 0, struct.pack(">II", stream, why))


def _control(kind: int, flags: int, payload: bytes) -> bytes:
    return struct.pack(">HHI", CONTROL | VERSION, kind, flags << 24 | len(payload)) + payload


def _stream(payload: bytes) -> int:
    if len(payload) < 4:
        raise SpdyError("a frame that names no stream")
    return int.from_bytes(payload[:4], "big") & 0x7FFFFFFF


def _texts(block: bytes) -> Iterator[str]:
    """Names and values in turn."""
    (count,) = struct.unpack_from(">I", block)
    place = 4
    for _ in range(2 * count):
        (length,) = struct.unpack_from(">I", block, place)
        place += 4
        yield block[place : place + length].decode()
        place += length
