"""What was asked of the server, by whom, and what came of it.

Models: k8s.io/apiserver/pkg/audit; the level is Metadata: bodies, which may hold secrets, are never recorded.
"""

from __future__ import annotations

from dataclasses import dataclass

LEFT_OUT = ("Of a stream only its start is recorded.",)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One request."""

    time: float
    """Seconds since the epoch, on the cluster's clock."""
    user: str
    user_agent: str
    verb: str
    path: str
    group: str
    plural: str
    namespace: str
    name: str
    subresource: str
    code: int
    revision: int
    """The revision that the request wrote; 0 if it wrote nothing."""
    dry_run: bool = False
    read: int = 0
    """The newest revision when the request was made."""
