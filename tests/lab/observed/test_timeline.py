from __future__ import annotations

from tests.lab.observed.test_events import AT, told


def test_a_pod_has_all_times_that_the_cluster_keeps(fake, lab):
    running = {"running": {"startedAt": AT.format(6)}}
    ended = {"terminated": {"startedAt": AT.format(2), "finishedAt": AT.format(4), "reason": "Error", "exitCode": 1}}
    pod = fake.add(
        "v1/pods",
        "web",
        metadata={
            "deletionTimestamp": "2026-01-01T00:00:39Z",
            "deletionGracePeriodSeconds": 30,
            "finalizers": ["example.com/f"],
            "managedFields": [
                {"manager": "kubelet", "operation": "Update", "subresource": "status", "time": AT.format(7)}
            ],
        },
        status={
            "startTime": AT.format(1),
            "conditions": [{"type": "Ready", "status": "False", "reason": "No", "lastTransitionTime": AT.format(8)}],
            "containerStatuses": [{"name": "web", "state": running, "lastState": ended}],
            "initContainerStatuses": [{"name": "init", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
        },
    )
    told(fake, pod, firstTimestamp=AT.format(3), lastTimestamp=AT.format(5))
    told(fake, pod, "f", firstTimestamp=AT.format(9), lastTimestamp=AT.format(9), count=1, type="Normal")
    answer = lab.timeline("pod", "web")
    assert str(answer.picture).splitlines() == [
        "Timeline of Pod web",
        " +0.0s  life                 created",
        " +1.0s  life                 started",
        " +2.0s  container web        Error, exit code 1  (2s)",
        " +3.0s  kubelet node-1 says  BackOff: Back-off (4 times)  (2s)",
        " +6.0s  container web        runs  (not ended)",
        " +7.0s  last write           kubelet (Update of status, 0 fields)",
        " +8.0s  conditions           Ready=False (No)",
        " +9.0s  life                 deletion asked for, waits for example.com/f",
        " +9.0s  kubelet node-1 says  BackOff: Back-off",
        "+39.0s  life                 its time of grace ends",
    ]
    assert "container init of web waits (CrashLoopBackOff): since when is not recorded" in answer.notes
    assert answer.timeline.title == "Timeline of Pod web"


def test_with_what_it_owns_each_object_has_a_lane(fake, lab, web):
    told(fake, web[2])
    timeline = lab.timeline("deploy/web", owned=True).timeline
    assert timeline.lanes == ("Deployment/web", "ReplicaSet/web-1", "Pod/web-1-a")
    assert [bar.label for bar in timeline.bars] == ["BackOff: Back-off (4 times) (kubelet node-1 says)"]


def test_any_kind_has_a_timeline_and_odd_conditions_do_no_harm(fake, lab):
    fake.add("example.com/v1alpha1/widgets", "w", status={"conditions": "none", "completionTime": AT.format(4)})
    assert [mark.label for mark in lab.timeline("widget/w").timeline.marks] == ["created", "completed"]
