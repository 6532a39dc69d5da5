"""Who may look: the rules of the dashboard, without a socket.

The page's address holds a token, behind the `#`: a browser sends that part to nobody, so it stands in no log and in no
Referer. The page keeps it for its own tab and shows it with each request. It is no cookie, because cookies do not know
ports: a browser sends those of 127.0.0.1 to every other server on this machine.

What comes without the token is refused (401); what comes for another host is misdirected (421), for a name that an attacker
points at 127.0.0.1 is how a foreign page would get in (DNS rebinding); a line that a foreign page opens is forbidden (403).
Not promised: to keep out who can read this user's files and processes. A browser that is opened gets the address as an
argument.

Models: jupyter_server's token and `allow_host`; Kubernetes' bearer token as a WebSocket subprotocol.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from k8slab.names import unlike_any_other

NAMES = ("127.0.0.1", "localhost")
PROTOCOL = "k8slab.dashboard.v1"
"""What the line speaks; the page offers it, and the token after `BEARER` as another one: a WebSocket carries no headers."""
BEARER = "k8slab.bearer."

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    # Nothing from elsewhere, nothing inline. Style attributes are how the widgets colour their drawings; they load nothing.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What goes with every answer."""


class Refused(Exception):
    """A request that is not answered: `code`, and why in a sentence."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass
class Guard:
    """The rules of one dashboard."""

    token: str = field(default_factory=lambda: unlike_any_other(32), repr=False)
    ports: set[int] = field(default_factory=set)
    """Where the dashboard listens."""

    def check_host(self, host: str) -> None:
        """Raises Refused unless a Host header names this server."""
        if host not in self._hosts():
            raise Refused(421, "This is a k8slab dashboard, and it answers at 127.0.0.1 and localhost only.")

    def check_token(self, headers: Mapping[str, str]) -> None:
        """Raises Refused unless the Authorization header holds the token."""
        scheme, _, shown = headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not self._is_token(shown):
            raise Refused(401, "The token is missing, or is not this dashboard's.")

    def check_line(self, headers: Mapping[str, str]) -> None:
        """Raises Refused unless a WebSocket is opened by this server's own page, with the token."""
        if headers.get("Origin") not in {f"http://{host}" for host in self._hosts()}:
            raise Refused(403, "Only the dashboard's own page may open this line.")
        offered = [each.strip() for each in headers.get("Sec-WebSocket-Protocol", "").split(",")]
        if not any(self._is_token(each.removeprefix(BEARER)) for each in offered if each.startswith(BEARER)):
            raise Refused(401, "The token is missing, or is not this dashboard's.")

    def _hosts(self) -> set[str]:
        return {f"{name}:{port}" for name in NAMES for port in self.ports}

    def _is_token(self, shown: str) -> bool:
        return hmac.compare_digest(shown.encode(), self.token.encode())
