import ipaddress

import pytest

from tests.apiserver.objects import SERVICES, Api, service


@pytest.fixture
def api():
    return Api()


def test_a_service_gets_an_address_outside_the_static_band(api):
    spec = api.create(SERVICES, service())["spec"]
    address = ipaddress.ip_address(spec["clusterIP"])
    assert address in ipaddress.ip_network("10.96.0.0/12")
    assert int(address) - int(ipaddress.ip_address("10.96.0.0")) > 256
    assert spec["clusterIPs"] == [spec["clusterIP"]]


def test_the_same_seed_gives_the_same_addresses():
    def addresses(seed):
        api = Api(seed)
        made = [api.create(SERVICES, service(f"s{number}", type="NodePort"))["spec"] for number in range(3)]
        return [(spec["clusterIP"], spec["ports"][0]["nodePort"]) for spec in made]

    assert addresses(1) == addresses(1) != addresses(2)


def test_no_two_services_share_an_address_even_when_the_range_is_small():
    api = Api(service_cidr="10.0.0.0/28")
    made = [api.create(SERVICES, service(f"s{number}")) for number in range(15)]
    addresses = [each["spec"]["clusterIP"] for each in made if each["kind"] == "Service"]
    assert len(set(addresses)) == len(addresses) == 14
    assert made[14]["message"] == "failed to allocate a serviceIP: range is full"


def test_node_ports_come_from_the_upper_band_and_differ(api):
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    spec = api.create(SERVICES, service(type="NodePort", ports=ports))["spec"]
    first, second = (port["nodePort"] for port in spec["ports"])
    assert 30086 <= first <= 32767
    assert first != second


def test_an_address_in_use_is_refused(api):
    api.create(SERVICES, service("a", clusterIP="10.96.0.10"))
    found = api.create(SERVICES, service("b", clusterIP="10.96.0.10"))
    assert (found["code"], found["message"]) == (
        422,
        'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: '
        "failed to allocate IP 10.96.0.10: provided IP is already allocated",
    )


@pytest.mark.parametrize(
    ("port", "why"),
    [(30080, "provided port is already allocated"),
     (80, "provided port is not in the valid range. The range of valid ports is 30000-32767")],
)  # fmt: skip
def test_a_node_port_in_use_or_out_of_range_is_refused(api, port, why):
    api.create(SERVICES, service("a", type="NodePort", ports=[{"port": 80, "nodePort": 30080}]))
    found = api.create(SERVICES, service("b", type="NodePort", ports=[{"port": 80, "nodePort": port}]))
    assert found["message"] == f'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: {port}: {why}'


def test_what_is_deleted_or_changed_gives_its_ports_back(api):
    ports = [{"port": 80, "nodePort": 30080}]
    api.create(SERVICES, service("a", type="NodePort", ports=ports))
    changed = api.put(f"{SERVICES}/a", service("a"))
    assert (changed["spec"]["type"], "nodePort" in changed["spec"]["ports"][0]) == ("ClusterIP", False)
    assert api.create(SERVICES, service("b", type="NodePort", ports=ports))["kind"] == "Service"
    api.delete(f"{SERVICES}/b")
    assert api.create(SERVICES, service("c", type="NodePort", ports=ports))["kind"] == "Service"


def test_a_dry_run_takes_nothing(api):
    ports = [{"port": 80, "nodePort": 30080}]
    assert api.create(SERVICES, service("a", type="NodePort", ports=ports), dryRun="All")["kind"] == "Service"
    assert api.create(SERVICES, service("b", type="NodePort", ports=ports))["kind"] == "Service"


def test_another_server_on_the_same_store_knows_what_is_taken(api):
    api.create(SERVICES, service("a", clusterIP="10.96.0.10"))
    other = Api(store=api.store)
    assert "provided IP is already allocated" in other.create(SERVICES, service("b", clusterIP="10.96.0.10"))["message"]


def test_headless_and_external_services_get_no_address(api):
    headless = api.create(SERVICES, service("a", clusterIP="None"))["spec"]
    assert (headless["clusterIP"], headless["clusterIPs"]) == ("None", ["None"])
    external = api.create(SERVICES, service("b", type="ExternalName", externalName="example.com"))["spec"]
    assert "clusterIP" not in external
