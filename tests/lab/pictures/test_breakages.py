from __future__ import annotations

import pytest

from k8slab.engine.faults import FAULTS, arguments_of
from k8slab.engine.inputs import Fault
from k8slab.lab.pictures.breakages import breakage_of
from k8slab.lab.records import Record


def told(name: str, ends: str = "", **given: object):
    return breakage_of(Record(1, "fault", 0.0, 1, text=str(Fault(name, arguments_of(None, name, given))) + ends))


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("container-crash", {"pod": "web-abc"}, "container-crash of pod web-abc"),
        ("container-crash", {"pod": "a", "namespace": "shop", "container": "main"},
         "container-crash of pod shop/a, container main"),
        ("node-lost", {"node": "node-1"}, "node-lost node-1"),
        ("slow-watch", {"component": "kube-scheduler"}, "slow-watch kube-scheduler"),
        ("slow-watch", {"component": "kube-scheduler", "delay": "5s"}, "slow-watch kube-scheduler, delay 5s"),
        ("clock-skew", {"component": "kube-scheduler", "ahead": "-7s"}, "clock-skew kube-scheduler -7s"),
        ("api-errors", {"component": "kube-scheduler", "code": 429}, "api-errors kube-scheduler, code 429"),
        ("image-pull-failure", {}, "image-pull-failure"),
        ("image-pull-failure", {"where": "nginx", "message": "no such host"},
         "image-pull-failure of nginx, message no such host"),
    ],
)  # fmt: skip
def test_a_fault_is_told_without_what_goes_without_saying(name, given, words):
    assert str(told(name, **given)) == words


def test_its_end_is_told_apart():
    assert told("node-lost", " ends", node="node-1").ends
    assert not told("node-lost", node="node-1").ends


def test_whose_it_is():
    assert told("node-partitioned", node="node-1").component == "kubelet-node-1"
    assert told("cut-off", component="kube-scheduler").component == "kube-scheduler"
    assert told("image-pull-failure").component == ""


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_words(name):
    given = {
        each.name: {"ahead": "1s", "rate": 2}.get(each.name, "x")
        for each in FAULTS[name].arguments
        if each.default is None
    }
    assert str(told(name, **given)).startswith(name)
