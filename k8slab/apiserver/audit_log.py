"""The audit log: for each request, who asked what, as whom, why they might, and what came of it.

How much is told depends on a policy, a list of rules of which the first that fits decides: nothing, who and what (Metadata),
what was sent too (Request), or what was answered as well (RequestResponse). Whatever a policy says, of Secrets, ConfigMaps
and tokens no more than Metadata is told, and no header ever.

It costs nothing where nobody has asked for it. A watch, a followed log and a session are told of when they begin.

Models: k8s.io/apiserver/pkg/audit (request.go, policy/checker.go), pkg/apis/audit/v1 (Event, Policy).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from k8slab.apimachinery.rest import JsonObject, Request, Response, UserInfo, copy_of
from k8slab.apiserver.authorization import Decision
from k8slab.apiserver.routes import RequestInfo

LEFT_OUT = (
    "Of a request one event is told, when it is answered or a stream begins: the stages RequestReceived and Panic are left out.",
    "Events go to memory and to one file: there is no webhook, no rotation, and a policy is given in Python.",
)

LEVELS = ("None", "Metadata", "Request", "RequestResponse")
NONE, METADATA, REQUEST, REQUEST_RESPONSE = range(4)
KEPT = 10_000
"""Events that are kept in memory."""
SECRETIVE = frozenset({("", "secrets", ""), ("", "configmaps", ""), ("", "serviceaccounts", "token"),
                       ("authentication.k8s.io", "tokenreviews", "")})  # fmt: skip
"""(group, plural, subresource) of what may hold secrets: bodies are never told of."""
WRITES = ("create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True)
class Rule:
    """One rule of a policy: what it says of requests that fit all that it names. Empty: any."""

    level: str
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    """`pods`, `pods/log`, `deployments.apps`."""
    namespaces: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """Paths that are no resources; `*` at the end stands for any rest."""

    def fits(self, user: UserInfo | None, info: RequestInfo) -> bool:
        """Whether this rule decides about a request."""
        if self.users and (user is None or user.name not in self.users):
            return False
        if self.groups and (user is None or not set(self.groups) & set(user.groups)):
            return False
        if self.verbs and info.verb not in self.verbs:
            return False
        if self.paths:
            return not info.is_resource and any(_path_fits(each, info.path) for each in self.paths)
        if self.namespaces and info.namespace not in self.namespaces:
            return False
        return not self.resources or (info.is_resource and _resource(info) in self.resources)


DEFAULT_POLICY = (
    Rule("None", paths=("/healthz*", "/livez*", "/readyz*", "/version", "/openapi*", "/api", "/api/*", "/apis*")),
    Rule("None", resources=("events", "events.events.k8s.io")),
    Rule("None", groups=("system:nodes",), resources=("leases.coordination.k8s.io", "nodes/status")),
    Rule("None", groups=("system:nodes", "system:serviceaccounts:kube-system"), verbs=("get", "list", "watch")),
    Rule("None", users=("system:kube-scheduler", "system:kube-controller-manager"), verbs=("get", "list", "watch")),
    Rule("Request", verbs=WRITES),
    Rule("Metadata"),
)
"""What people do is told, and what the cluster's parts write; what these read, heartbeats and events are left out."""


@dataclass(slots=True)
class Trail:
    """One request on its way through the server."""

    received: float
    level: int = METADATA
    user: UserInfo | None = None
    acting: UserInfo | None = None
    """As whom it was made, if as somebody else."""
    decision: Decision | None = None
    body: Any = None


