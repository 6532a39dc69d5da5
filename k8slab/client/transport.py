"""How a client's requests reach a server in the same process: by a function call.

No socket, no thread, no encoding. The other way is `https.py`; to the client they are one.
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.apimachinery.rest import Pending, Request, Response


class InProcess:
    """Hands requests to a server's `handle`."""

    def __init__(self, handle: Callable[[Request], Response]) -> None:
        self._handle = handle

    def send(self, request: Request) -> Response:
        """The server's answer, errors included."""
        response = self._handle(request)
        return response.wait() if isinstance(response, Pending) else response

    def close(self) -> None:
        """There is nothing to close."""
