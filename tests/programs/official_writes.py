"""The official client's ways to write: every patch, pages, dry runs, preconditions, evictions, tokens, access reviews."""

from __future__ import annotations

from kubernetes import client, config, watch

from tests.programs.manifests import deployment, refusal

NAMESPACE = "writes"

config.load_kube_config()
core, apps = client.CoreV1Api(), client.AppsV1Api()
core.create_namespace({"metadata": {"name": NAMESPACE}})
apps.create_namespaced_deployment(NAMESPACE, deployment("web"))


def images(found) -> list[str]:
    return [each.image for each in found.spec.template.spec.containers]


side = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "busybox"}]}}}}
merged = apps.patch_namespaced_deployment("web", NAMESPACE, side)  # a dictionary: strategic
assert images(merged)[0] == "busybox"
assert len(images(merged)) == 2
replaced = apps.patch_namespaced_deployment("web", NAMESPACE, side, _content_type="application/merge-patch+json")
assert images(replaced) == ["busybox"]
steps = [
    {"op": "test", "path": "/spec/replicas", "value": 2},
    {"op": "replace", "path": "/spec/replicas", "value": 0},
]
tested = apps.patch_namespaced_deployment("web", NAMESPACE, steps)  # a list: JSON patch
assert tested.spec.replicas == 0
failed = refusal(
    lambda: apps.patch_namespaced_deployment("web", NAMESPACE, [{"op": "test", "path": "/spec/replicas", "value": 9}])
)
assert failed.status == 422, failed
print("patched")

APPLY = {"_content_type": "application/apply-patch+yaml", "field_manager": "me"}
mine = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}, "data": {"a": "1", "b": "2"}}
core.patch_namespaced_config_map("shared", NAMESPACE, mine, **APPLY)
twice = core.patch_namespaced_config_map("shared", NAMESPACE, mine, **APPLY)
theirs = mine | {"data": {"a": "other"}}
conflict = refusal(
    lambda: core.patch_namespaced_config_map("shared", NAMESPACE, theirs, **APPLY | {"field_manager": "them"})
)
assert conflict.status == 409
assert 'conflict with \\"me\\": .data.a' in conflict.body, conflict.body
forced = core.patch_namespaced_config_map("shared", NAMESPACE, theirs, force=True, **APPLY | {"field_manager": "them"})
assert forced.data == {"a": "other", "b": "2"}
less = core.patch_namespaced_config_map("shared", NAMESPACE, mine | {"data": {}}, **APPLY)
assert less.data == {"a": "other"}, less.data
print("applied")

for number in range(7):
    core.create_namespaced_config_map(
        NAMESPACE, {"metadata": {"name": f"page-{number}", "labels": {"n": str(number % 2)}}}
    )
names, token, pages, left = [], None, 0, []
while True:
    page = core.list_namespaced_config_map(NAMESPACE, limit=3, _continue=token)
    if not pages:
        core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "aaa-late"}})
        version = page.metadata.resource_version
    assert page.metadata.resource_version == version, "all pages are of one moment"
    names += [each.metadata.name for each in page.items]
    left.append(page.metadata.remaining_item_count)
    pages, token = pages + 1, page.metadata._continue
    if not token:
        break
assert names == ["kube-root-ca.crt", *(f"page-{n}" for n in range(7)), "shared"], names
assert (pages, left) == (3, [6, 3, None]), left
chosen = core.list_namespaced_config_map(
    NAMESPACE, label_selector="n in (1),n!=2", field_selector="metadata.name!=page-1"
)
assert [each.metadata.name for each in chosen.items] == ["page-3", "page-5"]
assert refusal(lambda: core.list_namespaced_config_map(NAMESPACE, _continue="nonsense")).status == 400
print("listed in pages")

dry = core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "dry"}}, dry_run="All")
assert dry.metadata.uid
assert refusal(lambda: core.read_namespaced_config_map("dry", NAMESPACE)).status == 404
stale = core.read_namespaced_config_map("page-0", NAMESPACE)
core.patch_namespaced_config_map("page-0", NAMESPACE, {"data": {"k": "v"}})
assert refusal(lambda: core.replace_namespaced_config_map("page-0", NAMESPACE, stale)).reason == "Conflict"
other = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="another"))
assert refusal(lambda: core.delete_namespaced_config_map("page-0", NAMESPACE, body=other)).status == 409
gone = core.delete_collection_namespaced_config_map(NAMESPACE, label_selector="n=1")
assert [each.metadata.name for each in core.list_namespaced_config_map(NAMESPACE, label_selector="n").items] == [
    f"page-{n}" for n in (0, 2, 4, 6)
], gone
print("checked")

core.create_namespaced_service_account(NAMESPACE, {"metadata": {"name": "robot"}})
request = {"spec": {"audiences": [], "expirationSeconds": 600}}
given = core.create_namespaced_service_account_token("robot", NAMESPACE, request)
settings = client.Configuration.get_default_copy()
settings.cert_file = settings.key_file = None
settings.api_key = {"authorization": f"Bearer {given.status.token}"}
with client.ApiClient(settings) as connection:
    me = client.AuthenticationV1Api(connection).create_self_subject_review({})
    assert me.status.user_info.username == f"system:serviceaccount:{NAMESPACE}:robot"
    robot = client.CoreV1Api(connection)
    assert refusal(lambda: robot.list_namespaced_pod(NAMESPACE)).status == 403
    rbac = client.RbacAuthorizationV1Api()
    rbac.create_namespaced_role(
        NAMESPACE, {"metadata": {"name": "looker"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]}
    )  # fmt: skip
    rbac.create_namespaced_role_binding(NAMESPACE, {
        "metadata": {"name": "looker"}, "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": NAMESPACE}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "looker"},
    })  # fmt: skip
    assert robot.list_namespaced_pod(NAMESPACE).items is not None
    asked = {"spec": {"resourceAttributes": {"namespace": NAMESPACE, "verb": "delete", "resource": "pods"}}}
    answer = client.AuthorizationV1Api(connection).create_self_subject_access_review(asked)
    assert answer.status.allowed is False
print("allowed")

pod = {"metadata": {"name": "one", "labels": {"a": "b"}}, "spec": {"containers": [{"name": "main", "image": "nginx"}]}}
core.create_namespaced_pod(NAMESPACE, pod)
for event in watch.Watch().stream(
    core.list_namespaced_pod, NAMESPACE, field_selector="metadata.name=one", timeout_seconds=30
):
    if event["object"].status.phase == "Running":
        break
else:
    raise AssertionError("it never ran")
client.PolicyV1Api().create_namespaced_pod_disruption_budget(
    NAMESPACE, {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}}
)
eviction = {"metadata": {"name": "one", "namespace": NAMESPACE}}
evicted = refusal(lambda: core.create_namespaced_pod_eviction("one", NAMESPACE, eviction))
assert evicted.status == 429, evicted
client.PolicyV1Api().delete_namespaced_pod_disruption_budget("b", NAMESPACE)
core.create_namespaced_pod_eviction("one", NAMESPACE, eviction)
print("evicted")

core.delete_namespace(NAMESPACE)
print("deleted")
