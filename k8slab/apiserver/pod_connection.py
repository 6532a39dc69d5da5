"""How the API server reaches what listens in a Pod: for the proxy, the only calls that go from the control plane to a Pod.

`cri/dial.py` implements this; neither side imports the other. Whoever puts the cluster together gives the API server a
`Dial`: a call on the simulated network, or a connection to the Pod's address.

A connection takes real time, and a server that waited for a Pod would keep everybody else waiting. So a dial says whether
it `waits`; if it does, the API server answers with a `Pending`, and who sends answers has it done on a thread of its own.

Models: pkg/registry/core/pod/strategy.go (ResourceLocation: the transport), k8s.io/apimachinery/pkg/util/proxy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from k8slab.apimachinery.rest import Response


class Dial(Protocol):
    """Asks a Pod, over HTTP."""

    @property
    def waits(self) -> bool:
        """Whether the answer takes real time. If not, it is there when the call returns, and the world has moved on."""
        ...

    def __call__(
        self, ip: str, port: int, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        """The Pod's answer, whatever its code, with its headers. `target` is path and query, percent-encoded.

        Raises OSError with Go's words where there is none: `dial tcp 10.244.0.5:8080: connect: connection refused`.
        """
        ...


class _Nobody:
    waits = False

    def __call__(
        self, ip: str, port: int, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        raise ConnectionRefusedError(f"dial tcp {ip}:{port}: connect: connection refused")


nobody_answers: Dial = _Nobody()
"""The dial of a server without Pods."""
