"""A Deployment's versions, by the real kubectl: rolled out, looked at, taken back, held, and given up."""

from __future__ import annotations

import pytest

from k8slab import Cluster

IMAGE = "registry.k8s.io/e2e-test-images/agnhost"
PROGRESS = (
    'get deployment web -o \'jsonpath={range .status.conditions[?(@.type=="Progressing")]}'
    "{.status} {.reason}: {.message}{end}'"
)
RECREATE = """patch deployment web -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}'"""
TEMPLATE = """\
deployment.apps/web with revision #{revision}
Pod Template:
  Labels:	app=web
	pod-template-hash={hash}
  Annotations:	kubernetes.io/change-cause: {cause}
  Containers:
   agnhost:
    Image:	registry.k8s.io/e2e-test-images/agnhost:{tag}
    Port:	<none>
    Host Port:	<none>
    Environment:	<none>
    Mounts:	<none>
  Volumes:	<none>
  Node-Selectors:	<none>
  Tolerations:	<none>"""
ROLLED_OUT = 'deployment "web" successfully rolled out'
WAITING = 'Waiting for deployment "web" rollout to finish: '


@pytest.fixture
def cluster():
    """A Deployment of three with two versions, each with its cause: 2.39, and now 2.40."""
    with Cluster(nodes=2, seed=1) as cluster:
        for command in (
            f"create deployment web --image={IMAGE}:2.39 --replicas=3",
            "annotate deployment web kubernetes.io/change-cause=first",
            "rollout status deployment/web",
            f"set image deployment/web agnhost={IMAGE}:2.40",
            "annotate deployment web kubernetes.io/change-cause=second --overwrite",
            "rollout status deployment/web",
        ):
            cluster.kubectl(command).check()
        yield cluster


def say(cluster, command):
    """What kubectl prints, as lines; one that is said again and again is said once."""
    result = cluster.kubectl(command)
    lines = (result.stdout + result.stderr).rstrip().splitlines()
    return [line for place, line in enumerate(lines) if place == 0 or line != lines[place - 1]]


def image_of(cluster):
    path = "{.spec.template.spec.containers[0].image}"
    return cluster.kubectl(f"get deployment web -o jsonpath={path}").check().stdout.removeprefix(f"{IMAGE}:")


def history(cluster):
    title, header, *rows = say(cluster, "rollout history deployment/web")
    assert (title.strip(), header.split()) == ("deployment.apps/web", ["REVISION", "CHANGE-CAUSE"])
    return [tuple(row.split()) for row in rows]


def hash_of(cluster, revision):
    path = "{.metadata.labels.pod-template-hash}"
    command = f"rollout history deployment/web --revision={revision} -o jsonpath={path}"
    return cluster.kubectl(command).check().stdout


def test_status_tells_how_a_rolling_update_gets_on(cluster):
    cluster.kubectl(f"set image deployment/web agnhost={IMAGE}:2.53").check()
    assert say(cluster, "rollout status deployment/web") == [
        WAITING + "1 out of 3 new replicas have been updated...",
        WAITING + "2 out of 3 new replicas have been updated...",
        WAITING + "1 old replicas are pending termination...",
        ROLLED_OUT,
    ]
    assert say(cluster, "rollout status deployment/web --revision=1") == [
        "error: desired revision (1) is different from the running revision (3)"
    ]


def test_history_has_every_version_with_its_cause_and_its_template(cluster):
    assert history(cluster) == [("1", "first"), ("2", "second")]
    assert len({hash_of(cluster, 1), hash_of(cluster, 2)}) == 2
    for revision, cause, tag in ((1, "first", "2.39"), (2, "second", "2.40")):
        template = TEMPLATE.format(revision=revision, hash=hash_of(cluster, revision), cause=cause, tag=tag)
        assert "\n".join(say(cluster, f"rollout history deployment/web --revision={revision}")) == template
    assert say(cluster, "rollout history deployment/web --revision=9") == [
        "error: unable to find the specified revision"
    ]


def test_undo_goes_back_and_the_old_version_has_a_new_number(cluster):
    assert say(cluster, "rollout undo deployment/web") == ["deployment.apps/web rolled back"]
    assert say(cluster, "rollout status deployment/web")[-1] == ROLLED_OUT
    assert (image_of(cluster), history(cluster)) == ("2.39", [("2", "second"), ("3", "first")])
    before = "{.metadata.annotations.deployment\\.kubernetes\\.io/revision-history}"
    assert say(cluster, f"rollout history deployment/web --revision=3 -o 'jsonpath={before}'") == ["1"]


