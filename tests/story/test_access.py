"""Who may do what, with the real kubectl: tokens, roles, acting as somebody else; on a virtual clock, and lived again."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.engine.accounts import user_of

ANN = "--as=ann --as-group=developers"


@pytest.fixture
def cluster():
    with Cluster(nodes=2, seed=1) as cluster:
        yield cluster


def log_in(cluster: Cluster, account: str, duration: str = "10m") -> str:
    """Let kubectl's user `account` show a token of a new service account; the option that takes it."""
    cluster.kubectl(f"create serviceaccount {account}").check()
    token = cluster.kubectl(f"create token {account} --duration={duration}").check().stdout.strip()
    cluster.kubectl(f"config set-credentials {account} --token={token}").check()
    return f"--user={account}"


def test_a_service_account_may_do_what_it_is_bound_to(cluster):
    me = log_in(cluster, "ci")
    refused = cluster.kubectl(f"get pods {me}")
    assert refused.stderr == (
        'Error from server (Forbidden): pods is forbidden: User "system:serviceaccount:default:ci" cannot list resource '
        '"pods" in API group "" in the namespace "default"\n'
    )
    cluster.kubectl("create rolebinding ci-looks --clusterrole=view --serviceaccount=default:ci").check()
    assert cluster.kubectl(f"get pods {me}").ok
    assert cluster.kubectl(f"auth can-i list pods {me}").stdout == "yes\n"
    assert cluster.kubectl(f"auth can-i delete pods {me}").stdout == "no\n"
    assert "secrets" not in cluster.kubectl(f"auth can-i --list {me}").check().stdout


def test_a_token_ends_when_the_virtual_clock_says_so(cluster):
    me = log_in(cluster, "ci")
    assert "system:serviceaccount:default:ci" in cluster.kubectl(f"auth whoami {me}").check().stdout
    cluster.run_for("11m1s")
    assert "the server has asked for the client to provide credentials" in cluster.kubectl(f"get pods {me}").stderr


def test_a_token_is_worth_nothing_without_its_account(cluster):
    me = log_in(cluster, "ci")
    cluster.kubectl("delete serviceaccount ci").check()
    assert not cluster.kubectl(f"auth whoami {me}").ok


def test_kubectl_says_as_whom_it_acts(cluster):
    shown = cluster.kubectl(f"auth whoami {ANN} --as-uid=7 --as-user-extra=scope=a").check().stdout
    assert shown.splitlines()[1:] == [
        "Username       ann",
        "UID            7",
        "Groups         [developers system:authenticated]",
        "Extra: scope   [a]",
    ]
    assert 'User "ann" cannot list resource "nodes"' in cluster.kubectl(f"get nodes {ANN}").stderr


def test_a_life_with_tokens_is_lived_again_and_its_journal_holds_none(cluster):
    me = log_in(cluster, "ci")
    token = cluster.kubectl("create token ci").check().stdout.strip()
    cluster.kubectl("create rolebinding ci-edits --clusterrole=edit --serviceaccount=default:ci").check()
    cluster.kubectl(f"create deployment web --image=nginx {me}").check()
    cluster.kubectl(f"create configmap settings --from-literal=a=1 {ANN}")
    cluster.run_for("10s")
    digest, step = cluster.engine.log_digest(), cluster.engine.steps
    assert token not in repr(cluster.engine.lived)
    assert "Bearer" not in repr(cluster.engine.lived)
    cluster.goto(step)
    assert cluster.engine.log_digest() == digest


def test_a_learners_controller_may_do_everything():
    from k8slab.controllers.replicaset import ReplicaSetController

    with Cluster(nodes=1, replace={"replicaset": ReplicaSetController}) as cluster:
        user = user_of("replicaset-controller", cluster.engine.spec.replace)
        assert (user.name, user.groups[0]) == ("system:kube-controller-manager", "k8slab:controllers")
        cluster.kubectl("create deployment web --image=nginx").check()
        cluster.run_until_idle()
        assert "1/1" in cluster.kubectl("get deployment web").stdout


def test_the_clusters_own_controllers_are_told_no_by_nobody(cluster):
    refused = []
    cluster.server.observers["test"] = lambda record: refused.append(record) if record.code == 403 else None
    cluster.kubectl("create deployment web --image=nginx --replicas=3").check()
    cluster.kubectl("create namespace shop").check()
    cluster.kubectl("create configmap settings --from-literal=a=1 -n shop").check()
    cluster.run_for("30s")
    cluster.kubectl("set image deployment/web nginx=nginx:1.27").check()
    cluster.kubectl("rollout status deployment/web").check()
    cluster.kubectl("delete namespace shop").check()
    cluster.kubectl("delete deployment web --cascade=foreground").check()
    cluster.run_for("60s")
    assert refused == []
