"""The teaching servers, word for word."""

from __future__ import annotations

import re

import pytest

from tests.cri.harness import AGNHOST, BOOTCAMP, NGINX


def served(node, image: str, *command: str) -> tuple[str, str]:
    """A server, and a client beside it."""
    sandbox = node.sandbox("web")
    server = node.start(*command, image=image, sandbox=sandbox)
    client = node.shell("sleep 1000", sandbox=sandbox)
    node.wait(1)
    return server, client


def ask(node, client: str, url: str) -> tuple[str, int]:
    result = node.runtime.exec_sync(client, ("curl", "-sf", url), 5)
    return result.stdout.decode(), result.exit_code


def test_netexec_logs_as_the_tutorial_shows(simulated):
    server, _ = served(simulated, AGNHOST, "/agnhost", "netexec", "--http-port=8080")
    lines = [line.partition("] ")[2] for line in simulated.output(server).splitlines()]
    assert lines == ["Started HTTP server on port 8080", "Started UDP server on port  8081"]
    assert re.match(r"I0101 00:00:\d\d\.\d{6}       1 log.go:195\] ", simulated.output(server))


def test_netexec_leaves_when_it_is_told_to(simulated):
    server, client = served(simulated, AGNHOST, "/agnhost", "netexec")
    ask(simulated, client, "http://localhost:8080/exit?code=4")
    assert simulated.ended(server).exit_code == 4


def test_a_taken_port_is_an_error(simulated):
    sandbox = simulated.sandbox()
    simulated.start("/agnhost", "netexec", image=AGNHOST, sandbox=sandbox)
    simulated.wait(1)
    second = simulated.start("/agnhost", "netexec", image=AGNHOST, sandbox=sandbox)
    assert simulated.ended(second).exit_code == 2
    assert "bind: address already in use" in simulated.output(second)


def test_the_bootcamp_counts_its_requests(simulated):
    server, client = served(simulated, BOOTCAMP)
    for _ in range(2):
        ask(simulated, client, "http://localhost:8080")
    log = simulated.output(server)
    assert "Kubernetes Bootcamp App Started At: 2026-01-01T00:00:" in log
    assert "Running On: web | Total Requests: 2 | App Uptime: " in log


def test_version_2_says_so(simulated):
    _, client = served(simulated, "docker.io/jocatalin/kubernetes-bootcamp:v2")
    assert ask(simulated, client, "localhost:8080")[0].endswith("| v=2\n")


def test_node_as_pid_1_ignores_sigterm(simulated):
    server, _ = served(simulated, BOOTCAMP)
    assert simulated.runtime.stop_container(server, 30) == 30


@pytest.mark.parametrize("image", [NGINX, "nginx:1.14.2"])
def test_nginx_tells_its_version_and_logs_each_access(simulated, image):
    server, client = served(simulated, image)
    page, code = ask(simulated, client, "http://localhost/")
    assert "<h1>Welcome to nginx!</h1>" in page
    assert code == 0
    assert ask(simulated, client, "http://localhost/nothing")[1] == 22
    assert '"GET /nothing HTTP/1.1" 404' in simulated.output(server)


def test_nothing_listens_at_other_ports(simulated):
    _, client = served(simulated, NGINX)
    assert ask(simulated, client, "http://localhost:81/")[1] == 7


def test_a_mounted_page_is_served(simulated):
    from k8slab.cri.api import Mount

    sandbox, mounts = simulated.sandbox(), (Mount("/usr/share/nginx/html", "/host/html"),)
    simulated.start(image=NGINX, sandbox=sandbox, mounts=mounts)
    client = simulated.shell(
        "echo mine > /html/index.html; sleep 1000", sandbox=sandbox, mounts=(Mount("/html", "/host/html"),)
    )
    simulated.wait(1)
    assert ask(simulated, client, "http://localhost/")[0] == "mine\n"
