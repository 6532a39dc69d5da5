"""Asking a Pod over HTTP from outside the cluster's network: what the API server's proxy does.

A `Dialer` is one of two ways, of one shape. `dial_simulated`, here, makes a call on the simulated network: it is answered
at once, in virtual time. `dial_directly`, in `direct_dial.py`, opens a connection to the Pod's address.

Errors are OSErrors in Go's words, because the API server's answer quotes them.

k8slab's own; what it stands for is the transport of pkg/registry/core/pod/strategy.go (ResourceLocation).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from k8slab.apimachinery.rest import Response
from k8slab.cri.network import HttpRequest, SimulatedNetwork

Ask = Callable[[str, int, str, str, Mapping[str, str], bytes], Response]


@dataclass(frozen=True, slots=True)
class Dialer:
    """A way to ask a Pod: (ip, port, method, path and query, headers in lower case, body) -> its answer."""

    ask: Ask
    waits: bool
    """Whether the answer takes real time."""

    def __call__(
        self, ip: str, port: int, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        """The Pod's answer, whatever its code. Raises OSError where there is none."""
        return self.ask(ip, port, method, target, headers, body)


def dial_simulated(network: SimulatedNetwork, afterwards: Callable[[], None] = lambda: None) -> Dialer:
    """Ask the Pods of a simulated network. Their servers look at the path, the query and the user agent; not at a body.

    `afterwards` is called when one has answered: a container may have ended of it, and kubelets should look soon.
    """
    return Dialer(partial(_ask_simulated, network, afterwards), waits=False)


def _ask_simulated(
    network: SimulatedNetwork, afterwards: Callable[[], None],
    ip: str, port: int, method: str, target: str, headers: Mapping[str, str], body: bytes,
) -> Response:  # fmt: skip
    # What comes from a Pod's own node comes from the bridge's address.
    source = ip.rpartition(".")[0] + ".1"
    reply = network.request(ip, port, HttpRequest(method, target, source, headers.get("user-agent", "")))
    afterwards()
    server = {"Server": reply.server} if reply.server else {}
    return Response(reply.status, body=reply.body, content_type=reply.content_type, headers=server)
