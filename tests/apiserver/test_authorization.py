"""Roles, bindings, kubelets: who may do what, and in which words they may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.apimachinery.rest import UserInfo
from k8slab.apiserver.authorization.controller_roles import ACCOUNTS, account_of
from k8slab.apiserver.authorization.policy import rules_of_table
from k8slab.apiserver.authorization.rules import Rule, missing
from k8slab.apiserver.routes import RequestInfo
from tests.apiserver.harness import ADMIN, MAPS, MERGE, NAMESPACE, PODS, Api, config_map, pod

RBAC = "/apis/rbac.authorization.k8s.io/v1"
ANN = UserInfo("ann", ("developers", "system:authenticated"))
NODE = UserInfo("system:node:node-1", ("system:nodes", "system:authenticated"))


def grant(api: Api, *rules: dict, user: str = "ann", namespace: str = "default", kind: str = "User") -> None:
    """Bind somebody to a new role, in one namespace or everywhere."""
    where, sort = (f"namespaces/{namespace}/", "") if namespace else ("", "cluster")
    role = {"metadata": {"name": "r"}, "rules": list(rules)}
    api.do("POST", f"{RBAC}/{where}{sort}roles", role)
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole" if sort else "Role", "name": "r"}
    body = {"metadata": {"name": "b"}, "roleRef": reference, "subjects": [{"kind": kind, "name": user}]}
    api.do("POST", f"{RBAC}/{where}{sort}rolebindings", body)


def rule(verbs: str, resources: str, groups: str = "", names: str = "") -> dict:
    made = {"verbs": verbs.split(), "resources": resources.split(), "apiGroups": [groups]}
    return made | ({"resourceNames": names.split()} if names else {})


def code(api: Api, method: str, path: str, user: UserInfo = ANN, body: object = b"", **query: str) -> int:
    return api.ask(method, path, body, user=user, **query).code


def message(api: Api, method: str, path: str, user: UserInfo = ANN, body: object = b"", **query: str) -> str:
    answer = api.ask(method, path, body, user=user, **query)
    assert answer.code == 403
    return answer.object["message"]


# Roles and bindings.


def test_a_role_allows_in_its_namespace_only(api):
    grant(api, rule("get list", "pods"))
    assert code(api, "GET", PODS) == 200
    assert code(api, "GET", "/api/v1/pods") == 403
    assert code(api, "GET", "/api/v1/namespaces/kube-system/pods") == 403
    assert code(api, "POST", PODS, body=pod()) == 403


def test_a_cluster_role_allows_everywhere(api):
    grant(api, rule("list", "pods nodes"), namespace="")
    assert [code(api, "GET", path) for path in (PODS, "/api/v1/pods", "/api/v1/nodes")] == [200, 200, 200]


def test_groups_are_bound_like_users(api):
    grant(api, rule("list", "pods"), user="developers", kind="Group")
    assert code(api, "GET", PODS) == 200


def test_a_change_of_a_role_counts_at_once(api):
    grant(api, rule("list", "pods"))
    assert code(api, "GET", PODS) == 200
    api.do("PATCH", f"{RBAC}/namespaces/default/roles/r", {"rules": []}, MERGE)
    assert code(api, "GET", PODS) == 403


def test_a_role_may_be_about_some_objects_only(api):
    grant(api, rule("get list update", "configmaps", names="settings"))
    api.do("POST", MAPS, config_map())
    assert code(api, "GET", f"{MAPS}/settings") == 200
    assert code(api, "GET", f"{MAPS}/other") == 403
    assert code(api, "GET", MAPS) == 403
    assert code(api, "GET", MAPS, fieldSelector="metadata.name=settings") == 200


def test_a_subresource_needs_a_rule_of_its_own(api):
    grant(api, rule("get", "pods */scale"))
    assert code(api, "GET", f"{PODS}/web/log") == 403
    assert code(api, "GET", f"{NAMESPACE}/replicationcontrollers/web/scale") == 404


def test_a_binding_to_a_role_that_is_not_there_is_part_of_the_refusal(api):
    grant(api, rule("list", "pods"))
    api.do("DELETE", f"{RBAC}/namespaces/default/roles/r")
    assert message(api, "GET", PODS).endswith(
        'in the namespace "default": RBAC: role.rbac.authorization.k8s.io "r" not found'
    )


def test_a_decision_names_its_binding(api):
    grant(api, rule("list", "pods"))
    decision = api.server.authorizer.decide(ANN, RequestInfo("list", "", True, "", "v1", "pods", namespace="default"))
    assert decision.reason == 'RBAC: allowed by RoleBinding "b/default" of Role "r" to User "ann"'


def test_everybody_may_discover_and_ask_about_themselves(api):
    for path in ("/api", "/apis/apps/v1", "/openapi/v3", "/healthz", "/version"):
        assert code(api, "GET", path) == 200
    assert code(api, "GET", "/metrics") == 403
    review = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}
    assert code(api, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=review) == 201


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("view", [("GET", PODS)], [("GET", f"{NAMESPACE}/secrets"), ("POST", PODS)]),
        ("edit", [("GET", f"{NAMESPACE}/secrets"), ("POST", MAPS)], [("POST", f"{RBAC}/namespaces/default/roles")]),
        ("admin", [("POST", f"{RBAC}/namespaces/default/roles")], [("GET", "/api/v1/nodes")]),
    ],
)
def test_the_default_roles_of_a_namespace(api, role, may, may_not):
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    body = {"metadata": {"name": "b"}, "roleRef": reference, "subjects": [{"kind": "User", "name": "ann"}]}
    api.do("POST", f"{RBAC}/namespaces/default/rolebindings", body)
    things = {MAPS: config_map(), PODS: pod(), f"{RBAC}/namespaces/default/roles": {"metadata": {"name": "x"}}}
    assert [code(api, how, path, body=things.get(path, b"") if how == "POST" else b"") // 100 for how, path in may] == [
        2
    ] * len(may)
    assert [code(api, how, path, body=things.get(path, b"")) for how, path in may_not] == [403] * len(may_not)


def test_what_a_role_refers_to_stays(api):
    grant(api, rule("list", "pods"))
    changed = {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"}}
    answer = api.ask("PATCH", f"{RBAC}/namespaces/default/rolebindings/b", changed, MERGE)
    assert (answer.code, "cannot change roleRef" in answer.object["message"]) == (422, True)


# Nobody hands out more than they hold.


def test_nobody_writes_a_role_with_more_than_they_hold(api):
    grant(api, rule("get", "pods"), rule("create", "roles", "rbac.authorization.k8s.io"))
    roles = f"{RBAC}/namespaces/default/roles"
    assert code(api, "POST", roles, body={"metadata": {"name": "same"}, "rules": [rule("get", "pods")]}) == 201
    more = {"metadata": {"name": "more"}, "rules": [rule("get delete list", "pods secrets")]}
    assert message(api, "POST", roles, body=more) == (
        'roles.rbac.authorization.k8s.io "more" is forbidden: user "ann" (groups=["developers" "system:authenticated"]) '
        "is attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "list"]}\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete" "list"]}'
    )


def test_the_verb_escalate_lets_somebody_hand_out_more(api):
    grant(api, rule("create escalate", "roles", "rbac.authorization.k8s.io"))
    body = {"metadata": {"name": "more"}, "rules": [rule("delete", "secrets")]}
    assert code(api, "POST", f"{RBAC}/namespaces/default/roles", body=body) == 201


def test_nobody_binds_to_a_role_with_more_than_they_hold_without_the_verb_bind(api):
    grant(api, rule("create", "rolebindings", "rbac.authorization.k8s.io"))
    path = f"{RBAC}/namespaces/default/rolebindings"
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    body = {"metadata": {"name": "x"}, "roleRef": reference, "subjects": [{"kind": "User", "name": "ann"}]}
    assert '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}' in message(api, "POST", path, body=body)
    bind = rule("bind", "clusterroles", "rbac.authorization.k8s.io", "cluster-admin")
    wider = {"rules": [rule("create", "rolebindings", "rbac.authorization.k8s.io"), bind]}
    api.do("PATCH", f"{RBAC}/namespaces/default/roles/r", wider, MERGE)
    assert code(api, "POST", path, body=body) == 201


words = st.sampled_from(["*", "a", "b", "c"])
some = st.lists(words, min_size=1, max_size=3).map(tuple)
rules = st.lists(st.builds(Rule, some, some, st.just(()), st.just(()), some), max_size=3)


@given(rules, rules)
def test_whoever_holds_rules_can_hand_them_out_and_parts_of_them(held, others):
    assert missing(held + others, held) == []
    if not missing(held, others):
        asked = [RequestInfo(v, "", True, g, "v1", r) for v in "abc" for g in "abc" for r in "abc"]
        assert all(any(h.allows(a) for h in held) for a in asked if any(o.allows(a) for o in others))


def test_a_table_is_read_as_kubectl_writes_resources():
    assert rules_of_table("get list: pods deployments.apps/scale [x y]\nget: /a /b/*") == (
        Rule(("",), ("pods",), (), ("x", "y"), ("get", "list")),
        Rule(("apps",), ("deployments/scale",), (), ("x", "y"), ("get", "list")),
        Rule(paths=("/a", "/b/*"), verbs=("get",)),
    )


@pytest.mark.parametrize("controller", ACCOUNTS)
def test_each_controller_may_do_its_own_work_and_read_no_secrets_by_name(api, controller):
    account = account_of(controller)
    assert account.name == f"system:serviceaccount:kube-system:{ACCOUNTS[controller].name}"
    if controller not in ("garbage-collector", "namespace"):
        assert code(api, "GET", f"{NAMESPACE}/secrets/x", user=account) == 403


def test_a_controller_of_ones_own_may_do_everything(api):
    assert code(api, "DELETE", f"{PODS}/x", user=account_of("mine")) == 404


# Kubelets.


def bound_pod(api: Api, name: str, node: str, **spec: object) -> None:
    api.do("POST", PODS, pod(name, nodeName=node, **spec))


def test_a_node_reads_what_its_pods_refer_to_and_nothing_else(api):
    bound_pod(api, "web", "node-1", volumes=[{"name": "v", "secret": {"secretName": "mine"}}])
    bound_pod(api, "other", "node-2", volumes=[{"name": "v", "secret": {"secretName": "theirs"}}])
    assert code(api, "GET", f"{NAMESPACE}/secrets/mine", NODE) == 404
    assert message(api, "GET", f"{NAMESPACE}/secrets/theirs", NODE).endswith(
        "no relationship found between node 'node-1' and this object"
    )


def test_what_goes_with_its_pod_is_read_no_more(api):
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}]
    containers = [{"name": "main", "image": "nginx", "env": env}]
    bound_pod(api, "web", "node-1", containers=containers)
    bound_pod(api, "too", "node-1", containers=containers)
    assert code(api, "GET", f"{MAPS}/settings", NODE) == 404
    api.do("DELETE", f"{PODS}/web", gracePeriodSeconds="0")
    assert code(api, "GET", f"{MAPS}/settings", NODE) == 404
    api.do("DELETE", f"{PODS}/too", gracePeriodSeconds="0")
    assert code(api, "GET", f"{MAPS}/settings", NODE) == 403


@pytest.mark.parametrize(
    ("method", "path", "why"),
    [
        ("GET", "/api/v1/nodes", "node 'node-1' cannot read all nodes, only its own Node object"),
        ("GET", "/api/v1/nodes/node-2", "node 'node-1' cannot read 'node-2', only its own Node object"),
        ("GET", "/api/v1/pods", "can only list/watch pods with spec.nodeName field selector"),
        ("GET", f"{PODS}/web", "no relationship found between node 'node-1' and this object"),
        ("GET", "/api/v1/secrets", "can only read namespaced object of this type"),
        ("DELETE", f"{NAMESPACE}/secrets/x", "can only read resources of this type"),
        ("GET", f"{NAMESPACE}/serviceaccounts/x", "can only create tokens for individual service accounts"),
        (
            "GET",
            "/apis/coordination.k8s.io/v1/namespaces/default/leases/node-1",
            'can only access leases in the "kube-node-lease" system namespace',
        ),
        (
            "GET",
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-2",
            "can only access node lease with the same name as the requesting node",
        ),
    ],
)
def test_a_node_is_told_why_not(api, method, path, why):
    assert message(api, method, path, NODE).endswith(f": {why}")


def test_a_node_reads_itself_its_lease_and_its_pods(api):
    bound_pod(api, "web", "node-1")
    leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    for path in ("/api/v1/nodes/node-1", f"{leases}/node-1"):
        assert code(api, "GET", path, NODE) == 404
    assert code(api, "GET", f"{PODS}/web", NODE) == 200
    assert code(api, "GET", "/api/v1/pods", NODE, fieldSelector="spec.nodeName=node-1") == 200
    assert code(api, "GET", "/api/v1/pods", NODE, fieldSelector="spec.nodeName=node-2") == 403


def test_a_kubelet_without_a_name_is_none(api):
    nobody = UserInfo("somebody", ("system:nodes", "system:authenticated"))
    assert message(api, "GET", f"{PODS}/web", nobody).endswith(': unknown node for user "somebody"')


# Acting as somebody else.


def acting(name: str, **headers: str) -> dict[str, str]:
    return {"impersonate-user": name} | {f"impersonate-{key}": value for key, value in headers.items()}


def who(api: Api, headers: dict[str, str], user: UserInfo = ADMIN) -> dict:
    answer = api.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, headers, user=user)
    assert answer.code == 201, answer.object
    return answer.object["status"]["userInfo"]


def test_masters_act_as_anybody(api):
    assert who(api, acting("ann")) == {"username": "ann", "groups": ["system:authenticated"]}
    assert who(api, acting("ann", group="a\nb", uid="7") | {"impersonate-extra-scope": "x\ny"}) == {
        "username": "ann",
        "uid": "7",
        "groups": ["a", "b", "system:authenticated"],
        "extra": {"scope": ["x", "y"]},
    }
    assert who(api, acting("system:serviceaccount:default:ci"))["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:default",
        "system:authenticated",
    ]


def test_others_need_the_right_to_for_each_thing(api):
    grant(api, rule("impersonate", "users", names="bob"), namespace="")
    assert who(api, acting("bob"), ANN)["username"] == "bob"
    answer = api.ask("GET", PODS, headers=acting("eve"), user=ANN)
    assert answer.object["message"] == (
        'users "eve" is forbidden: User "ann" cannot impersonate resource "users" in API group "" at the cluster scope'
    )
    answer = api.ask("GET", PODS, headers=acting("bob", group="system:masters"), user=ANN)
    assert answer.object["message"] == (
        'groups "system:masters" is forbidden: User "ann" cannot impersonate resource "groups" '
        'in API group "" at the cluster scope'
    )


def test_a_group_without_a_user_is_an_error(api):
    assert api.ask("GET", PODS, headers={"impersonate-group": "a"}).code == 500
