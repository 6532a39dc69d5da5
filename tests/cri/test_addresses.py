from __future__ import annotations

import pytest

from k8slab.cri.addresses import Addresses
from k8slab.cri.api import CriError


def test_addresses_come_in_order_after_the_bridges():
    addresses = Addresses("10.244.1.0/24")
    assert [addresses.take() for _ in range(3)] == ["10.244.1.2", "10.244.1.3", "10.244.1.4"]


def test_one_given_back_waits_for_its_turn():
    addresses = Addresses("10.0.0.0/29")
    addresses.give_back(addresses.take())
    assert [addresses.take() for _ in range(5)] == [f"10.0.0.{n}" for n in (3, 4, 5, 6, 2)]


def test_a_full_range_has_no_more():
    addresses = Addresses("10.0.0.0/29")
    assert len({addresses.take() for _ in range(5)}) == 5
    with pytest.raises(CriError, match=r"no IP addresses available in range set: 10.0.0.0/29"):
        addresses.take()


def test_a_reserved_one_is_not_given_out():
    addresses = Addresses("10.0.0.0/29")
    addresses.reserve("10.0.0.2")
    addresses.reserve("192.168.0.1")
    assert addresses.take() == "10.0.0.3"


def test_what_is_of_another_range_is_ignored():
    addresses = Addresses("10.0.0.0/29")
    addresses.take()
    addresses.give_back("10.0.1.2")
    assert addresses.take() == "10.0.0.3"
