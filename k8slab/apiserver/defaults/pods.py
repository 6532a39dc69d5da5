"""The defaults of Pods and Pod templates.

A Pod gets more than a template: what is only known of a Pod that will run (requests from limits, host ports, service
links) stays open in a template, or a template would change by being stored.

Models: pkg/apis/core/v1/defaults.go (SetDefaults_Pod, SetDefaults_PodSpec, SetDefaults_Container, SetDefaults_Probe, ...).
"""

from __future__ import annotations

from k8slab.apimachinery.rest import JsonObject
from k8slab.apiserver.defaults.fill import child, each, fill, fill_zero

FILE_MODE = 0o644
CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_VOLUMES_WITH_MODE = ("secret", "configMap", "downwardAPI", "projected")


def default_pod(pod: JsonObject) -> None:
    """Complete a Pod."""
    spec = child(pod, "spec")
    default_pod_spec(spec)
    fill(spec, "enableServiceLinks", True)
    for kind in CONTAINER_LISTS:
        for container in each(spec, kind):
            resources = container["resources"]
            if resources.get("limits"):
                resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}
            if spec.get("hostNetwork"):
                for port in each(container, "ports"):
                    fill_zero(port, "hostPort", port.get("containerPort", 0))


def default_template(owner: JsonObject) -> None:
    """Complete the Pod template in an object's spec."""
    template = child(owner, "template")
    child(template, "metadata")
    default_pod_spec(child(template, "spec"))


def default_pod_spec(spec: JsonObject) -> None:
    """Complete what Pods and templates have in common."""
    fill(spec, "restartPolicy", "Always")
    fill(spec, "dnsPolicy", "ClusterFirst")
    fill(spec, "schedulerName", "default-scheduler")
    fill(spec, "terminationGracePeriodSeconds", 30)
    child(spec, "securityContext")
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        # The second is the first's former name: both are always there, and equal.
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for kind in CONTAINER_LISTS:
        for container in each(spec, kind):
            default_container(container)
    for volume in each(spec, "volumes"):
        default_volume(volume)


def default_container(container: JsonObject) -> None:
    """Complete a container."""
    child(container, "resources")
    fill(container, "terminationMessagePath", "/dev/termination-log")
    fill(container, "terminationMessagePolicy", "File")
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(container.get("image") or "")
    for port in each(container, "ports"):
        fill(port, "protocol", "TCP")
    for variable in each(container, "env"):
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            fill(reference, "apiVersion", "v1")
    for name in PROBES:
        if name in container:
            default_probe(container[name])
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict) and "httpGet" in hook:
            default_http_get(hook["httpGet"])


def pull_policy(image: str) -> str:
    """`Always` for a tag that moves: `latest`, said or meant. Else `IfNotPresent`."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if tag == "latest" or not (tag or digest) else "IfNotPresent"


def default_probe(probe: JsonObject) -> None:
    """Complete a probe."""
    fill_zero(probe, "timeoutSeconds", 1)
    fill_zero(probe, "periodSeconds", 10)
    fill_zero(probe, "successThreshold", 1)
    fill_zero(probe, "failureThreshold", 3)
    if "httpGet" in probe:
        default_http_get(probe["httpGet"])
    if "grpc" in probe and probe["grpc"].get("service") is None:
        probe["grpc"]["service"] = ""


def default_http_get(action: JsonObject) -> None:
    """Complete an HTTP request of a probe or a hook."""
    fill(action, "path", "/")
    fill(action, "scheme", "HTTP")


def default_volume(volume: JsonObject) -> None:
    """Complete a volume."""
    # A volume with a name and no source is an empty directory.
    if not any(key != "name" and volume[key] is not None for key in volume):
        volume["emptyDir"] = {}
    for kind in _VOLUMES_WITH_MODE:
        source = volume.get(kind)
        if source is not None:
            fill(source, "defaultMode", FILE_MODE)
    _default_field_items(volume.get("downwardAPI") or {})
    for source in each(volume.get("projected") or {}, "sources"):
        _default_field_items(source.get("downwardAPI") or {})
        if "serviceAccountToken" in source:
            fill(source["serviceAccountToken"], "expirationSeconds", 3600)
    if (path := volume.get("hostPath")) is not None and path.get("type") is None:
        path["type"] = ""
    if (disk := volume.get("iscsi")) is not None:
        fill(disk, "iscsiInterface", "default")
    claim = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if claim is not None:
        fill(child(claim, "spec"), "volumeMode", "Filesystem")


def _default_field_items(source: JsonObject) -> None:
    for item in each(source, "items"):
        if "fieldRef" in item:
            fill(item["fieldRef"], "apiVersion", "v1")
