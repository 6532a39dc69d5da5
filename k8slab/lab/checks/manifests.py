"""What the judges' clusters hold: the tutorial's programs, as manifests.

They are sent by the client, in process, which takes a hundredth of the time that kubectl takes. Each call makes a new one,
because the server makes an object that it is given its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.apimachinery.rest import JsonObject

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.39"
BOOTCAMP = "gcr.io/google-samples/kubernetes-bootcamp:v1"
NGINX = "docker.io/library/nginx:1.27"


def deployment(name: str, image: str, replicas: int = 1, command: Sequence[str] = ()) -> JsonObject:
    """What `kubectl create deployment NAME --image=IMAGE` sends: its Pods have the label `app=NAME`."""
    labels, template = {"app": name}, pod(name, image, command)
    spec = {"replicas": replicas, "selector": {"matchLabels": dict(labels)}, "template": template}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


def pod(name: str, image: str, command: Sequence[str] = ()) -> JsonObject:
    """One Pod of one container, with the label `app=NAME`."""
    container = {"name": name, "image": image} | ({"command": list(command)} if command else {})
    return {"metadata": {"name": name, "labels": {"app": name}}, "spec": {"containers": [container]}}


def web_server(port: int = 8080) -> list[str]:
    """The command of an `agnhost` that serves HTTP: `/hostname` answers with the Pod's name, `/echo?msg=...` with the text."""
    return ["/agnhost", "netexec", f"--http-port={port}"]
