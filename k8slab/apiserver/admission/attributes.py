"""One write, as the plugins see it. Models: k8s.io/apiserver/pkg/admission/attributes.go, errors.go."""

from __future__ import annotations

from dataclasses import dataclass

from k8slab.apimachinery.errors import Forbidden, qualified
from k8slab.apimachinery.rest import JsonObject, UserInfo
from k8slab.apiserver.resources import ResourceInfo

CREATE, UPDATE, DELETE, CONNECT = "CREATE", "UPDATE", "DELETE", "CONNECT"


@dataclass(slots=True)
class Attributes:
    """One write."""

    operation: str
    """CREATE, UPDATE, DELETE or CONNECT."""
    resource: ResourceInfo
    namespace: str
    name: str
    subresource: str
    object: JsonObject | None
    """What would be stored: private to this request. None for a deletion."""
    old: JsonObject | None
    """What is stored: shared, read-only. None for a creation."""
    user: UserInfo
    dry_run: bool = False

    def is_about(self, plural: str, *operations: str) -> bool:
        """Whether this is one of the operations on a core kind itself, not on a subresource."""
        resource = self.resource
        return (
            resource.plural == plural and not resource.group and not self.subresource and self.operation in operations
        )  # fmt: skip

    def forbidden(self, why: str, causes: list[JsonObject] | None = None) -> Forbidden:
        """`pods "web" is forbidden: ...`."""
        resource = self.resource
        details: JsonObject = {"name": self.name, "group": resource.group, "kind": resource.plural, "causes": causes}
        named = f' "{self.name}"' if self.name else ""
        text = f"{qualified(resource.plural, resource.group)}{named} is forbidden: {why}"
        return Forbidden(text, details={key: value for key, value in details.items() if value})

    def all_forbidden(self, reasons: list[str]) -> Forbidden:
        """The same for several reasons, as Go prints them."""
        return self.forbidden(reasons[0] if len(reasons) == 1 else f"[{', '.join(reasons)}]")
