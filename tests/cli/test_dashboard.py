"""The dashboard of a cluster that runs in a terminal: a real process, asked over real sockets."""

from __future__ import annotations

import json
import re
import socket
import stat
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from k8slab.cli.dashboard import dashboard_url
from k8slab.cli.profile import ProfileError, State

from .test_main import user  # noqa: F401  (a fixture)

ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/#token=([0-9a-f]{32})")


def about(port: str, token: str) -> dict:
    request = Request(f"http://127.0.0.1:{port}/about", headers={"Authorization": f"Bearer {token}"})
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_the_dashboard_lives_as_long_as_its_cluster(user):  # noqa: F811
    user("start --runtime simulated --nodes 2 --detach --name other")
    file = user.home / "k8slab" / "other" / "state.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    port, token = ADDRESS.fullmatch(user("dashboard --name other --no-browser").strip()).groups()
    assert about(port, token) == {
        "name": "other", "mode": "live", "runtime": "simulated", "nodes": 2, "seed": about(port, token)["seed"],
    }  # fmt: skip
    with pytest.raises(HTTPError, match="401"):
        about(port, "0" * 32)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        wanted = str(free.getsockname()[1])
    assert ADDRESS.fullmatch(user(f"dashboard --name other --no-browser --port {wanted}").strip())[1] == wanted
    assert about(wanted, token)["name"] == "other"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = user(f"dashboard --name other --no-browser --port {taken.getsockname()[1]}", code=1)
    assert said.startswith("k8slab: Cannot listen on port")

    log = (user.home / "k8slab" / "other" / "log").read_text()
    assert token not in log
    user("stop --name other")
    assert not file.exists()
    for each in (port, wanted):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(each))) != 0
    assert "does not run; start it: k8slab start --name other" in user("dashboard --name other", code=1)


def test_without_a_cluster_it_says_how_to_start_one(user):  # noqa: F811
    assert "k8slab start" in user("dashboard", code=1)


def test_a_process_of_an_older_k8slab_has_none():
    with pytest.raises(ProfileError, match="stop it and start it again"):
        dashboard_url(State(1, "https://127.0.0.1:1", 0.0))


def test_a_dashboard_that_does_not_answer_is_one_sentence():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    state = State(1, "https://127.0.0.1:1", 0.0, f"http://127.0.0.1:{port}/#token=0")
    assert dashboard_url(state) == dashboard_url(state, port) == state.dashboard
    with pytest.raises(ProfileError, match="does not answer"):
        dashboard_url(state, port + 1 if port < 65535 else 1)
