"""What the server says of itself: which resources there are, of what shape, in which version.

kubectl knows no kind by heart: it asks `/api` and `/apis` (aggregated: one answer for everything) and `/openapi/v3`.
Older clients walk from `/apis` to each group and version.

Models: k8s.io/apiserver/pkg/endpoints/discovery (aggregated, legacy), pkg/server/healthz; k8s.io/kube-openapi/pkg/handler3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import orjson

from k8slab.apimachinery.errors import MethodNotAllowed, NotAcceptable, NotFound
from k8slab.apimachinery.openapi import openapi_v3
from k8slab.apimachinery.openapi_v2 import openapi_v2, openapi_v2_in_protobuf
from k8slab.apimachinery.rest import JsonObject, Request, Response
from k8slab.apiserver.custom.kind import list_definition
from k8slab.apiserver.health import CHECKS, health
from k8slab.apiserver.health import paths as health_paths
from k8slab.apiserver.resources import ResourceInfo, ResourceTable
from k8slab.apiserver.tokens import ISSUER
from k8slab.apiserver.version import version_info

if TYPE_CHECKING:
    from k8slab.apiserver.server import ApiServer

LEFT_OUT = (
    "OpenAPI is served as JSON: as protobuf version 2 is an empty document, and version 3 is refused.",
    "There is no API aggregation: an APIService is stored, and nothing is asked of the server that it names.",
)

OPENAPI_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "binding": ("", "v1", "Binding"),
    "exec": ("", "v1", "PodExecOptions"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
}
SUBRESOURCE_VERBS = {
    "scale": ["get", "patch", "update"],
    "log": ["get"],
    "exec": ["create", "get"],
    "binding": ["create"],
    "eviction": ["create"],
    "token": ["create"],
    "finalize": ["update"],
    "proxy": ["create", "delete", "get", "patch", "update"],
}
FOREVER = {"Cache-Control": "public, immutable", "Expires": "Fri, 01 Jan 2100 00:00:00 GMT", "Vary": "Accept"}


def serve(server: ApiServer, request: Request) -> Response:
    """The answer for a path that is no resource. Raises NotFound."""
    parts = [part for part in request.path.split("/") if part]
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed.verb() if _page(server, request, parts) else NotFound.path()
    page = _page(server, request, parts)
    if page is None:
        raise NotFound.path()
    return page()


def _page(server: ApiServer, request: Request, parts: list[str]) -> Callable[[], Response] | None:
    table = server.resources
    match parts:
        case []:
            return lambda: Response(200, object={"paths": _paths(table)})
        case ["version"]:
            return lambda: Response(200, object=version_info())
        case [name, *rest] if name in CHECKS and (not rest or "/".join(rest) in CHECKS[name]):
            return lambda: health(server, name, "/".join(rest), request)
        case ["api"]:
            return lambda: _cached(request, _core_groups(table), _core_versions())
        case ["apis"]:
            return lambda: _cached(request, _named_groups(table), _group_list(table))
        case ["apis", group] if group in table.groups:
            return lambda: Response(200, object={"kind": "APIGroup", "apiVersion": "v1"} | _group(table, group))
        case ["api", "v1"]:
            return lambda: Response(200, object=_resource_list(table, "", "v1"))
        case ["apis", group, version] if (group, version) in table.group_versions:
            return lambda: Response(200, object=_resource_list(table, group, version))
        case ["openapi", "v3"]:
            return lambda: Response(200, object=_openapi_index(table))
        case ["openapi", "v2"]:
            return lambda: _openapi_v2_page(table, request)
        case ["openapi", "v3", *rest]:
            group, version = ("", rest[-1]) if rest[:1] == ["api"] else (rest[1] if len(rest) > 2 else "", rest[-1])
            known = (group, version) in table.group_versions and rest[0] == ("apis" if group else "api")
            return (lambda: _openapi_page(table, group, version)) if known else None
        case [".well-known", "openid-configuration"]:
            return lambda: Response(200, object=_token_issuer())
        case ["openid", "v1", "jwks"]:
            keys = {"keys": [server.authenticator.key.public_jwk()]}
            return lambda: Response(200, object=keys, content_type="application/jwk-set+json")
        case ["metrics"]:
            return lambda: server.measures.page(server)
    return None


def _token_issuer() -> JsonObject:
    """Where others find the key by which they can check the cluster's tokens."""
    return {
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }


def _paths(table: ResourceTable) -> list[str]:
    groups = [f"/apis/{group}/{version}" for group, version in table.group_versions if group]
    bare = [f"/apis/{group}" for group in table.groups]
    return sorted(
        [
            "/api",
            "/api/v1",
            "/apis",
            *groups,
            *bare,
            *health_paths(),
            "/metrics",
            "/openapi/v2",
            "/openapi/v3",
            "/version",
        ]
    )


# Discovery.


def _cached(request: Request, aggregated: JsonObject, legacy: JsonObject) -> Response:
    """The aggregated form if the client takes it; nothing at all if it has it already."""
    wants_aggregated = AGGREGATED in request.headers.get("accept", "").replace(" ", "")
    body = orjson.dumps(aggregated if wants_aggregated else legacy)
    etag = '"' + hashlib.sha512(body).hexdigest().upper() + '"'
    headers = {"ETag": etag, "Vary": "Accept", "Cache-Control": "public"}
    content_type = AGGREGATED if wants_aggregated else "application/json"
    if request.headers.get("if-none-match") == etag:
        return Response(304, body=b"", content_type=content_type, headers=headers)
    return Response(200, body=body, content_type=content_type, headers=headers)


@lru_cache(maxsize=16)
def _core_groups(table: ResourceTable) -> JsonObject:
    return _discovery_list(table, ("",))


