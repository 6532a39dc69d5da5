"""The bridge network of a cluster on Docker.

Each cluster has one, with a range that nothing else on the machine uses, so that several clusters live side by side. Every
node gets a slice of it as the range of its Pods: the node's podCIDR where the bridge has it, else the slice with the same
number. Pods reach each other by address, as the Kubernetes network model has it.

k8slab's own; kubenet did the same with one bridge a node.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path

from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from k8slab.cri.docker_engine import Engine, cri_error, translated
from k8slab.cri.docker_objects import RUN

_CANDIDATES = [IPv4Network(f"10.{second}.0.0/16") for second in (*range(244, 255), *range(200, 244), *range(100, 200))]


def ensure_network(engine: Engine, name: str, labels: Mapping[str, str]) -> IPv4Network:
    """The range of the cluster's bridge, which is made if it is not there."""
    with translated():
        for network in engine.networks(filters={"label": f"{RUN}={labels[RUN]}"}):
            if network["Name"] == name:
                return IPv4Network(network["IPAM"]["Config"][0]["Subnet"])
        used = [*_docker_ranges(engine), *_host_ranges()]
        for subnet in _CANDIDATES:
            if any(subnet.overlaps(other) for other in used):
                continue
            try:
                engine.create_network(
                    name,
                    driver="bridge",
                    ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=str(subnet), gateway=str(subnet[1]))]),
                    check_duplicate=True,
                    labels=dict(labels),
                )
            except APIError as error:
                # Another cluster may have taken the range between the look and the leap.
                if "overlap" not in str(error.explanation):
                    raise
            else:
                return subnet
    raise cri_error(OSError("no free range of addresses for the cluster's network"), "ResourceExhausted")


def _docker_ranges(engine: Engine) -> Iterable[IPv4Network]:
    for network in engine.networks():
        for config in (network.get("IPAM") or {}).get("Config") or ():
            with suppress(ValueError, KeyError):
                yield IPv4Network(config["Subnet"])


def _host_ranges() -> Iterable[IPv4Network]:
    """What the machine's own routes lead to; elsewhere than on Linux, nothing is known."""
    with suppress(OSError):
        for line in Path("/proc/net/route").read_text().splitlines()[1:]:
            _, destination, _, _, _, _, _, mask, *_ = line.split()
            if int(mask, 16):
                address, bits = (int.from_bytes(bytes.fromhex(word), "little") for word in (destination, mask))
                yield IPv4Network((address, str(ipaddress.IPv4Address(bits))), strict=False)


def slice_of(subnet: IPv4Network, pod_cidr: str) -> IPv4Network:
    """The part of the cluster's range that stands for a node's podCIDR."""
    wanted = IPv4Network(pod_cidr)
    if wanted.subnet_of(subnet):
        return wanted
    offset = int(wanted.network_address) % subnet.num_addresses
    return IPv4Network((int(subnet.network_address) + offset, wanted.prefixlen))