def test_undo_goes_to_the_revision_that_is_asked_for(cluster):
    cluster.kubectl(f"set image deployment/web agnhost={IMAGE}:2.53").check()
    assert say(cluster, "rollout undo deployment/web --to-revision=1") == ["deployment.apps/web rolled back"]
    assert say(cluster, "rollout status deployment/web")[-1] == ROLLED_OUT
    assert image_of(cluster) == "2.39"
    assert [revision for revision, _ in history(cluster)] == ["2", "3", "4"]
    assert say(cluster, "rollout undo deployment/web --to-revision=4") == [
        "deployment.apps/web skipped rollback (current template already matches revision 4)"
    ]
    assert say(cluster, "rollout undo deployment/web --to-revision=1") == [
        "error: unable to find specified revision 1 in history"
    ]


def test_a_paused_deployment_keeps_its_version_until_it_is_resumed(cluster):
    assert say(cluster, "rollout pause deployment/web") == ["deployment.apps/web paused"]
    assert say(cluster, PROGRESS) == ["Unknown DeploymentPaused: Deployment is paused"]
    cluster.kubectl(f"set image deployment/web agnhost={IMAGE}:2.53").check()
    assert say(cluster, "rollout status deployment/web --timeout=5s") == [
        WAITING + "0 out of 3 new replicas have been updated...",
        "k8slab: kubectl's --timeout of 5s of virtual time is over",
    ]
    for command, refusal in (
        ("pause", 'deployments.apps "web" is already paused'),
        ("restart", 'deployments.apps "web" can\'t restart paused deployment (run rollout resume first)'),
        (
            "undo",
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
        ),
    ):
        assert say(cluster, f"rollout {command} deployment/web") == [f"error: {refusal}"]
    assert say(cluster, "rollout resume deployment/web") == ["deployment.apps/web resumed"]
    assert say(cluster, "rollout resume deployment/web") == ['error: deployments.apps "web" is not paused']
    assert say(cluster, "rollout status deployment/web")[-1] == ROLLED_OUT
    assert [revision for revision, _ in history(cluster)] == ["1", "2", "3"]


def test_what_is_scaled_while_paused_is_scaled_at_once(cluster):
    cluster.kubectl("rollout pause deployment/web").check()
    cluster.kubectl("scale deployment/web --replicas=5").check()
    cluster.run_until_idle()
    assert "5/5" in say(cluster, "get deployment web")[1]
    assert [revision for revision, _ in history(cluster)] == ["1", "2"]


def test_restart_makes_all_pods_anew(cluster):
    before = set(say(cluster, "get pods -o name"))
    assert say(cluster, "rollout restart deployment/web") == ["deployment.apps/web restarted"]
    assert say(cluster, "rollout status deployment/web")[-1] == ROLLED_OUT
    cluster.run_until_idle()
    after = set(say(cluster, "get pods -o name"))
    assert len(after) == 3
    assert not after & before
    assert [revision for revision, _ in history(cluster)] == ["1", "2", "3"]


def test_after_ten_minutes_without_progress_status_gives_up_and_undo_makes_it_good(cluster):
    cluster.kubectl(f"set image deployment/web agnhost={IMAGE}:broken").check()
    assert say(cluster, "rollout status deployment/web") == [
        WAITING + "1 out of 3 new replicas have been updated...",
        'error: deployment "web" exceeded its progress deadline',
    ]
    name = f"web-{hash_of(cluster, 3)}"
    gave_up = [f'False ProgressDeadlineExceeded: ReplicaSet "{name}" has timed out progressing.']
    assert say(cluster, PROGRESS) == gave_up
    assert "3/3" in say(cluster, "get deployment web")[1]
    cluster.kubectl("rollout pause deployment/web").check()
    assert say(cluster, PROGRESS) == gave_up  # a pause does not hide it
    cluster.kubectl("rollout resume deployment/web").check()
    assert say(cluster, "rollout undo deployment/web") == ["deployment.apps/web rolled back"]
    assert say(cluster, "rollout status deployment/web") == [ROLLED_OUT]
    name = f"web-{hash_of(cluster, 4)}"
    assert say(cluster, PROGRESS) == [f'True NewReplicaSetAvailable: ReplicaSet "{name}" has successfully progressed.']


def test_recreate_ends_every_old_pod_before_there_is_a_new_one(cluster):
    cluster.kubectl(RECREATE).check()
    cluster.kubectl(f"set image deployment/web agnhost={IMAGE}:2.53").check()
    assert {row.split()[2] for row in say(cluster, "get pods")[1:]} == {"Terminating"}
    assert say(cluster, "rollout status deployment/web") == [
        WAITING + "0 out of 3 new replicas have been updated...",
        WAITING + "0 of 3 updated replicas are available...",
        WAITING + "1 of 3 updated replicas are available...",
        WAITING + "2 of 3 updated replicas are available...",
        ROLLED_OUT,
    ]
    old, new = f"web-{hash_of(cluster, 2)}", f"web-{hash_of(cluster, 3)}"
    told = say(cluster, "events --for deployment/web")
    assert [line.split("deployment-controller")[-1].split("Deployment/web")[-1].strip() for line in told][-2:] == [
        f"Scaled down replica set {old} from 3 to 0",
        f"Scaled up replica set {new} from 0 to 3",
    ]
