"""What a resource is called: group, version, plural, kind.

`Resource` is the address of a kind in the API. The table of all kinds that the server serves is
`apiserver/resources.py`; the kinds that the engine itself reads carry theirs as `Pod.resource`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind's coordinates."""

    group: str
    """Empty for the core group."""
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As objects write it: `v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def prefix(self) -> str:
        """Where the group-version lives: `/api/v1`, `/apis/apps/v1`."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of the collection, of one object, or of its subresource."""
        where = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        parts = [self.prefix + where, self.plural, name, subresource]
        return "/".join(part for part in parts if part)


def split_api_version(api_version: str) -> tuple[str, str]:
    """`apps/v1` as ("apps", "v1"), `v1` as ("", "v1")."""
    group, _, version = api_version.rpartition("/")
    return group, version
