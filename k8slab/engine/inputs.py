"""Everything that reaches a stepped cluster from outside, as data.

A cluster's history is a function of its seed and of these: the requests of people and programs, the moves of the clock that
somebody asked for, the faults. Each is a small object that can be applied to an engine; a journal of them, applied to a new
engine at the same places, gives the same history.

k8slab's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import orjson

from k8slab.apimachinery.rest import Request, Response, UserInfo
from k8slab.clock import EPOCH

if TYPE_CHECKING:
    from k8slab.engine.engine import Engine


class Input(Protocol):
    """Something from outside."""

    kind: ClassVar[str]
    """Its name in a saved story."""

    def apply(self, engine: Engine) -> Any:
        """Let it happen; what the engine answers."""
        ...

    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to the API server that may change something."""

    kind: ClassVar[str] = "asked"
    method: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    user: UserInfo | None = None

    @classmethod
    def of(cls, request: Request) -> Asked:
        """The request, without what only matters to its connection."""
        headers = {name: text for name, text in request.headers.items() if name.startswith(KEPT_HEADERS)}
        # Encoded, because the server makes an object that it is given its own.
        body = request.body if isinstance(request.body, bytes) else orjson.dumps(request.body)
        return cls(request.method, request.path, request.query, headers, body, request.user)

    def apply(self, engine: Engine) -> Response:
        """The server's answer."""
        return engine.serve(Request(self.method, self.path, self.query, self.headers, self.body, self.user))

    @property
    def only_looks(self) -> bool:
        """Whether whoever asked wanted to see something, and not to change it."""
        return self.method == "GET" and self.path.endswith("/log")

    def __str__(self) -> str:
        agent = self.headers.get("user-agent", "").partition("/")[0]
        return f"{self.method} {self.path}" + (f" by {agent}" if agent else "")


KEPT_HEADERS = ("accept", "content-type", "user-agent", "impersonate-")
"""Beginnings of names. What authenticates, such as a token, is never kept: `user` says whose it was."""

READS = ("GET", "HEAD", "OPTIONS")
TOUCHING = ("/exec", "/attach", "/log", "/portforward", "/proxy")
"""What reaches into a container, and may change something there, even where the method only reads."""
QUESTIONS = ("/apis/authentication.k8s.io/", "/apis/authorization.k8s.io/")
"""What is only asked, even where the method is POST; and what may hold a token, which belongs into no journal."""


def only_asks(request: Request) -> bool:
    """Whether a request changes nothing, so that it is no input."""
    if request.method in READS:
        return not any(part in request.path for part in TOUCHING)
    path = request.path
    for_a_token = path.endswith("/token") and "/serviceaccounts/" in path
    return request.method == "POST" and (path.startswith(QUESTIONS) or for_a_token)


@dataclass(frozen=True, slots=True)
class Typed:
    """Something was written to a stream that a request opened: to a command's standard input, or its terminal's size."""

    kind: ClassVar[str] = "typed"
    stream: int
    channel: int
    data: bytes = field(repr=False)
    """Of channel 0 (stdin) or 4 (resize)."""

    def apply(self, engine: Engine) -> None:
        """Write it."""
        engine.streams[self.stream].send(self.channel, self.data)

    def __str__(self) -> str:
        return f"{len(self.data)} bytes to stream {self.stream}"


@dataclass(frozen=True, slots=True)
class Ended:
    """No more will be written to a stream; or, if `hung_up`, nobody listens to it any more either."""

    kind: ClassVar[str] = "ended"
    stream: int
    hung_up: bool

    def apply(self, engine: Engine) -> None:
        """Close it, or only its input."""
        stream = engine.streams[self.stream]
        if self.hung_up:
            stream.close()
        else:
            stream.close_stdin()

    def __str__(self) -> str:
        return f"{'hung up' if self.hung_up else 'end of input'} on stream {self.stream}"


@dataclass(frozen=True, slots=True)
class Passed:
    """Time passed: the clock moved to a moment, because somebody waited."""

    kind: ClassVar[str] = "passed"
    to: float
    """Seconds since the Unix epoch."""

    def apply(self, engine: Engine) -> None:
        """Move the clock. Who is due works in the turns that follow."""
        engine.move_clock(self.to)

    def __str__(self) -> str:
        return f"time passes to +{self.to - EPOCH:.1f}s"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of `faults/table.py` begins, or ends, or happens."""

    kind: ClassVar[str] = "fault"
    name: str
    arguments: Mapping[str, Any]
    ends: bool = False

    def apply(self, engine: Engine) -> None:
        """Let it begin or end. Raises ValueError for what there is not."""
        engine.fault(self.name, self.arguments, ends=self.ends)

    def __str__(self) -> str:
        told = " ".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.name} {told}".strip() + (" ends" if self.ends else "")


INPUTS: Mapping[str, type[Input]] = {each.kind: each for each in (Asked, Typed, Ended, Passed, Fault)}
"""By the name that a saved story has for them."""
