from __future__ import annotations

import pytest

from k8slab.loop.kubectl import Kubectl, KubectlResult, find_kubectl, split_command
from k8slab.loop.stepped_kubectl import budget_of, note_of, own_timeout


def test_a_command_may_begin_with_kubectl_or_not():
    assert split_command("kubectl get pods") == split_command("get pods") == ["get", "pods"]


def test_quotes_are_the_shells():
    assert split_command("""patch deploy web -p '{"spec": {}}'""") == ["patch", "deploy", "web", "-p", '{"spec": {}}']


def test_an_open_quote_is_named():
    with pytest.raises(ValueError, match="check its quotes") as error:
        split_command("get pods -l 'app")
    assert error.value._render_traceback_() == [str(error.value)]


def test_a_result_shows_as_kubectls_own_output():
    result = KubectlResult(("get", "pods"), "NAME\nweb\n", "Warning: x\n", 0)
    assert repr(result) == "NAME\nweb\nWarning: x"


def test_a_result_without_json_says_what_kubectl_said():
    result = KubectlResult(("get", "pods"), "", "error: no such thing\n", 1)
    with pytest.raises(ValueError, match=r"did it have '-o json'\? It said: error: no such thing"):
        result.json()
    with pytest.raises(RuntimeError, match="kubectl get pods failed"):
        result.check()


def test_kubectl_runs_with_a_kubeconfig_of_its_own_and_without_proxies(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("KUBECONFIG", "/somewhere/else")
    environment = Kubectl(tmp_path / "config", tmp_path / "cache").environment()
    assert environment["KUBECONFIG"] == str(tmp_path / "config")
    assert "HTTPS_PROXY" not in environment


def test_kubectl_runs(tmp_path):
    result = Kubectl(tmp_path / "config", tmp_path / "cache").run(["version", "--client"], None, 20)
    assert result.stdout.startswith("Client Version: v1.37")
    assert find_kubectl().endswith("kubectl")


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        ("wait --for=condition=Ready pod/web --timeout=90s", 90),
        ("rollout status deploy/web --timeout 2m", 120),
        ("wait --for=delete pod/web", 30),
        ("get pods -w", 60),
        ("logs -f web", 60),
        ("logs web", 600),
        ("rollout status deploy/web", 900),
        ("exec web -- sleep --timeout=5s", 600),
    ],
)
def test_a_command_has_a_budget_of_virtual_time(command, seconds):
    assert budget_of(split_command(command), None) == seconds


def test_the_callers_budget_wins():
    assert budget_of(["get", "pods", "-w"], 5.0) == 5.0


@pytest.mark.parametrize(
    ("command", "budget", "note"),
    [
        ("wait --for=delete pod/web", None, "k8slab: kubectl's --timeout of 30s of virtual time is over\n"),
        (
            "rollout status deploy/web --timeout=2m",
            None,
            "k8slab: kubectl's --timeout of 120s of virtual time is over\n",
        ),
        ("rollout status deploy/web", None, "k8slab: kubectl would wait on; 900s of virtual time are over\n"),
        ("get pods -w", None, ""),
        ("rollout status deploy/web", 5.0, ""),
    ],
)
def test_whoever_is_interrupted_while_waiting_hears_why(command, budget, note):
    assert note_of(split_command(command), budget) == note


def test_what_is_no_duration_is_left_for_kubectl_to_refuse():
    assert own_timeout(["wait", "--timeout=soon"]) is None
    assert own_timeout(["wait", "--timeout"]) is None
