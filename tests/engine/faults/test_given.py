"""What can be asked for, and what is said of the rest."""

from __future__ import annotations

import pytest

from k8slab.engine.faults import FAULTS
from k8slab.engine.inputs import Fault
from tests.engine.faults.harness import KUBELET, SCHEDULER


def test_every_row_of_the_table_is_a_sentence_and_has_its_own_name():
    assert all(kind.says.endswith(".") and FAULTS[kind.name] is kind for kind in FAULTS.values())


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("earthquake", {}, r"unknown fault 'earthquake'; there are: slow-watch, .*container-crash"),
        ("crash", {"node": "node-1"}, r"the fault 'crash' takes no 'node'; it takes: component"),
        ("crash", {}, r"the fault 'crash' needs component=\.\.\., one of: .*kube-scheduler"),
        ("crash", {"component": "etcd"}, r"unknown component 'etcd'; there are: .*kube-scheduler"),
        ("cut-off", {"component": "etcd-lessor"}, r"unknown component 'etcd-lessor'; there are: "),
        ("node-lost", {"node": "node-9"}, r"unknown node 'node-9'; there are: node-1"),
        ("api-errors", {"component": SCHEDULER, "share": 2}, r"cannot take share=2: a share is a number from 0 to 1"),
        ("api-errors", {"component": SCHEDULER, "share": "x"}, r"cannot take share='x': a share is a number"),
        ("api-errors", {"component": SCHEDULER, "share": float("nan")}, r"a share is a number from 0 to 1"),
        ("api-errors", {"component": SCHEDULER, "code": 404}, r"cannot take code=404: there are: 429, 503"),
        ("api-errors", {"component": SCHEDULER, "code": "x"}, r"cannot take code='x': there are: 429, 503"),
        ("api-latency", {"component": SCHEDULER, "seconds": "soon"}, r"cannot take seconds='soon': not a duration"),
        ("api-latency", {"component": SCHEDULER, "seconds": -1}, r"cannot take seconds=-1: a duration is 0 or more"),
        ("api-latency", {"component": SCHEDULER, "seconds": []}, r"cannot take seconds=\[\]: write for example '60s'"),
        ("clock-rate", {"component": SCHEDULER, "rate": 0}, r"a clock runs 0\.1 to 10 times as fast as a right one"),
        ("clock-rate", {"component": SCHEDULER, "rate": "x"}, r"a clock runs 0\.1 to 10 times"),
        ("freeze", {"component": SCHEDULER, "before": "noon"}, r"cannot take before='noon': there are: now, write"),
        ("clock-skew", {"component": SCHEDULER}, r"the fault 'clock-skew' needs ahead=\.\.\.$"),
        ("clock-skew", {"component": SCHEDULER, "ahead": float("inf")}, r"a clock is wrong by ten years at most"),
        ("clock-skew", {"component": SCHEDULER, "ahead": float("nan")}, r"a clock is wrong by ten years at most"),
        ("clock-skew", {"component": SCHEDULER, "ahead": "-"}, r"an empty text is not a duration"),
    ],
)
def test_what_makes_no_sense_is_answered_by_what_there_is(cluster, name, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        cluster.fault(name, **arguments)


def test_durations_are_read_as_everywhere(cluster):
    assert cluster.fault("clock-skew", component=SCHEDULER, ahead="-1m30s").arguments["ahead"] == -90
    assert cluster.fault("slow-watch", component=SCHEDULER, delay="500ms").arguments["delay"] == 0.5


def test_an_input_that_is_not_in_form_is_refused_before_it_is_noted(cluster):
    before = len(cluster._engine.lived)
    with pytest.raises(ValueError, match="needs all of its arguments in form"):
        cluster._engine.take(Fault("api-latency", {"component": SCHEDULER}))
    with pytest.raises(ValueError, match="unknown component 'nobody'"):
        cluster._engine.take(Fault("cut-off", {"component": "nobody"}, ends=True))
    with pytest.raises(ValueError, match="the fault 'restart' happens once: there is nothing to end"):
        cluster._engine.take(Fault("restart", {"component": SCHEDULER}, ends=True))
    assert len(cluster._engine.lived) == before


@pytest.mark.parametrize("name", [name for name, kind in FAULTS.items() if kind.end is not None])
def test_to_end_what_has_not_begun_changes_nothing(cluster, name):
    given = {"component": SCHEDULER, "node": "node-1", "ahead": 5, "rate": 2, "where": "docker.io"}
    wanted = {each.name: given[each.name] for each in FAULTS[name].arguments if each.name in given}
    state, revision = cluster._engine.processes.lines[SCHEDULER].state, cluster.store.revision
    cluster.fault(name, **wanted).stop()
    cluster.run_for(0)
    assert (cluster._engine.processes.lines[SCHEDULER].state, cluster.store.revision) == (state, revision)


def test_a_fault_that_is_mended_in_other_words_is_no_longer_active(cluster):
    cluster.registry.fail("registry.k8s.io", "i/o timeout")
    assert list(cluster.engine.faults) == ["image-pull-failure where=registry.k8s.io"]
    cluster.registry.heal("registry.k8s.io")
    assert cluster.engine.faults == {}


def test_a_fault_that_gets_worse_is_still_one_fault(cluster):
    cluster.fault("api-latency", component=KUBELET, seconds=1).start()
    cluster.fault("api-latency", component=KUBELET, seconds=2).start()
    assert [fault.arguments["seconds"] for fault in cluster.engine.faults.values()] == [2.0]
