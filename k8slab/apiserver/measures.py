"""What the API server counts, and its page `/metrics`.

A request costs two additions: one to its counter, one to its histogram. What is stored and what is watched is counted when
somebody asks. The other parts of a cluster add what they have (`sources`): like k3s, whose parts are one process, this server
shows the metrics of all of them on one page.

Models: k8s.io/apiserver/pkg/endpoints/metrics/metrics.go, pkg/storage/etcd3/metrics/metrics.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from k8slab.apimachinery.rest import Request, Response
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.version import GIT_VERSION, MAJOR, MINOR
from k8slab.etcd.store import StoreError
from k8slab.metrics import CONTENT_TYPE, Family, Histogram, Labels, page

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

DURATIONS = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
)  # fmt: skip
"""Seconds, as upstream's buckets."""
VERBS = {"create": "POST", "update": "PUT", "patch": "PATCH"}
APPLY = "application/apply-patch"
SHOWN_PATHS = ("/healthz", "/livez", "/readyz", "/metrics")
"""Paths that are no resources, and are told apart."""
UNKNOWN_COUNT = -1
"""The number of objects while etcd is away, as upstream's."""

Kind = tuple[str, str, str, str, str, str, str]
"""(verb, dry run, group, version, resource, subresource, scope): what a request was."""
NAMES = ("verb", "dry_run", "group", "version", "resource", "subresource", "scope")
Source = Callable[[], Iterable[Family]]


class Measures:
    """The numbers of one API server."""

    def __init__(self) -> None:
        self._requests: dict[tuple[Kind, int], int] = {}
        self._durations: dict[Kind, Histogram] = {}
        self.sources: list[Source] = []
        """Who else has numbers."""

    def count(self, request: Request, info: RequestInfo, response: Response, seconds: float) -> None:
        """A request was answered."""
        kind = _kind_of(request, info)
        key = kind, response.code
        self._requests[key] = self._requests.get(key, 0) + 1
        if info.verb == "watch":
            return  # how long one stays open says nothing of the server
        durations = self._durations.get(kind)
        if durations is None:
            durations = self._durations[kind] = Histogram(DURATIONS)
        durations.observe(seconds)

    def page(self, server: ApiServer) -> Response:
        """What Prometheus gets."""
        families = [*self._own(server)]
        for source in self.sources:
            families += source()
        return Response(200, body=page(families), content_type=CONTENT_TYPE)

    def _own(self, server: ApiServer) -> Iterator[Family]:
        yield Family(
            "apiserver_request_total", "counter",
            "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, "
            "component, and HTTP response code.",
            [(_labels(kind) | {"code": str(code)}, count) for (kind, code), count in self._requests.items()],
        )  # fmt: skip
        yield Family(
            "apiserver_request_duration_seconds", "histogram",
            "[STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource, "
            "subresource, scope and component.",
            [(_labels(kind), durations) for kind, durations in self._durations.items()],
        )  # fmt: skip
        yield Family(
            "apiserver_storage_objects", "gauge",
            "[STABLE] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value "
            "will be -1.",
            list(_stored(server)),
        )  # fmt: skip
        yield Family(
            "apiserver_longrunning_requests", "gauge",
            "[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope "
            "and component. Not all requests are tracked this way.",
            [(_watch_labels(*what), count) for what, count in server.watches.by_kind().items()],
        )  # fmt: skip
        yield Family(
            "apiserver_watch_events_total", "counter",
            "[ALPHA] Number of events sent in watch clients",
            [
                ({"group": row.group, "version": row.version, "resource": row.plural}, count)
                for row, count in server.watches.sent.items()
            ],
        )  # fmt: skip
        build = {"git_version": GIT_VERSION, "major": MAJOR, "minor": MINOR}
        yield Family(
            "kubernetes_build_info", "gauge",
            "[ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build "
            "date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
            [(build, 1)],
        )  # fmt: skip


def _kind_of(request: Request, info: RequestInfo) -> Kind:
    verb = VERBS.get(info.verb) or info.verb.upper()
    if verb == "PATCH" and request.headers.get("content-type", "").startswith(APPLY):
        verb = "APPLY"
    dry_run = ",".join(request.query["dryRun"]) if "dryRun" in request.query else ""
    if info.is_resource and info.resource is None:
        return verb, dry_run, "", "", "", "", ""  # anybody may ask for anything: each name would stay forever
    if not info.is_resource:
        return verb, dry_run, "", "", "", info.path if info.path in SHOWN_PATHS else "", ""
    scope = "resource" if info.name or info.verb == "create" else "namespace" if info.namespace else "cluster"
    return verb, dry_run, info.group, info.version, info.plural, info.subresource, scope


def _labels(kind: Kind) -> dict[str, str]:
    return dict(zip(NAMES, kind, strict=True)) | {"component": "apiserver"}


def _watch_labels(group: str, version: str, resource: str, scope: str) -> Labels:
    labels = _labels(("WATCH", "", group, version, resource, "", scope))
    del labels["dry_run"]
    return labels


def _stored(server: ApiServer) -> Iterator[tuple[Labels, float]]:
    for row in server.resources.rows:
        if "list" not in row.verbs or row.is_view:
            continue
        try:
            count = server.store.count(row.key_prefix)
        except StoreError:
            count = UNKNOWN_COUNT
        yield {"resource": f"{row.plural}.{row.group}" if row.group else row.plural}, count
