"""What tests do with a real etcd."""

from __future__ import annotations

import subprocess
from contextlib import closing, suppress

from k8slab.etcd.client import EtcdClient, Refused
from k8slab.etcd.member import EtcdMember, find_etcd
from k8slab.etcd.messages import whole_range
from k8slab.etcd.remote import EtcdStore


def opened(member, clock=None) -> EtcdStore:
    """The store that a member is."""
    return EtcdStore(member.url, clock, tls=member.tls)


def emptied(member: EtcdMember) -> EtcdMember:
    """Remove all keys, leases and history: the member as if it were new, but for its revision."""
    with closing(EtcdClient(member.url, member.tls)) as client:
        for lease in client.ask("/v3/lease/leases", {}).get("leases", ()):
            client.ask("/v3/lease/revoke", {"ID": lease["ID"]})
        gone = client.ask("/v3/kv/deleterange", whole_range(""))
        with suppress(Refused):  # compacted already: nothing was written since
            client.ask("/v3/kv/compaction", {"revision": gone["header"]["revision"]})
    return member


def etcdctl(member: EtcdMember, *arguments: str) -> bytes:
    """What etcd's own client says."""
    tls = member.tls
    shown = (f"--cacert={tls.ca}", f"--cert={tls.certificate}", f"--key={tls.key}")
    command = [find_etcd("etcdctl"), f"--endpoints={member.url}", *shown, *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout
