"""What is served follows the definitions: routes, discovery, OpenAPI, keys, watches."""

from __future__ import annotations

import orjson
import pytest

from k8slab.apiserver.server import ApiServer
from k8slab.clock import VirtualClock
from k8slab.etcd.frozen import FrozenStore
from k8slab.etcd.sqlite import SqliteStore
from k8slab.names import Chance
from tests.apiserver.custom.world import CRONTABS, DEFINITIONS, GROUP, CustomApi, crontab, definition, version
from tests.apiserver.harness import ADMIN, MAPS, MERGE, STRATEGIC, Request, config_map, seen

CRD = f"{DEFINITIONS}/crontabs.{GROUP}"
AGGREGATED = {"accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}


def test_a_kind_is_served_once_its_definition_is_established(api):
    api.do("POST", DEFINITIONS, definition())
    assert api.ask("GET", CRONTABS).code == 404
    api.settle()
    assert api.do("GET", CRONTABS)["kind"] == "CronTabList"


def test_objects_are_kept_by_group_and_plural(api):
    api.define()
    api.do("POST", CRONTABS, crontab())
    assert api.store.get(f"/registry/{GROUP}/crontabs/default/job")


def test_two_clusters_in_one_process_do_not_know_of_each_other(api):
    api.define()
    assert CustomApi().ask("GET", CRONTABS).code == 404


def test_a_server_over_the_same_store_serves_the_same(api):
    api.define()
    api.do("POST", CRONTABS, crontab())
    other = ApiServer(api.store, api.clock, Chance(1))
    assert other.handle(Request("GET", f"{CRONTABS}/job", user=ADMIN)).code == 200


def test_a_durable_store_brings_the_kinds_back(tmp_path, monkeypatch):
    clock = VirtualClock()
    monkeypatch.setattr("tests.apiserver.harness.MemoryStore", lambda clock: SqliteStore(tmp_path / "db", clock))
    api = CustomApi()
    api.define()
    api.do("POST", CRONTABS, crontab())
    api.store.close()
    store = SqliteStore(tmp_path / "db", clock)
    answer = ApiServer(store, clock, Chance(1)).handle(Request("GET", CRONTABS, user=ADMIN))
    assert [each["metadata"]["name"] for each in answer.object["items"]] == ["job"]
    store.close()


def test_the_past_has_the_kinds_of_then(api):
    before = api.store.revision
    api.define()
    answers = [
        ApiServer(FrozenStore(api.store, revision), api.clock, Chance(1)).handle(Request("GET", CRONTABS, user=ADMIN))
        for revision in (before, api.store.revision)
    ]
    assert [answer.code for answer in answers] == [404, 200]


@pytest.mark.parametrize("headers", [{}, AGGREGATED])
def test_discovery_changes_at_once_and_so_does_its_etag(api, headers):
    first = api.ask("GET", "/apis", headers=headers)
    api.define(shortNames=["ct"], categories=["all"])
    second = api.ask("GET", "/apis", headers=headers)
    assert GROUP.encode() not in first.body
    assert GROUP.encode() in second.body
    assert first.headers["ETag"] != second.headers["ETag"]
    assert api.ask("GET", "/apis", headers=headers | {"if-none-match": second.headers["ETag"]}).code == 304


def test_discovery_says_how_a_kind_is_called(api):
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    api.define(version(subresources={"status": {}, "scale": scale}), shortNames=["ct"], categories=["all"])
    rows = api.do("GET", f"/apis/{GROUP}/v1")["resources"]
    assert [row["name"] for row in rows] == ["crontabs", "crontabs/status", "crontabs/scale"]
    assert rows[0]["shortNames"] == ["ct"]
    assert rows[0]["categories"] == ["all"]
    assert (rows[2]["group"], rows[2]["kind"]) == ("autoscaling", "Scale")


def test_the_preferred_version_is_the_most_stable_and_newest(api):
    versions = [version(name, storage=name == "v1") for name in ("v1beta1", "v2alpha1", "foo", "v1", "v10", "v1beta2")]
    api.define(*versions)
    group = api.do("GET", f"/apis/{GROUP}")
    assert [each["version"] for each in group["versions"]] == ["v10", "v1", "v1beta2", "v1beta1", "v2alpha1", "foo"]
    assert group["preferredVersion"]["version"] == "v10"


def test_a_version_that_is_not_served_is_not_there(api):
    api.define(version("v1"), version("v2", storage=False) | {"served": False})
    assert api.ask("GET", CRONTABS.replace("/v1/", "/v2/")).code == 404


def test_openapi_describes_a_kind_and_changes_with_its_schema(api):
    index = lambda: api.do("GET", "/openapi/v3")["paths"].get(f"apis/{GROUP}/v1")  # noqa: E731
    assert index() is None
    api.define()
    before = index()
    document = orjson.loads(api.ask("GET", f"/openapi/v3/apis/{GROUP}/v1").body)
    schema = document["components"]["schemas"]["com.example.stable.v1.CronTab"]
    assert schema["properties"]["spec"]["properties"]["image"] == {"type": "string"}
    assert "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" in document["components"]["schemas"]
    patch = document["paths"][f"/apis/{GROUP}/v1/namespaces/{{namespace}}/crontabs/{{name}}"]["patch"]
    assert "application/strategic-merge-patch+json" not in patch["requestBody"]["content"]
    api.redefine(version(spec={"type": "object", "properties": {"other": {"type": "string"}}}))
    assert index() != before


def test_what_every_kind_has_is_described_as_in_the_kinds_that_are_built_in(api):
    def described(path, name):
        schema = orjson.loads(api.ask("GET", f"/openapi/v3/{path}").body)["components"]["schemas"][name]
        return {key: schema["properties"][key] for key in ("apiVersion", "kind", "metadata")}

    api.define()
    ours = described(f"apis/{GROUP}/v1", "com.example.stable.v1.CronTab")
    assert ours == described("api/v1", "io.k8s.api.core.v1.ConfigMap")
    assert all(field["description"] for field in ours.values())


def test_a_watch_tells_of_custom_objects(api):
    api.define()
    watch = api.watch(CRONTABS)
    api.do("POST", CRONTABS, crontab())
    api.do("DELETE", f"{CRONTABS}/job")
    assert seen(watch.poll()) == [("ADDED", "job"), ("DELETED", "job")]


def test_a_watch_is_woken_by_its_own_kind_only(api):
    api.define()
    woken = []
    api.raw("GET", CRONTABS, {"watch": ["true"]}, wake=lambda: woken.append(1))
    api.do("POST", MAPS, config_map())
    assert not woken
    api.do("POST", CRONTABS, crontab())
    assert woken


def test_watches_end_when_the_kind_is_no_longer_what_it_was(api):
    api.define()
    watch = api.watch(CRONTABS)
    api.redefine(version(spec={"type": "object"}))
    assert watch.poll() == []
    assert watch.closed


def test_a_watch_that_ends_tells_first_what_happened_until_then(api):
    api.define()
    watch = api.watch(CRONTABS)
    api.do("POST", CRONTABS, crontab())
    api.do("DELETE", f"{CRONTABS}/job")
    api.redefine(version(spec={"type": "object"}))
    api.do("POST", CRONTABS, crontab())
    assert seen(watch.poll()) == [("ADDED", "job"), ("DELETED", "job")]
    assert watch.closed


def test_watches_of_other_kinds_go_on(api):
    watch = api.watch(MAPS)
    api.define()
    assert not watch.closed


def test_only_the_api_version_differs_between_versions(api):
    api.define(version("v1"), version("v2", storage=False))
    api.do("POST", CRONTABS, crontab(image="a"))
    second = CRONTABS.replace("/v1/", "/v2/")
    assert api.do("GET", f"{second}/job")["apiVersion"] == f"{GROUP}/v2"
    api.do("PATCH", f"{second}/job", {"spec": {"image": "b"}}, MERGE)
    stored = orjson.loads(api.store.get(f"/registry/{GROUP}/crontabs/default/job").value)
    assert (stored["apiVersion"], stored["spec"]) == (f"{GROUP}/v1", {"image": "b"})
    [event] = api.watch(second).poll()
    assert event.object["apiVersion"] == f"{GROUP}/v2"


def test_the_versions_in_which_objects_are_stored_are_noted(api):
    api.define(version("v1"))
    api.redefine(version("v1", storage=False), version("v2"))
    assert api.do("GET", CRD)["status"]["storedVersions"] == ["v1", "v2"]


def test_a_deprecated_version_says_so(api):
    api.define(version("v1"), version("v1beta1", storage=False, deprecated=True))
    answer = api.ask("GET", CRONTABS.replace("/v1/", "/v1beta1/"))
    assert answer.headers["Warning"] == f'299 - "{GROUP}/v1beta1 CronTab is deprecated"'


def test_a_strategic_merge_is_not_for_custom_kinds(api):
    api.define()
    api.do("POST", CRONTABS, crontab())
    code, text = api.refusal("PATCH", f"{CRONTABS}/job", {"spec": {}}, STRATEGIC)
    assert code == 415
    assert "application/merge-patch+json" in text
    assert "strategic" not in text


@pytest.mark.parametrize(
    "status",
    [
        {"conditions": [{"status": "True"}]},
        {"conditions": [{"type": "Established", "status": "True"}]},
        {"conditions": [{"type": "Established", "status": "True"}], "acceptedNames": {"kind": "CronTab"}},
        {"conditions": [{"type": "Established", "status": "True"}], "acceptedNames": {}, "storedVersions": ["v1"]},
    ],
)
def test_a_status_that_makes_no_sense_takes_nothing_but_the_kind_away(api, status):
    api.define()
    assert api.ask("PUT", f"{CRD}/status", api.do("GET", CRD) | {"status": status}).code == 200
    assert api.ask("GET", "/api/v1/namespaces/default").code == 200
    assert api.ask("GET", f"/apis/{GROUP}/v1/crontabs").code == 404
