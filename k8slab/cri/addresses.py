"""Pod addresses: which one a new sandbox of this node gets.

They come from the node's range in order, and one that was given back waits until all the others had their turn: a client
that still talks to a dead Pod's address reaches nobody for a while, rather than a stranger.

Models: containernetworking/plugins, plugins/ipam/host-local.
"""

from __future__ import annotations

import ipaddress

from k8slab.cri.api import CriError


class Addresses:
    """The addresses of one node."""

    FIRST = 2
    """The range's own address comes before it, and the bridge's."""

    def __init__(self, cidr: str) -> None:
        self.cidr = cidr
        network = ipaddress.ip_network(cidr)
        self._base = int(network.network_address)
        self._make = type(network.network_address)
        self._end = network.num_addresses - 1  # the broadcast address
        self._taken: set[int] = set()
        self._next = self.FIRST

    def take(self) -> str:
        """The next free address; CriError when there is none."""
        for _ in range(self.FIRST, self._end):
            number = self._next
            self._next = number + 1 if number + 1 < self._end else self.FIRST
            if number not in self._taken:
                self._taken.add(number)
                return str(self._make(self._base + number))
        message = f"failed to allocate for range 0: no IP addresses available in range set: {self.cidr}"
        raise CriError("Unknown", message)

    def reserve(self, address: str) -> None:
        """It is taken, by someone who was here before. One of another range is ignored."""
        number = int(ipaddress.ip_address(address)) - self._base
        if self.FIRST <= number < self._end:
            self._taken.add(number)

    def give_back(self, address: str) -> None:
        """It is free again. One of another range is ignored."""
        self._taken.discard(int(ipaddress.ip_address(address)) - self._base)
