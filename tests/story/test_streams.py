"""attach, cp, debug and port-forward, by the real kubectl and by the official Python client, on both runtimes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import pytest

from k8slab.cluster import Cluster
from tests.eventually import eventually

IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.39"
BUSYBOX = "busybox:1.36"


@pytest.fixture(scope="module", params=["simulated", pytest.param("docker", marks=pytest.mark.docker)])
def cluster(request):
    with Cluster(nodes=1, seed=1, mode="live", runtime=request.param, name="streams") as cluster:
        cluster.kubectl(f"run web --image={IMAGE} -- netexec --http-port=8080").check()
        cluster.kubectl("wait --for=condition=Ready pod/web --timeout=60s").check()
        yield cluster


@contextmanager
def forwarding(cluster, *ports):
    """The local ports that kubectl listens on."""
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
    command = ["kubectl", "port-forward", "--address=127.0.0.1", "pod/web", *(f":{port}" for port in ports)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            lines = [process.stdout.readline() for _ in ports]
            yield [int(line.split(" -> ")[0].rpartition(":")[2]) for line in lines]
        finally:
            process.kill()


def get(port, path):
    return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20).read()


def test_port_forward_brings_a_port_of_the_pod_to_this_machine(cluster):
    with forwarding(cluster, 8080) as [port]:
        assert [get(port, path) for path in ("/hostname", "/echo?msg=hi", "/hostname")] == [b"web", b"hi", b"web"]


def test_a_port_where_nobody_listens_is_told(cluster):
    with forwarding(cluster, 9999) as [port], pytest.raises(OSError, match=r"closed|reset"):
        get(port, "/")


def test_when_kubectl_goes_nothing_stays_open(cluster):
    server = cluster._door.server
    before = server.open_streams
    with forwarding(cluster, 8080) as [port]:
        get(port, "/hostname")
    assert eventually(lambda: server.open_streams <= before)


FORWARD = """
import sys
import kubernetes
from kubernetes.stream import portforward

api = kubernetes.client.CoreV1Api(kubernetes.config.new_client_from_config(sys.argv[1]))
forward = portforward(api.connect_get_namespaced_pod_portforward, "web", "default", ports="8080")
connection = forward.socket(8080)
connection.sendall(b"GET /hostname HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
answer = b""
while not answer.endswith(b"web"):
    answer += connection.recv(1024)
print(answer.split(b"\\r\\n")[0].decode(), forward.error(8080))
"""


def test_the_python_client_forwards_too(cluster):
    command = [sys.executable, "-c", FORWARD, str(cluster.kubeconfig)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.stdout == "HTTP/1.1 200 OK None\n", result.stderr


def test_run_attaches_and_tells_the_exit_code(cluster):
    command = f"run ask -i --rm --quiet --restart=Never --image={BUSYBOX} -- sh -c 'read x; echo got $x; exit 3'"
    result = cluster.kubectl(command, stdin="hello\n")
    assert result.stdout.startswith("got hello\n")
    assert result.returncode == 3


def test_a_command_that_is_not_there_is_told_in_the_words_of_all_who_passed_it_on(cluster):
    result = cluster.kubectl("exec web -- nosuch")
    told = (
        "error: Internal error occurred: error executing command in container: failed to exec in container: failed to start "
        'exec "[0-9a-f]+": OCI runtime exec failed: exec failed: .*exec: "nosuch": executable file not found in [$]PATH'
    )
    assert re.match(told, result.stderr), result.stderr


def test_cp_copies_there_and_back(cluster, tmp_path):
    cluster.kubectl(f"run files --image={BUSYBOX} -- sleep 1000").check()
    cluster.kubectl("wait --for=condition=Ready pod/files --timeout=60s").check()
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "one.txt").write_text("one\n" * 1000)
    cluster.kubectl(f"cp {tmp_path / 'there'} files:/tmp/copied").check()
    assert str(cluster.kubectl("exec files -- wc -l /tmp/copied/one.txt")).split()[0] == "1000"
    cluster.kubectl(f"cp files:/tmp/copied {tmp_path / 'back'}").check()
    assert (tmp_path / "back" / "one.txt").read_text() == "one\n" * 1000


def test_debug_looks_around_from_inside_the_pod(cluster):
    command = f"debug web -i --quiet --image={BUSYBOX} -c look -- sh -c 'read x; wget -qO- localhost:8080/$x; echo'"
    assert cluster.kubectl(command, stdin="hostname\n").stdout == "web\n"
    state = "{.status.ephemeralContainerStatuses[0].state.terminated.exitCode}"
    assert eventually(lambda: str(cluster.kubectl(f"get pod web -o jsonpath={state}")) == "0")


def test_who_looked_around_cannot_be_taken_out_again(cluster):
    patch = '[{"op":"remove","path":"/spec/ephemeralContainers/0"}]'
    result = cluster.kubectl(["patch", "pod", "web", "--subresource=ephemeralcontainers", "--type=json", "-p", patch])
    assert 'existing ephemeral containers "look" may not be removed' in str(result)


def test_nor_can_one_be_added_but_by_its_own_way(cluster):
    patch = '{"spec":{"ephemeralContainers":[{"name":"x","image":"busybox"}]}}'
    result = cluster.kubectl(["patch", "pod", "web", "-p", patch])
    assert "pod updates may not change fields other than" in str(result)