@lru_cache(maxsize=16)
def _named_groups(table: ResourceTable) -> JsonObject:
    return _discovery_list(table, table.groups)


def _discovery_list(table: ResourceTable, groups: tuple[str, ...]) -> JsonObject:
    items = [
        {"metadata": {"name": group, "creationTimestamp": None}, "versions": _discovery_versions(table, group)}
        for group in groups
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _discovery_versions(table: ResourceTable, group: str) -> list[JsonObject]:
    return [
        {
            "version": version,
            "freshness": "Current",
            "resources": [_discovered(row) for row in table.of(group, version)],
        }
        for each, version in table.group_versions
        if each == group
    ]


def _discovered(row: ResourceInfo) -> JsonObject:
    found: JsonObject = {
        "resource": row.plural,
        "responseKind": _kind(row.group, row.version, row.kind),
        "scope": "Namespaced" if row.namespaced else "Cluster",
        "singularResource": row.singular,
        "verbs": list(row.verbs),
    }
    if row.short_names:
        found["shortNames"] = list(row.short_names)
    if row.categories:
        found["categories"] = list(row.categories)
    if row.subresources:
        found["subresources"] = [
            {
                "subresource": name,
                "responseKind": _kind(*_subresource_kind(row, name)),
                "verbs": _subresource_verbs(name),
            }
            for name in row.subresources
        ]
    return found


def _kind(group: str, version: str, kind: str) -> JsonObject:
    return {"group": group, "version": version, "kind": kind}


def _subresource_kind(row: ResourceInfo, name: str) -> tuple[str, str, str]:
    kind = f"{row.kind}ProxyOptions" if name == "proxy" else row.kind
    return SUBRESOURCE_KINDS.get(name, (row.group, row.version, kind))


def _subresource_verbs(name: str) -> list[str]:
    return SUBRESOURCE_VERBS.get(name, ["get", "patch", "update"])


def _core_versions() -> JsonObject:
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def _group_list(table: ResourceTable) -> JsonObject:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(table, group) for group in table.groups]}


def _group(table: ResourceTable, group: str) -> JsonObject:
    versions = [
        {"groupVersion": f"{group}/{version}", "version": version}
        for each, version in table.group_versions
        if each == group
    ]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _resource_list(table: ResourceTable, group: str, version: str) -> JsonObject:
    rows: list[JsonObject] = []
    for row in table.of(group, version):
        rows.append(
            {"name": row.plural, "singularName": row.singular, "namespaced": row.namespaced, "kind": row.kind}
            | {"verbs": list(row.verbs)}
            | ({"shortNames": list(row.short_names)} if row.short_names else {})
            | ({"categories": list(row.categories)} if row.categories else {})
        )
        for name in row.subresources:
            sub_group, sub_version, kind = _subresource_kind(row, name)
            foreign = {"group": sub_group, "version": sub_version} if sub_group != group else {}
            entry = {"name": f"{row.plural}/{name}", "singularName": "", "namespaced": row.namespaced, "kind": kind}
            rows.append(entry | {"verbs": _subresource_verbs(name)} | foreign)
    api_version = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": rows}


# OpenAPI.


@lru_cache(maxsize=64)
def _openapi_document(group: str, version: str, rows: tuple[ResourceInfo, ...]) -> tuple[bytes, str]:
    """The document and its hash: the same rows make the same."""
    custom = {row.kind: row.custom.definition for row in rows if row.custom}
    lists = {f"{row.kind}List": list_definition(row) for row in rows if row.custom}
    body = orjson.dumps(openapi_v3(group, version, rows, custom | lists))
    return body, hashlib.sha512(body).hexdigest().upper()


@lru_cache(maxsize=16)
def _openapi_index(table: ResourceTable) -> JsonObject:
    paths = {}
    for group, version in table.group_versions:
        path = f"apis/{group}/{version}" if group else f"api/{version}"
        # The hash of what the document is made from: to build all documents only to name them would take a second.
        schemas = [row.custom.definition.schema for row in table.of(group, version) if row.custom]
        made_from = [version_info()["gitVersion"], group, version, _resource_list(table, group, version), schemas]
        name = hashlib.sha256(orjson.dumps(made_from)).hexdigest().upper()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={name}"}
    return {"paths": paths}


def _openapi_page(table: ResourceTable, group: str, version: str) -> Response:
    body, etag = _openapi_document(group, version, tuple(table.of(group, version)))
    return Response(200, body=body, headers={"ETag": f'"{etag}"', **FOREVER})


@lru_cache(maxsize=2)
def _openapi_v2_document(table: ResourceTable) -> tuple[bytes, str]:
    parts = [_openapi_document(*each, tuple(table.of(*each)))[0] for each in table.group_versions]
    body = orjson.dumps(openapi_v2(orjson.loads(part) for part in parts))
    return body, hashlib.sha512(body).hexdigest().upper()


def _openapi_v2_page(table: ResourceTable, request: Request) -> Response:
    accepted = request.headers.get("accept", "*/*")
    if accepted.startswith(OPENAPI_V2_PROTOBUF):
        return Response(200, body=openapi_v2_in_protobuf(), content_type=OPENAPI_V2_PROTOBUF.replace("@", "."))
    if not any(media in accepted for media in ("application/json", "*/*", "application/*")):
        raise NotAcceptable("only the following media types are accepted: application/json")
    body, etag = _openapi_v2_document(table)
    if request.headers.get("if-none-match") == f'"{etag}"':
        return Response(304, body=b"", headers={"ETag": f'"{etag}"'})
    return Response(200, body=body, headers={"ETag": f'"{etag}"', "Vary": "Accept"})
