"""Service accounts, limits, quotas, and what a kubelet may write."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.quota import add, total, usage_of
from k8slab.apimachinery.quantity import parse_quantity
from k8slab.apimachinery.rest import UserInfo
from k8slab.controllers.resourcequota import ResourceQuotaController
from tests.apiserver.harness import ADMIN, MAPS, MERGE, NAMESPACE, PODS, Api, config_map, pod
from tests.client.fake_server import World

NODE = UserInfo("system:node:node-1", ("system:nodes", "system:authenticated"))
NODES = "/api/v1/nodes"
QUOTAS, LIMITS, ACCOUNTS = (f"{NAMESPACE}/{each}" for each in ("resourcequotas", "limitranges", "serviceaccounts"))


def containers(**resources: Any) -> list[dict[str, Any]]:
    return [{"name": "main", "image": "nginx", "resources": resources}]


def refused(api: Api, method: str, path: str, body: Any = b"", user: UserInfo = ADMIN, **headers: Any) -> str:
    before = api.store.revision
    answer = api.ask(method, path, body, user=user, **headers)
    assert (answer.code, api.store.revision) == (403, before), answer.object
    return answer.object["message"]


# ServiceAccount


def test_every_container_finds_a_token_the_certificate_and_the_namespace(api):
    spec = api.do("POST", PODS, pod(initContainers=[{"name": "first", "image": "nginx"}]))["spec"]
    (volume,) = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    assert [next(iter(source)) for source in volume["projected"]["sources"]] == [
        "serviceAccountToken",
        "configMap",
        "downwardAPI",
    ]
    mount = {
        "name": volume["name"],
        "readOnly": True,
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    }
    assert [each["volumeMounts"] for each in (*spec["initContainers"], *spec["containers"])] == [[mount], [mount]]


@pytest.mark.parametrize(
    ("account", "of_pod", "mounted"),
    [(None, None, True), (False, None, False), (False, True, True), (True, False, False)],
)
def test_the_pods_wish_counts_before_the_accounts(api, account, of_pod, mounted):
    wish = {} if account is None else {"automountServiceAccountToken": account}
    api.do("POST", ACCOUNTS, {"metadata": {"name": "ci"}, **wish})
    spec = {} if of_pod is None else {"automountServiceAccountToken": of_pod}
    made = api.do("POST", PODS, pod(serviceAccountName="ci", **spec))["spec"]
    assert ("volumes" in made) is mounted


def test_an_account_that_is_not_there_is_named(api):
    assert refused(api, "POST", PODS, pod(serviceAccountName="nobody")) == (
        'pods "web" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found'
    )


def test_the_default_account_is_waited_for_in_a_new_namespace_only(api):
    api.do("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
    path = PODS.replace("default", "shop")
    api.do("POST", path, pod())
    api.clock.advance_to(api.clock.now() + 3)
    assert 'serviceaccount "default" not found' in refused(api, "POST", path, pod("late"))


def test_pull_secrets_come_from_the_account_unless_the_pod_has_some(api):
    api.do("POST", ACCOUNTS, {"metadata": {"name": "ci"}, "imagePullSecrets": [{"name": "registry"}]})
    own = [{"name": "own"}]
    assert api.do("POST", PODS, pod("a", serviceAccountName="ci"))["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    assert (
        api.do("POST", PODS, pod("b", serviceAccountName="ci", imagePullSecrets=own))["spec"]["imagePullSecrets"] == own
    )


def test_one_list_of_containers_makes_two_pods(api):
    shared = containers()
    first, second = (api.do("POST", PODS, pod(name, containers=shared)) for name in "ab")
    assert first["spec"]["volumes"][0]["name"] != second["spec"]["volumes"][0]["name"]


# LimitRanger


def limit_range(api: Api, **item: Any) -> None:
    api.do("POST", LIMITS, {"metadata": {"name": "limits"}, "spec": {"limits": [{"type": "Container", **item}]}})


def test_a_container_that_says_nothing_gets_the_defaults(api):
    limit_range(api, default={"cpu": "200m", "memory": "64Mi"}, defaultRequest={"cpu": "100m"})
    made = api.do("POST", PODS, pod())
    assert made["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "200m", "memory": "64Mi"},
        "requests": {"cpu": "100m", "memory": "64Mi"},
    }
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu, memory request for container main; cpu, memory limit for container main"
    )


@pytest.mark.parametrize(
    ("bounds", "resources", "why"),
    [
        ({"min": {"cpu": "100m"}}, {"requests": {"cpu": "10m"}}, "minimum cpu usage per Container is 100m, but request is 10m"),
        (
            {"max": {"cpu": "1"}},
            {"requests": {"cpu": "1"}, "limits": {"cpu": "1500m"}},
            "maximum cpu usage per Container is 1, but limit is 1500m",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"requests": {"cpu": "1"}, "limits": {"cpu": "5"}},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 5.000000",
        ),
        ({"max": {"memory": "1Gi"}, "default": {"memory": "1Gi"}}, {"limits": {"memory": "2Gi"}},
         "[maximum memory usage per Container is 1Gi, but limit is 2Gi]"),
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_refused(api, bounds, resources, why):
    limit_range(api, **bounds)
    assert refused(api, "POST", PODS, pod(containers=containers(**resources))) == (
        f'pods "web" is forbidden: {why.strip("[]")}'
    )


def test_a_pod_and_a_claim_have_bounds_too(api):
    items = [
        {"type": "Pod", "max": {"cpu": "1"}},
        {"type": "PersistentVolumeClaim", "min": {"storage": "2Gi"}},
    ]
    api.do("POST", LIMITS, {"metadata": {"name": "limits"}, "spec": {"limits": items}})
    two = [{**containers(limits={"cpu": "600m"})[0], "name": name} for name in "ab"]
    assert refused(api, "POST", PODS, pod(containers=two)).endswith(
        "maximum cpu usage per Pod is 1, but limit is 1200m"
    )
    claim = {
        "metadata": {"name": "c"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    assert refused(api, "POST", f"{NAMESPACE}/persistentvolumeclaims", claim) == (
        'persistentvolumeclaims "c" is forbidden: minimum storage usage per PersistentVolumeClaim is 2Gi, but request is 1Gi'
    )


# ResourceQuota


def quota(api: Api, used: dict[str, str] | None = None, name: str = "q", **spec: Any) -> None:
    """A quota that has been counted."""
    api.do("POST", QUOTAS, {"metadata": {"name": name}, "spec": spec})
    counted = {"hard": spec["hard"], "used": {**dict.fromkeys(spec["hard"], "0"), **(used or {})}}
    api.do("PATCH", f"{QUOTAS}/{name}/status", {"status": counted}, MERGE)


def used(api: Api, name: str = "q") -> dict[str, str]:
    return api.do("GET", f"{QUOTAS}/{name}")["status"]["used"]


def test_what_is_created_is_counted_and_what_is_too_much_refused(api):
    quota(api, hard={"pods": "2", "requests.cpu": "1"})
    api.do("POST", PODS, pod("a", containers=containers(requests={"cpu": "600m"})))
    assert used(api) == {"pods": "1", "requests.cpu": "600m"}
    assert refused(api, "POST", PODS, pod("b", containers=containers(requests={"cpu": "500m"}))) == (
        'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1'
    )


def test_who_counts_by_what_pods_ask_needs_pods_that_say_so(api):
    quota(api, hard={"limits.cpu": "1", "requests.memory": "1Gi"})
    assert refused(api, "POST", PODS, pod()) == (
        'pods "web" is forbidden: failed quota: q: must specify limits.cpu for: main; requests.memory for: main'
    )


def test_a_quota_that_nobody_has_counted_lets_nothing_through(api):
    api.do("POST", QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": {"configmaps": "5"}}})
    assert refused(api, "POST", MAPS, config_map()) == (
        'configmaps "settings" is forbidden: status unknown for quota: q, resources: configmaps'
    )


def test_a_dry_run_counts_nothing(api):
    quota(api, hard={"count/configmaps": "5"})
    api.do("POST", MAPS, config_map(), dryRun="All")
    assert used(api) == {"count/configmaps": "0"}


def test_what_one_quota_refuses_no_other_has_counted(api):
    quota(api, hard={"configmaps": "5"}, name="a")
    quota(api, hard={"configmaps": "0"}, name="b")
    refused(api, "POST", MAPS, config_map())
    assert used(api, "a") == {"configmaps": "0"}


@pytest.mark.parametrize(
    ("spec", "counted"),
    [
        ({"scopes": ["BestEffort"]}, True),
        ({"scopes": ["NotBestEffort"]}, False),
        ({"scopes": ["Terminating"]}, False),
        ({"scopes": ["BestEffort", "NotTerminating"]}, True),
        (
            {
                "scopeSelector": {
                    "matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]
                }
            },
            False,
        ),
    ],
)
def test_a_scope_says_which_pods_count(api, spec, counted):
    quota(api, hard={"pods": "5"}, **spec)
    api.do("POST", PODS, pod())
    assert used(api) == {"pods": str(int(counted))}


def test_a_service_counts_its_ports_and_more_of_them_after_a_change(api):
    quota(api, hard={"services": "5", "services.nodeports": "2"})
    service = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
    api.do("POST", f"{NAMESPACE}/services", service)
    assert used(api) == {"services": "1", "services.nodeports": "0"}
    api.do("PATCH", f"{NAMESPACE}/services/web", {"spec": {"type": "NodePort"}}, MERGE)
    assert used(api) == {"services": "1", "services.nodeports": "1"}


requests = st.lists(
    st.sampled_from(["0", "100m", "1", "1500m", "2Gi", "512Mi", "1k", "1e3"]), min_size=1, max_size=6
)  # fmt: skip


@given(requests)
def test_sums_are_the_sums_of_the_numbers(amounts):
    found = "0"
    for amount in amounts:
        found = add(found, amount)
    assert parse_quantity(found) == sum(parse_quantity(amount) for amount in amounts)


def test_a_pod_that_has_ended_counts_as_an_object_only():
    body = pod(containers=containers(requests={"cpu": "1"}))
    ended = {**body, "status": {"phase": "Succeeded"}}
    assert total([usage_of("", "pods", each) for each in (body, ended)], ["pods", "cpu", "count/pods"]) == {
        "pods": "1",
        "cpu": "1",
        "count/pods": "2",
    }


def test_the_controller_counts_what_is_there_and_gives_back_what_goes():
    from k8slab.api.core import ConfigMap, Pod, ResourceQuota
    from k8slab.apiserver.resources import RESOURCES

    world = World()
    world.components = [
        ResourceQuotaController(world.client, world.clock, world.chance, resources=tuple(RESOURCES.values()))
    ]
    world.client.create(ConfigMap, {"metadata": {"name": "a"}}, "default")
    hard = {"configmaps": "5", "pods": "5"}
    world.client.create(ResourceQuota, {"metadata": {"name": "q"}, "spec": {"hard": hard}}, "default")
    world.settle()

    def counted() -> dict[str, str]:
        return dict(world.client.get(ResourceQuota, "q", "default").status.used)

    assert counted() == {"configmaps": "1", "pods": "0"}
    world.client.create(Pod, pod(), "default")
    assert counted() == {"configmaps": "1", "pods": "1"}
    world.settle()
    world.client.delete(ConfigMap, "a", "default")
    world.client.delete(Pod, "web", "default", grace_period=0)
    world.settle()
    assert counted() == {"configmaps": "0", "pods": "0"}


# NodeRestriction


@pytest.fixture
def nodes(api):
    for name in ("node-1", "node-2"):
        api.do("POST", NODES, {"metadata": {"name": name}})
    for name in ("node-1", "node-2"):
        api.do("POST", PODS, pod(f"on-{name}", nodeName=name))
    return api


def test_a_kubelet_writes_its_own_node_and_no_other(nodes):
    label = {"metadata": {"labels": {"team": "a"}}}
    assert nodes.ask("PATCH", f"{NODES}/node-1", label, MERGE, user=NODE).code == 200
    assert refused(nodes, "PATCH", f"{NODES}/node-2", label, NODE, headers=MERGE) == (
        'nodes "node-2" is forbidden: node "node-1" is not allowed to modify node "node-2"'
    )
    assert refused(nodes, "PATCH", f"{NODES}/node-2/status", {"status": {}}, NODE, headers=MERGE).endswith(
        'node "node-1" is not allowed to modify node "node-2"'
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"spec": {"taints": []}}, 'node "node-1" is not allowed to modify taints'),
        (
            {"metadata": {"labels": {"node-restriction.kubernetes.io/x": "1"}}},
            "is not allowed to modify labels: node-restriction.kubernetes.io/x",
        ),
        (
            {"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}},
            "is not allowed to modify labels: node-role.kubernetes.io/control-plane",
        ),
    ],
)
def test_a_kubelet_lifts_no_taints_and_gives_itself_no_roles(nodes, change, why):
    assert (
        refused(nodes, "PATCH", f"{NODES}/node-1", change, NODE, headers=MERGE) == f'nodes "node-1" is forbidden: {why}'
    )


def test_a_kubelet_may_tell_what_machine_it_is(nodes):
    labels = {"kubernetes.io/hostname": "node-1", "topology.kubernetes.io/zone": "a", "node.kubernetes.io/x": "y"}
    assert nodes.ask("PATCH", f"{NODES}/node-1", {"metadata": {"labels": labels}}, MERGE, user=NODE).code == 200


def test_a_kubelet_reports_ends_and_evicts_its_own_pods_only(nodes):
    status = {"status": {"phase": "Running"}}
    assert nodes.ask("PATCH", f"{PODS}/on-node-1/status", status, MERGE, user=NODE).code == 200
    assert refused(nodes, "PATCH", f"{PODS}/on-node-2/status", status, NODE, headers=MERGE) == (
        'pods "on-node-2" is forbidden: node "node-1" can only update pod status for pods with spec.nodeName set to itself'
    )
    assert refused(nodes, "DELETE", f"{PODS}/on-node-2", user=NODE).endswith(
        'node "node-1" can only delete pods with spec.nodeName set to itself'
    )
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "on-node-2"}}
    assert refused(nodes, "POST", f"{PODS}/on-node-2/eviction", eviction, NODE).endswith(
        "node node-1 can only evict pods with spec.nodeName set to itself"
    )


def test_a_kubelet_makes_mirror_pods_only(nodes):
    assert refused(nodes, "POST", PODS, pod(), NODE).endswith(
        'pod does not have "kubernetes.io/config.mirror" annotation, node "node-1" can only create mirror pods'
    )
    mirror = pod(nodeName="node-1", automountServiceAccountToken=False)
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    assert refused(nodes, "POST", PODS, mirror, NODE).endswith(
        'node "node-1" can only create pods with an owner reference set to itself'
    )
    uid = nodes.do("GET", f"{NODES}/node-1")["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": "node-1", "uid": uid, "controller": True}
    mirror["metadata"]["ownerReferences"] = [owner]
    assert nodes.ask("POST", PODS, mirror, user=NODE).code == 201


def token(api: Api, **reference: str) -> dict[str, Any]:
    return {"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", **reference}}}


def test_a_kubelet_gets_tokens_for_its_own_pods_only(nodes):
    uid = {name: nodes.do("GET", f"{PODS}/{name}")["metadata"]["uid"] for name in ("on-node-1", "on-node-2")}
    path = f"{ACCOUNTS}/default/token"
    mine = token(nodes, name="on-node-1", uid=uid["on-node-1"])
    assert nodes.ask("POST", path, mine, user=NODE).code == 201
    for body, why in (
        ({"spec": {}}, "node requested token not bound to a pod"),
        (token(nodes, name="on-node-1"), "node requested token with a pod binding without a uid"),
        (
            token(nodes, name="on-node-2", uid=uid["on-node-2"]),
            "node requested token bound to a pod scheduled on a different node",
        ),
    ):  # fmt: skip
        assert refused(nodes, "POST", path, body, NODE) == f'serviceaccounts "default" is forbidden: {why}'


# Requests for certificates


def test_a_request_for_a_certificate_says_who_made_it_whatever_it_claims(api):
    bob = UserInfo("bob", ("system:masters",), "7", {"reason": ("x",)})
    body = {
        "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "c"},
        "spec": {"request": "Zm9v", "signerName": "example.com/a", "username": "alice", "groups": ["admins"]},
        "status": {"conditions": [{"type": "Approved", "status": "True"}]},
    }  # fmt: skip
    stored = api.ask("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests", body, user=bob).object
    asked = {"request": "Zm9v", "signerName": "example.com/a"}
    known = {
        "username": "bob",
        "uid": "7",
        "groups": ["system:masters", "system:authenticated"],
        "extra": {"reason": ["x"]},
    }
    assert (stored["spec"], stored["status"]) == (asked | known, {})
