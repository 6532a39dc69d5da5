"""The official client's streams and helpers: YAML files, exec with input, port-forward, informers, a watch that is late."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path

from kubernetes import client, config, watch
from kubernetes.informer import SharedInformer
from kubernetes.stream import portforward, stream
from kubernetes.stream.ws_client import ERROR_CHANNEL
from kubernetes.utils import create_from_yaml, parse_quantity
from kubernetes.utils.create_from_yaml import FailToCreateError
from kubernetes.utils.duration import parse_duration

from tests.programs.manifests import refusal

NAMESPACE = "streams"
MANIFEST = Path(sys.argv[1])

config.load_kube_config()
core, apps = client.CoreV1Api(), client.AppsV1Api()
core.create_namespace({"metadata": {"name": NAMESPACE}})

made = create_from_yaml(client.ApiClient(), str(MANIFEST), namespace=NAMESPACE)
assert [type(each).__name__ for [each] in made] == ["V1ConfigMap", "V1Service", "V1Deployment"], made
again = refusal(lambda: create_from_yaml(client.ApiClient(), str(MANIFEST), namespace=NAMESPACE))
assert isinstance(again, FailToCreateError)
assert {each.reason for each in again.api_exceptions} == {"Conflict"}, again
create_from_yaml(client.ApiClient(), str(MANIFEST), namespace=NAMESPACE, apply=True)
print("created from a file")

for event in watch.Watch().stream(core.list_namespaced_pod, NAMESPACE, label_selector="app=web", timeout_seconds=30):
    conditions = event["object"].status.conditions or []
    if any(each.type == "Ready" and each.status == "True" for each in conditions):
        break
else:
    raise AssertionError("no Pod became ready")
[pod] = core.list_namespaced_pod(NAMESPACE, label_selector="app=web").items
name = pod.metadata.name
assert parse_quantity(pod.spec.containers[0].resources.requests["memory"]) == Decimal(64 * 2**20)
assert parse_duration("1m30s") == timedelta(seconds=90)

shell = stream(
    core.connect_get_namespaced_pod_exec, name, NAMESPACE, command=["sh"],
    stderr=True, stdin=True, stdout=True, tty=False, _preload_content=False,
)  # fmt: skip
shell.write_stdin("echo to stdout\n")
assert shell.readline_stdout(timeout=20) == "to stdout"
shell.write_stdin("echo to stderr >&2\n")
assert shell.readline_stderr(timeout=20) == "to stderr"
shell.write_stdin("exit 4\n")
shell.run_forever(timeout=20)
assert shell.returncode == 4
missing = stream(
    core.connect_get_namespaced_pod_exec, name, NAMESPACE, command=["no-such-program"],
    stderr=True, stdin=False, stdout=True, tty=False, _preload_content=False,
)  # fmt: skip
missing.run_forever(timeout=20)
assert "executable file not found" in missing.read_channel(ERROR_CHANNEL)
refused = refusal(
    lambda: stream(core.connect_get_namespaced_pod_exec, "nobody", NAMESPACE, command=["sh"], stdout=True)
)
assert refused.status == 0
assert "404" in refused.reason, refused.reason
print("executed")

forward = portforward(core.connect_get_namespaced_pod_portforward, name, NAMESPACE, ports="8080")
for _ in range(2):  # a second request on the same connection
    forward.socket(8080).setblocking(True)
    http = HTTPConnection("localhost", 8080)
    http.sock = forward.socket(8080)
    http.request("GET", "/hostname", headers={"Connection": "keep-alive"})
    answer = http.getresponse()
    assert (answer.status, answer.read().decode()) == (200, name)
assert forward.error(8080) is None
dead = portforward(core.connect_get_namespaced_pod_portforward, name, NAMESPACE, ports="9999")
assert dead.socket(9999).recv(1) == b""
assert dead.error(9999) is not None
print("forwarded")

told: list[tuple[str, str]] = []
heard = threading.Condition()


def note(kind: str):
    def handler(obj) -> None:
        with heard:
            told.append((kind, obj.metadata.name))
            heard.notify_all()

    return handler


def wait_for(what: tuple[str, str]) -> None:
    with heard:
        assert heard.wait_for(lambda: what in told, 30), (what, told)


informer = SharedInformer(core.list_namespaced_config_map, namespace=NAMESPACE, label_selector="watched=yes")
for kind in ("ADDED", "MODIFIED", "DELETED"):
    informer.add_event_handler(kind, note(kind))
informer.start()
core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "a", "labels": {"watched": "yes"}}})
wait_for(("ADDED", "a"))
core.patch_namespaced_config_map("a", NAMESPACE, {"data": {"k": "v"}})
wait_for(("MODIFIED", "a"))
assert informer.cache.get_by_key(f"{NAMESPACE}/a").data == {"k": "v"}
core.patch_namespaced_config_map("a", NAMESPACE, {"metadata": {"labels": {"watched": "no"}}})
wait_for(("DELETED", "a"))  # it has left what the selector chooses
assert informer.cache.list() == []
informer.stop()
print("informed")

late = watch.Watch().stream(core.list_namespaced_config_map, NAMESPACE, resource_version="1", timeout_seconds=5)
expired = refusal(lambda: list(late))
assert (expired.status, "too old resource version" in expired.reason) == (410, True), expired
listed = core.list_namespaced_config_map(NAMESPACE)
core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "b"}})
since = watch.Watch().stream(
    core.list_namespaced_config_map, NAMESPACE, resource_version=listed.metadata.resource_version, timeout_seconds=30
)
assert next(since)["object"].metadata.name == "b"
print("listed again")

core.delete_namespace(NAMESPACE)
print("deleted")
