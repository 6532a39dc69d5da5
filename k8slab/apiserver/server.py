"""The API server: the one way to what etcd holds.

Every request goes down the same chain:

    authenticate -> impersonate -> authorize -> route -> decode -> default -> admit -> validate -> store -> encode

Each step is a file of its own; each verb is a file in `handlers/`. Whatever goes wrong on the way is an `ApiError`, and
leaves the server as a Status object: `handle` never raises.

Models: k8s.io/apiserver/pkg/server/config.go (DefaultBuildHandlerChain), pkg/endpoints/installer.go.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress

from k8slab.apimachinery.errors import ApiError, BadRequest, InternalError, MethodNotAllowed, NotFound, Timeout
from k8slab.apimachinery.rest import Pending, Request, Response, UserInfo
from k8slab.apiserver import discovery
from k8slab.apiserver.admission import Admission
from k8slab.apiserver.audit import AuditRecord
from k8slab.apiserver.audit_log import AuditLog, Trail
from k8slab.apiserver.authentication import Authenticator
from k8slab.apiserver.authorization import Authorizer
from k8slab.apiserver.authorization.escalation import Escalation
from k8slab.apiserver.custom.served import ServedResources
from k8slab.apiserver.encoding import written
from k8slab.apiserver.handlers import create, delete, delete_collection, get, list, patch, reviews, update, watch
from k8slab.apiserver.handlers.context import Context
from k8slab.apiserver.impersonation import impersonated
from k8slab.apiserver.kubelet_connection import FindKubelet
from k8slab.apiserver.measures import Measures
from k8slab.apiserver.pod_connection import Dial, nobody_answers
from k8slab.apiserver.registry import Registry
from k8slab.apiserver.resources import ResourceTable
from k8slab.apiserver.routes import RequestInfo, request_info
from k8slab.apiserver.service_ip import ServiceIPs
from k8slab.apiserver.strategies import strategy_of
from k8slab.apiserver.subresources import SUBRESOURCES, subresource_of
from k8slab.apiserver.tokens import TokenKey
from k8slab.apiserver.watches import WatchHub
from k8slab.clock import Clock
from k8slab.etcd.store import Store, StoreUnavailable
from k8slab.names import Chance

LEFT_OUT = (
    "Priority and fairness is left out: requests are answered one at a time, in the order in which they come.",
    "The API server takes out no identity lease.",
)

log = logging.getLogger(__name__)

Handler = Callable[[Context], Response]

HANDLERS: Mapping[str, Handler] = {
    "create": create.handle,
    "get": get.handle,
    "list": list.handle,
    "watch": watch.handle,
    "update": update.handle,
    "patch": patch.handle,
    "delete": delete.handle,
    "deletecollection": delete_collection.handle,
}
GENERIC_SUBRESOURCES = ("status", "finalize", "approval", "ephemeralcontainers")
"""Parts of an object that are read and written like the object itself."""
SELECTING = ("list", "watch", "deletecollection")
"""Verbs that may be allowed for some objects only: those that a field selector chooses."""
NO_NAMES = (".", "..")
"""What a path cannot name: in etcd's keys they would lead elsewhere."""
AUDIT_SIZE = 100_000
AUDIT_ID = "audit-id"


