"""A server that behaves like a real cluster where k8slab does not: custom kinds, managedFields, refusals, odd watches."""

from __future__ import annotations

import asyncio
import json
import threading

import yaml
from aiohttp import web

TOKEN = "s3cr3t-token"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
ALL = ["get", "list", "watch"]
HOLD = "a watch waits here until the test says `go`"

# (group, version, plural, kind, namespaced, short names)
KINDS = [
    ("", "v1", "pods", "Pod", True, ["po"]),
    ("", "v1", "secrets", "Secret", True, []),
    ("", "v1", "events", "Event", True, ["ev"]),
    ("", "v1", "services", "Service", True, ["svc"]),
    ("", "v1", "nodes", "Node", False, ["no"]),
    ("apps", "v1", "deployments", "Deployment", True, ["deploy"]),
    ("apps", "v1", "replicasets", "ReplicaSet", True, ["rs"]),
    ("apps", "v1beta1", "deployments", "Deployment", True, ["deploy"]),
    ("events.k8s.io", "v1", "events", "Event", True, []),
    ("serving.knative.dev", "v1", "services", "Service", True, ["ksvc"]),
    ("example.com", "v1alpha1", "widgets", "Widget", True, ["wi"]),
    ("example.com", "v1alpha1", "clusterwidgets", "ClusterWidget", False, []),
]


class FakeCluster:
    """Answers GET from tables that a test may change while it runs. `asked` holds (method, path, query, accept)."""

    def __init__(self):
        self.objects: dict[str, list[dict]] = {}  # "apps/v1/deployments" -> objects
        self.refused: dict[str, int] = {}  # a path's end, or "apps/v1/deployments" -> code
        self.watches: dict[str, list[list[dict]]] = {}  # plural -> what each next watch brings, then it ends
        self.legacy = False
        self.go = False
        self.asked = []
        self.overlong: set[str] = set()  # plurals that come in pages of one
        self.slow: set[str] = set()  # plurals that do not answer
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.port = self._call(self._start())
        self.url = f"http://127.0.0.1:{self.port}"

    def kubeconfig(self, folder, **user):
        path = folder / "config"
        path.write_text(yaml.safe_dump(config(self.url, user or {"token": TOKEN})))
        return path

    def stop(self):
        self._call(self.runner.cleanup())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def add(self, where, name, namespace="default", *, owner=None, **content):
        """An object; `owner` is one that was added, or an owner reference."""
        meta = {"name": name, "uid": f"uid-{where}-{name}", "resourceVersion": f"v-{name}-1"}
        meta |= {"creationTimestamp": "2026-01-01T00:00:00Z"} | ({"namespace": namespace} if namespace else {})
        if owner is not None:
            meta["ownerReferences"] = [owner if "uid" in owner else reference(owner)]
        meta |= content.pop("metadata", {})
        group, version, plural = split(where)
        kind = next(kind[3] for kind in KINDS if kind[:3] == (group, version, plural))
        made = {"apiVersion": f"{group}/{version}".strip("/"), "kind": kind, "metadata": meta, **content}
        self.objects.setdefault(where, []).append(made)
        return made

    # Inside.

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    async def _start(self):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self.runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        return site._server.sockets[0].getsockname()[1]

    async def _answer(self, request):
        accept = request.headers.get("accept", "")
        self.asked.append((request.method, request.path, dict(request.query), accept))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return status(401, "Unauthorized", "Unauthorized")
        page = self._page(request.path, accept)
        if page is not None:
            return page
        prefix, _, rest = request.path.strip("/").partition("/")
        group, version, *rest = ["", *rest.split("/")] if prefix == "api" else rest.split("/")
        namespace = ""
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        return await self._resource(request, f"{group}/{version}/{rest[0]}".strip("/"), namespace, rest[1:])

    async def _resource(self, request, where, namespace, names):
        plural = where.rpartition("/")[2]
        if plural in self.slow:
            await asyncio.sleep(60)
        if code := self.refused.get(where):
            reason = {403: "Forbidden", 503: "ServiceUnavailable", 410: "Expired"}.get(code, "InternalError")
            return status(code, reason, f"{plural} is forbidden" if code == 403 else "it is broken")
        found = [each for each in self.objects.get(where, []) if namespace in ("", each["metadata"].get("namespace"))]
        light = "PartialObjectMetadata" in request.headers.get("accept", "")
        if names:
            one = next((each for each in found if each["metadata"]["name"] == names[0]), None)
            return status(404, "NotFound", "not found") if one is None else web.json_response(shape(one, light))
        if "watch" in request.query:
            return await self._watch(request, plural)
        meta = {"resourceVersion": f"list-{plural}"}
        if plural in self.overlong:
            at = int(request.query.get("continue", "0"))
            meta |= {"continue": str(at + 1)} if at + 1 < len(found) else {}
            found = found[at : at + 1]
        return web.json_response({"kind": "List", "metadata": meta, "items": [shape(each, light) for each in found]})

    async def _watch(self, request, plural):
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        waiting = self.watches.get(plural) or []
        if not waiting:
            await asyncio.sleep(60)
        for event in waiting.pop(0):
            while event is HOLD and not self.go:
                await asyncio.sleep(0.005)
            if event is HOLD:
                continue
            await response.write(json.dumps(event).encode() + b"\n")
        return response

    def _page(self, path, accept):
        if code := self.refused.get(path):
            return status(code, "Forbidden" if code == 403 else "ServiceUnavailable", f"{path}: no")
        if path == "/version":
            return web.json_response({"gitVersion": "v1.31.0"})
        versions = list(dict.fromkeys((kind[0], kind[1]) for kind in KINDS))
        if path in ("/api", "/apis") and not self.legacy and AGGREGATED in accept:
            return web.json_response(aggregated([each for each in versions if bool(each[0]) == (path == "/apis")]))
        if path == "/api":
            return web.json_response({"kind": "APIVersions", "versions": ["v1"]})
        if path == "/apis":
            return web.json_response({"kind": "APIGroupList", "groups": groups(versions)})
        for group, version in versions:
            if path == (f"/apis/{group}/{version}" if group else f"/api/{version}"):
                return web.json_response({"kind": "APIResourceList", "resources": resources(group, version)})
        return None


