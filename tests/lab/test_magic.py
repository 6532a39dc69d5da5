from __future__ import annotations

from weakref import WeakSet

import pytest
from IPython.core.interactiveshell import InteractiveShell

from k8slab import Cluster
from k8slab import cluster as engine_cluster
from k8slab.lab.magic import NO_CLUSTER, NoCluster, register

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: note}\ndata: {a: b}\n"


@pytest.fixture
def shell():
    shell = InteractiveShell.instance()
    register(shell)
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture
def cluster():
    with Cluster(nodes=1, seed=1) as cluster:
        yield cluster


def test_a_line_runs_kubectl_on_the_current_cluster(shell, cluster):
    assert "node-1" in shell.run_line_magic("kubectl", "get nodes").stdout


def test_a_cell_is_kubectls_input(shell, cluster):
    assert shell.run_cell_magic("kubectl", "apply -f -", MANIFEST).stdout == "configmap/note created\n"


def test_variables_are_filled_in(shell, cluster):
    shell.user_ns["name"] = "node-1"
    result = shell.run_cell("%kubectl get node {name} -o name").result
    assert result.stdout == "node/node-1\n"


def test_without_a_cluster_a_sentence_says_how_to_make_one(shell, monkeypatch):
    monkeypatch.setattr(engine_cluster.Cluster, "_open", WeakSet())
    with pytest.raises(NoCluster) as error:
        shell.run_line_magic("kubectl", "get nodes")
    assert error.value._render_traceback_() == [NO_CLUSTER]


def test_registering_twice_is_fine(shell):
    register(shell)


def test_importing_cluster_in_a_notebook_registers_it(monkeypatch):
    import k8slab

    seen = []
    monkeypatch.setattr(k8slab, "load_ipython_extension", seen.append)
    shell = InteractiveShell.instance()
    assert k8slab.__getattr__("Cluster") is Cluster
    assert seen == [shell]
    InteractiveShell.clear_instance()
