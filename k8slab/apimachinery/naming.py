"""Python's names for Kubernetes' fields.

snake_case becomes camelCase, except for the initialisms that Kubernetes writes in capitals.
"""

from __future__ import annotations

from functools import cache

# Words that Kubernetes writes in capitals where they do not begin a name. `podIPs`, `hostPID`, `podCIDRs`.
INITIALISMS = {"ip": "IP", "ips": "IPs", "id": "ID", "uid": "UID", "cidr": "CIDR", "cidrs": "CIDRs", "pid": "PID",
               "ipc": "IPC", "url": "URL", "urls": "URLs", "uuid": "UUID", "gid": "GID", "dns": "DNS", "tls": "TLS",
               "api": "API", "cpu": "CPU", "uri": "URI", "io": "IO", "fqdn": "FQDN", "wwns": "WWNs"}  # fmt: skip

# Names that follow no rule.
IRREGULAR = {"api_version": "apiVersion", "run_as_user": "runAsUser", "host_ips": "hostIPs", "dns_policy": "dnsPolicy",
             "external_id": "externalID", "machine_id": "machineID", "system_uuid": "systemUUID", "boot_id": "bootID",
             "fs_type": "fsType", "fs_group": "fsGroup", "cluster_ip": "clusterIP", "cluster_ips": "clusterIPs",
             "not_before": "notBefore"}  # fmt: skip


@cache
def json_name(name: str) -> str:
    """The JSON name of a field: `pod_ip` is `podIP`, `observed_generation` is `observedGeneration`."""
    name = name.rstrip("_")
    if name in IRREGULAR:
        return IRREGULAR[name]
    first, *rest = name.split("_")
    return first + "".join(INITIALISMS.get(word, word.capitalize()) for word in rest)