class ApiServer:
    """Answers requests. Thread-safe: one request at a time."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        chance: Chance,
        *,
        find_kubelet: FindKubelet = lambda node: None,
        dial: Dial = nobody_answers,
        service_cidr: str = "10.96.0.0/12",
        token_key: TokenKey | None = None,
    ) -> None:
        self.store, self.clock, self.chance = store, clock, chance
        self.find_kubelet = find_kubelet
        self.dial = dial
        """How a Pod is asked, for the proxy."""
        self.service_draws = chance.stream("service-proxy")
        """Which Pod of a Service is asked: a stream of its own, so that asking changes nothing else."""
        self.registry = Registry(store, clock, chance)
        self.authenticator = Authenticator(self.registry, clock, token_key or TokenKey())
        self.authorizer = Authorizer(self.registry)
        self.admission = Admission(self.registry, clock, chance, Escalation(self.authorizer))
        self.service_ips = ServiceIPs(self.registry, chance, service_cidr)
        self._lock = threading.RLock()
        self.watches = WatchHub(self.registry, clock, self._lock)
        self._served = ServedResources(self.registry)
        self.audit: deque[AuditRecord] = deque(maxlen=AUDIT_SIZE)
        """The writes that were accepted, newest last."""
        self.measures = Measures()
        self.observers: dict[str, Callable[[AuditRecord], None]] = {}
        """Instruments, by name: each is called after every request."""
        self.audit_log: AuditLog | None = None
        """Where requests are told of as upstream does; None: nowhere."""

    @property
    def resources(self) -> ResourceTable:
        """What is served: built-in kinds, and those that CustomResourceDefinitions define."""
        return self._served.table

    def handle(self, request: Request) -> Response:
        """The answer to a request, errors included. Never raises."""
        with self._lock:
            began = self.clock.now()
            try:
                info = request_info(request, self.resources)
            except StoreUnavailable as fault:
                return _store_is_away(fault)
            user = request.user
            before = self.store.revision
            trail = Trail(self.clock.now()) if self.audit_log is not None else None
            try:
                who = self.authenticator.authenticate(request)
                user = impersonated(who, request.headers, self.authorizer)
                if trail is not None and self.audit_log is not None:
                    self.audit_log.know(trail, info, who, user)
                fields = request.param("fieldSelector") if info.verb in SELECTING else ""
                decision = self.authorizer.authorize(user, info, fields)
                if trail is not None and self.audit_log is not None:
                    self.audit_log.allow(trail, request, decision)
                request.user = user
                response = self._dispatch(request, info, user)
            except ApiError as error:
                response = Response(error.status["code"], object=error.status)
            except StoreUnavailable as fault:
                response = _store_is_away(fault)
            except Exception as fault:
                log.exception("%s %s failed", request.method, request.path)
                status = InternalError(f"Internal error occurred: {type(fault).__name__}: {fault}").status
                response = Response(500, object=status)
            if self._served.stale:
                with suppress(StoreUnavailable):
                    self.watches.close_stale(self._served.table)
            if not isinstance(response, Pending):
                self.measures.count(request, info, response, self.clock.now() - began)
            self._record(request, info, user, response, before)
            if trail is not None and self.audit_log is not None:
                self.audit_log.complete(trail, request, info, response, self.clock.now(), self._audit_id(request))
            # What a Pod or a kubelet answers goes through as it is.
            return written(request, response) if request.on_wire and info.subresource != "proxy" else response

    def _audit_id(self, request: Request) -> str:
        """What names a request in the audit log: the front door has given it a name, and answers with it."""
        name = (self.store.revision, self.clock.now(), request.method, request.path)
        return request.headers.get(AUDIT_ID) or self.chance.uid("audit", name)

    def _dispatch(self, request: Request, info: RequestInfo, user: UserInfo) -> Response:
        if not info.is_resource:
            return discovery.serve(self, request)
        resource = info.resource
        if resource is None:
            raise NotFound.path()
        if info.name in NO_NAMES or "%" in info.name:
            why = "may not contain '%'" if "%" in info.name else f"may not be '{info.name}'"
            raise BadRequest(f'Name parameter invalid: "{info.name}": {why}')
        context = Context(self, request, info, resource, user, strategy_of(resource))
        if info.plural in reviews.REVIEWS and info.group in reviews.GROUPS:
            return reviews.handle(context)
        if info.subresource and info.subresource not in GENERIC_SUBRESOURCES:
            special = subresource_of(resource, info.subresource)
            if special is None:
                raise NotFound.path()
            return special(self, info, request)
        if info.subresource and info.subresource not in resource.subresources:
            raise NotFound.path()
        if info.verb == "create" and (info.group, info.plural, "") in SUBRESOURCES:
            return SUBRESOURCES[info.group, info.plural, ""](self, info, request)
        handler = HANDLERS.get(info.verb)
        allowed = ("get", "update", "patch") if info.subresource else resource.verbs
        if handler is None or info.verb not in allowed or not context.path_fits():
            raise MethodNotAllowed.verb()
        if resource.custom is not None and resource.custom.terminating and info.verb == "create":
            raise MethodNotAllowed("create not allowed while custom resource definition is terminating")
        return handler(context)

    def _record(
        self, request: Request, info: RequestInfo, user: UserInfo | None, response: Response, before: int
    ) -> None:  # fmt: skip
        revision = self.store.revision
        wrote = revision != before and request.method != "GET"
        if not wrote and not self.observers:
            return
        name = info.name
        if not name and info.verb == "create" and response.object is not None:
            name = (response.object.get("metadata") or {}).get("name", "")
        record = AuditRecord(
            time=self.clock.now(),
            user=user.name if user else "",
            user_agent=request.headers.get("user-agent", ""),
            verb=info.verb,
            path=info.path,
            group=info.group,
            plural=info.plural,
            namespace=info.namespace,
            name=name,
            subresource=info.subresource,
            code=response.code,
            revision=revision if wrote else 0,
            dry_run="dryRun" in request.query,
            read=before,
        )
        if wrote:
            self.audit.append(record)
        for observe in self.observers.values():
            observe(record)


def _store_is_away(fault: StoreUnavailable) -> Response:
    """The answer when etcd cannot be asked: its client's words, as they are; or that no answer came in time."""
    if fault.timed_out:
        error: ApiError = Timeout(f"Timeout: request did not complete within requested timeout - {fault}")
    else:
        error = ApiError(str(fault), reason="")
    return Response(error.status["code"], object=error.status)
