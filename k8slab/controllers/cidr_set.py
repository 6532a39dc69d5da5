"""Which range of Pod addresses a new node gets: a set of equal parts of the cluster's range.

    10.244.0.0/16 in parts of /24:  10.244.0.0/24  10.244.1.0/24  ...  10.244.255.0/24

Parts are given in order. The search goes on behind the part that was given last, and round: a part that was given back is
given again only after all the others, so that a late packet for a node that has gone does not reach its successor.

Models: pkg/controller/nodeipam/ipam/cidrset/cidr_set.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from ipaddress import ip_network

NextFree = Callable[[Collection[int], int, int], int | None]


def next_free(taken: Collection[int], count: int, candidate: int) -> int | None:
    """The number of the first free part at or behind `candidate`, round the end; None if all `count` parts are taken."""
    for offset in range(count):
        number = (candidate + offset) % count
        if number not in taken:
            return number
    return None


class CidrSet:
    """The parts of one range. Raises ValueError if there is no such range, or no such part of it."""

    def __init__(self, cluster_cidr: str, mask: int, find: NextFree = next_free) -> None:
        self._network = ip_network(cluster_cidr)
        if not self._network.prefixlen <= mask <= self._network.max_prefixlen:
            raise ValueError(f"{cluster_cidr} has no parts of /{mask}")
        self._mask, self._find = mask, find
        self._size = 1 << (self._network.max_prefixlen - mask)
        self.count = 1 << (mask - self._network.prefixlen)
        """How many parts there are."""
        self._taken: set[int] = set()
        self._candidate = 0

    def allocate(self) -> str | None:
        """A free part, which is taken now; None if there is none."""
        number = self._find(frozenset(self._taken), self.count, self._candidate)
        if number is None:
            return None
        self._taken.add(number)
        self._candidate = (number + 1) % self.count
        return self._cidr(number)

    def occupy(self, cidr: str) -> None:
        """Take a part that somebody has already. One of another range is no business of ours."""
        if (number := self._number(cidr)) is not None:
            self._taken.add(number)

    def release(self, cidr: str) -> None:
        """Give a part back. One of another range is no business of ours."""
        if (number := self._number(cidr)) is not None:
            self._taken.discard(number)

    def _cidr(self, number: int) -> str:
        address = type(self._network.network_address)(int(self._network.network_address) + number * self._size)
        return f"{address}/{self._mask}"

    def _number(self, cidr: str) -> int | None:
        network = ip_network(cidr)
        offset = int(network.network_address) - int(self._network.network_address)
        if network.version != self._network.version or not 0 <= offset < self.count * self._size:
            return None
        return offset // self._size
