"""Requests that only read, and sentences for when no answer comes.

Somebody else's cluster is looked at, never touched: this transport carries GET and nothing else, and no GET that opens a
way into a container. Whatever asks for more is refused here, before anything is sent.

An answer that says no is the caller's to read (`ApiError`). That there is no answer, no trust or no login is the same for
every request, so it is said once, as a ConnectError: what was asked, what was found, what to try. Neither holds credentials.

k8slab's own.
"""

from __future__ import annotations

from k8slab.apimachinery.errors import ApiError, Forbidden, Timeout
from k8slab.apimachinery.rest import Request, Response, Transport

WAYS_IN = frozenset({"exec", "attach", "portforward", "proxy"})
"""Subresources by which even a GET does something."""

TROUBLES = (
    (
        ("hostname mismatch", "ip address mismatch", "doesn't match"),
        "its certificate is for another name than the one in the kubeconfig",
        "use the name that the certificate has, as in the kubeconfig that the cluster's own tool writes",
    ),
    (
        ("certificate has expired", "not yet valid"),
        "its certificate is not valid today",
        "look at this machine's clock; minikube and kubeadm renew certificates (kubeadm certs renew)",
    ),
    (
        ("certificate_verify_failed", "certificate verify failed"),
        "its certificate is not signed by the authority in the kubeconfig",
        "was the cluster made anew? Then write its kubeconfig anew (minikube update-context, kind export kubeconfig)",
    ),
    (
        ("alert", "certificate required"),
        "it does not accept the client certificate in the kubeconfig",
        "write the kubeconfig anew: the certificate may have expired, or belong to another cluster",
    ),
    (
        ("server disconnected", "reset by peer", "broken pipe"),
        "it ended the connection without an answer",
        "is it just starting? Does it know the client certificate in the kubeconfig?",
    ),
    (
        ("wrong_version_number", "record layer failure"),
        "it does not speak TLS on that port",
        "look at the server's address in the kubeconfig: kubectl config view --minify",
    ),
    (
        ("connect call failed", "connection refused", "host unreachable", "no route"),
        "nobody listens there",
        "is the cluster started? (minikube status, kind get clusters, k8slab start)",
    ),
    (
        ("name or service not known", "name resolution", "getaddrinfo", "domain name not found", "nodename"),
        "this machine does not know its name",
        "is the VPN on? Is the server's name in the kubeconfig right?",
    ),
    (
        ("no answer", "timeout", "timed out"),
        "it did not answer in time",
        "is the VPN on? A slow server gets more time with timeout='2m'",
    ),
)
"""(words in the fault, what they mean, what to try), the most particular first."""


class ObservedError(RuntimeError):
    """The cluster does not show what was asked for. Shown as its sentence; it never holds credentials."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class ConnectError(ObservedError):
    """There is no cluster to look at: no kubeconfig that leads to one, no answer, no trust, or no login."""


class NoAnswer(ConnectError):
    """One request took too long. Others may not."""


class ReadOnly:
    """A transport that carries only what reads. Models `Transport`."""

    def __init__(self, carrier: Transport, server: str) -> None:
        self.server = server
        self._carrier = carrier

    def send(self, request: Request) -> Response:
        """The server's answer, errors included, but for 401. Raises ConnectError without one, Forbidden for a write."""
        asked = f"{request.method} {request.path}"
        if request.method != "GET" or WAYS_IN.intersection(request.path.split("/")):
            raise Forbidden(f"{asked} was not sent: k8slab only looks at this cluster")
        try:
            response = self._carrier.send(request)
        except Timeout as error:
            raise NoAnswer(_sentence(self.server, asked, error.message)) from None
        except ApiError as error:
            raise ConnectError(_sentence(self.server, asked, error.message)) from None
        except ValueError:
            # An address or a token that no request can be made of. The fault may quote it, so it is not passed on.
            raise ConnectError(
                f"asked {self.server}: no request can be made of its address or of the login in the kubeconfig; try: "
                "kubectl config view --minify"
            ) from None
        if response.code == 401:
            raise ConnectError(
                f"asked {self.server} for {asked}: it does not know who asks (401 Unauthorized); the token or certificate "
                "in the kubeconfig has expired, or is for another cluster; try: kubectl auth whoami"
            )
        if response.code < 400 and response.object is None and response.watch is None:
            raise ConnectError(
                f"asked {self.server} for {asked}: the answer is no Kubernetes object but {_type(response)}; is there a "
                "proxy or a login page between, or is it another kind of server?"
            )
        return response

    def close(self) -> None:
        """Close connections. Safe to call twice."""
        self._carrier.close()


def _sentence(server: str, asked: str, fault: str) -> str:
    lower = fault.lower()
    for words, means, attempt in TROUBLES:
        if any(word in lower for word in words):
            return f"asked {server} for {asked}: {means} ({fault}); {attempt}"
    return f"asked {server} for {asked}: {fault}; try the same with kubectl get --raw {asked.partition(' ')[2]}"


def _type(response: Response) -> str:
    return response.content_type.partition(";")[0] or "something without a type"