def split(where):
    group, _, rest = where.rpartition("/")[0].rpartition("/")
    return group, rest, where.rpartition("/")[2]


def config(server, user, cluster=None):
    return {
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "real", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "real",
    }


def reference(owner, controller=True):
    found = {key: owner[key] for key in ("apiVersion", "kind")} | {
        key: owner["metadata"][key] for key in ("name", "uid")
    }
    return found | ({"controller": True} if controller else {})


def shape(obj, light):
    return {"kind": "PartialObjectMetadata", "metadata": obj["metadata"]} if light else obj


def status(code, reason, message):
    content = {"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code}
    return web.json_response(content, status=code)


def resources(group, version):
    rows = [
        {
            "name": plural,
            "singularName": kind.lower(),
            "kind": kind,
            "namespaced": inside,
            "verbs": ALL,
            "shortNames": short,
        }
        for at, of, plural, kind, inside, short in KINDS
        if (at, of) == (group, version)
    ]
    return [*rows, {"name": f"{rows[0]['name']}/status", "kind": rows[0]["kind"], "namespaced": True, "verbs": ["get"]}]


def groups(versions):
    names = dict.fromkeys(group for group, _ in versions if group)
    return [
        {
            "name": name,
            # The preferred one is not the first.
            "versions": [{"version": of} for group, of in reversed(versions) if group == name],
            "preferredVersion": {"version": next(of for group, of in versions if group == name)},
        }
        for name in names
    ]


def aggregated(versions):
    items = {}
    for group, version in versions:
        rows = [
            {
                "resource": each["name"],
                "responseKind": {"group": group, "version": version, "kind": each["kind"]},
                "scope": "Namespaced" if each["namespaced"] else "Cluster",
                "singularResource": each["singularName"],
                "verbs": each["verbs"],
                "shortNames": each["shortNames"],
            }
            for each in resources(group, version)
            if "/" not in each["name"]
        ]
        items.setdefault(group, []).append({"version": version, "resources": rows, "freshness": "Current"})
    found = [{"metadata": {"name": group}, "versions": rows} for group, rows in items.items()]
    if "apps" in items:
        found.append({"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1", "freshness": "Stale"}]})
    return {"kind": "APIGroupDiscoveryList", "items": found}