class AuditLog:
    """Events, newest last, in `events` and, if there is a `path`, as JSON lines in a file that its user alone can read."""

    def __init__(self, policy: Sequence[Rule] = DEFAULT_POLICY, path: Path | None = None) -> None:
        self.events: deque[JsonObject] = deque(maxlen=KEPT)
        self._policy = tuple(policy)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if path is not None else None

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def know(self, trail: Trail, info: RequestInfo, who: UserInfo, acting: UserInfo) -> None:
        """Who asks, and as whom, has been found out: so it can be said how much will be told."""
        trail.user, trail.acting = who, acting if acting is not who else None
        trail.level = self._level(acting, info)

    def allow(self, trail: Trail, request: Request, decision: Decision) -> None:
        """It is allowed, and will be done: what was sent must be kept now, for the server will change it."""
        trail.decision = decision
        if trail.level >= REQUEST and request.body:
            trail.body = _readable(request)

    def complete(
        self, trail: Trail, request: Request, info: RequestInfo, response: Response, now: float, id: str
    ) -> None:
        """It is answered."""
        if trail.user is None:
            trail.level = self._level(None, info)
        if trail.level == NONE:
            return
        opened = response.watch is not None or response.stream is not None
        event: JsonObject = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": LEVELS[trail.level],
            "auditID": id,
            "stage": "ResponseStarted" if opened else "ResponseComplete",
            "requestURI": request.path + (f"?{urlencode(request.query, doseq=True)}" if request.query else ""),
            "verb": info.verb,
            "user": _user(trail.user),
        }
        if trail.acting is not None:
            event["impersonatedUser"] = _user(trail.acting)
        event |= {"sourceIPs": ["127.0.0.1"], "userAgent": request.headers.get("user-agent", "")}
        if info.is_resource:
            event["objectRef"] = _reference(info, response)
        event["responseStatus"] = _status(response, secretive=_is_secretive(info))
        if trail.body is not None:
            event["requestObject"] = trail.body
        if trail.level >= REQUEST_RESPONSE and response.object is not None:
            event["responseObject"] = copy_of(response.object)
        event |= {"requestReceivedTimestamp": _micros(trail.received), "stageTimestamp": _micros(now)}
        if annotations := _annotations(trail, response):
            event["annotations"] = annotations
        self._add(event)

    def _level(self, user: UserInfo | None, info: RequestInfo) -> int:
        level = next((LEVELS.index(rule.level) for rule in self._policy if rule.fits(user, info)), NONE)
        return min(level, METADATA) if _is_secretive(info) else level

    def _add(self, event: JsonObject) -> None:
        self.events.append(event)
        if self._file is not None:
            os.write(self._file, orjson.dumps(event) + b"\n")


def _resource(info: RequestInfo) -> str:
    plural = f"{info.plural}.{info.group}" if info.group else info.plural
    return f"{plural}/{info.subresource}" if info.subresource else plural


def _path_fits(wanted: str, path: str) -> bool:
    return path.startswith(wanted[:-1]) if wanted.endswith("*") else path == wanted


def _readable(request: Request) -> Any:
    """What was sent, if it is an object; None for what cannot be read."""
    from k8slab.apimachinery import protobuf  # imported here: only kubectl's bodies need it

    body = request.body
    if not isinstance(body, bytes):
        return copy_of(body)
    try:
        if protobuf.MEDIA_TYPE in request.headers.get("content-type", ""):
            return protobuf.decode(body)
        return orjson.loads(body)
    except ValueError:
        return None


def _user(user: UserInfo | None) -> JsonObject:
    if user is None:
        return {}
    extra = {key: list(values) for key, values in user.extra.items()}
    found = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": extra}
    return {key: value for key, value in found.items() if value}


def _reference(info: RequestInfo, response: Response) -> JsonObject:
    answered = (response.object or {}).get("metadata") or {} if response.code < 300 else {}
    found = {
        "resource": info.plural,
        "namespace": info.namespace,
        "name": info.name or answered.get("name", ""),
        "uid": answered.get("uid", ""),
        "apiGroup": info.group,
        "apiVersion": info.version,
        "resourceVersion": answered.get("resourceVersion", ""),
        "subresource": info.subresource,
    }
    return {key: value for key, value in found.items() if value}


def _is_secretive(info: RequestInfo) -> bool:
    return (info.group, info.plural, info.subresource) in SECRETIVE


def _status(response: Response, secretive: bool) -> JsonObject:
    """How it ended. What is wrong with a Secret may quote from it: then only the reason is told."""
    found: JsonObject = {"metadata": {}}
    obj = response.object or {}
    if response.code >= 400 and obj.get("kind") == "Status":
        told = (
            ("status", "reason") if secretive and response.code != 403 else ("status", "message", "reason", "details")
        )
        found |= {key: obj[key] for key in told if key in obj}
    return found | {"code": response.code}


def _annotations(trail: Trail, response: Response) -> JsonObject:
    if trail.decision is not None:
        return {
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason": trail.decision.reason,
        }
    if trail.user is not None and response.code == 403:
        return {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": ""}
    return {}


def _micros(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
