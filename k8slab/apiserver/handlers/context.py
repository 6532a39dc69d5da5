"""What every handler is given: one request, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from k8slab.apimachinery.errors import Cause, Invalid
from k8slab.apimachinery.rest import JsonObject, Request, Response, UserInfo
from k8slab.apimachinery.schema import Definition, definition_for
from k8slab.apiserver.negotiation import answer
from k8slab.apiserver.resources import ResourceInfo
from k8slab.apiserver.routes import RequestInfo
from k8slab.apiserver.strategy import Strategy

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer


DEPRECATED: Mapping[tuple[str, str], str] = {
    ("", "endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}
"""What everybody is told who asks for kinds, by (group, plural), that upstream has replaced."""


@dataclass(slots=True)
class Context:
    """One request for a resource, on its way through a handler."""

    server: ApiServer
    request: Request
    info: RequestInfo
    resource: ResourceInfo
    user: UserInfo
    strategy: Strategy
    warnings: list[str] = field(default_factory=list)

    @property
    def namespace(self) -> str:
        """The namespace asked for; empty for all, and for kinds that live in none."""
        return self.info.namespace if self.resource.namespaced else ""

    @property
    def definition(self) -> Definition | None:
        """The kind's schema."""
        if self.resource.custom is not None:
            return self.resource.custom.definition
        return definition_for(self.resource.group, self.resource.version, self.resource.kind)

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be stored. Raises Invalid for any value but `All`."""
        asked = self.request.query.get("dryRun") or []
        wrong = [value for value in asked if value not in ("All", "")]
        if wrong:
            shown = f'Unsupported value: "{wrong[0]}": supported values: "All"'
            options = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
            kind = options.get(self.info.verb, "DeleteOptions")
            raise Invalid.object(kind, "meta.k8s.io", "", [Cause("dryRun", "FieldValueNotSupported", shown)])
        return bool(asked)

    @property
    def validation(self) -> str:
        """How unknown fields are taken: Strict, Warn, Ignore. In process nobody reads warnings."""
        return self.request.param("fieldValidation", "Warn")

    def path_fits(self) -> bool:
        """Whether the path has what the verb needs: a name, or none, and a namespace where the kind lives in one."""
        if self.info.verb in ("create", "list", "deletecollection"):
            named = bool(self.info.name)
            return not named and (self.info.verb == "list" or bool(self.namespace) or not self.resource.namespaced)
        return self.info.verb == "watch" or (
            bool(self.info.name) and (bool(self.namespace) or not self.resource.namespaced)
        )

    def answer(self, obj: JsonObject, code: int = 200) -> Response:
        """An object in the form that the client asked for."""
        response = answer(self.request, self.resource, obj, self.server.clock.now(), code)
        custom = self.resource.custom
        deprecated = custom.warning if custom else DEPRECATED.get(self.resource.group_plural, "")
        if warnings := [*filter(None, (deprecated,)), *self.warnings]:
            response.headers["Warning"] = ", ".join(_warning(text) for text in warnings)
        return response


def _warning(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{escaped}"'
