"""The proxy: where a request goes, what the Pod gets of it, and what the client gets of the answer."""

from __future__ import annotations

import http.client
import ssl
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson
import pytest

from k8slab import Cluster
from k8slab.api.core import Pod
from k8slab.apimachinery.rest import Pending, Response
from k8slab.apiserver.subresources.proxy import below
from k8slab.loop.kubectl import find_kubectl
from tests.apiserver.harness import NAMESPACE, PODS, pod
from tests.eventually import eventually

PROXY = f"{PODS}/web:8080/proxy"
SERVICES = f"{NAMESPACE}/services"
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.39"
BOOTCAMP = "gcr.io/google-samples/kubernetes-bootcamp:v1"


@dataclass
class Recorder:
    """A dial that notes what it is asked, and says what it is told to."""

    waits: bool = False
    answer: Response | OSError = field(default_factory=lambda: Response(200, body=b"hello", content_type="text/plain"))
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def __call__(self, ip, port, method, target, headers, body):
        self.asked.append((ip, port, method, target, headers, body))
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer

    @property
    def last(self):
        """(ip, port, method, target) of the last request."""
        return self.asked[-1][:4]


@pytest.fixture
def dial(api):
    api.server.dial = Recorder()
    return api.server.dial


def run(api, name="web", ip="10.244.0.5", ready="True", ports=(), labels=None):
    """A Pod that runs, as its kubelet would have it."""
    made = pod(name, containers=[{"name": "main", "image": "nginx", "ports": list(ports)}])
    made["metadata"]["labels"] = labels or {"app": "web"}
    api.do("POST", PODS, made)
    status = {"phase": "Running", "podIP": ip, "conditions": [{"type": "Ready", "status": ready}]}
    api.do("PUT", f"{PODS}/{name}/status", made | {"status": status})


def serve(api, ports=({"port": 80},), selector=None, name="web", **spec):
    content = {"ports": list(ports), "selector": {"app": "web"} if selector is None else selector, **spec}
    api.do("POST", SERVICES, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": content})


# Pods.


def test_a_pod_answers_through_the_proxy(api, dial):
    run(api)
    response = api.ask("GET", f"{PROXY}/")
    assert (response.code, response.body, response.content_type) == (200, b"hello", "text/plain")
    assert dial.last == ("10.244.0.5", 8080, "GET", "/")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_the_pod_gets_method_path_query_and_body_as_they_came(api, dial, method):
    run(api)
    api.ask(method, f"{PROXY}/a//b c/é/", b"{}", watch="true", q="1 2")
    assert dial.last == ("10.244.0.5", 8080, method, "/a//b%20c/%C3%A9/?watch=true&q=1+2")
    assert dial.asked[-1][5] == b"{}"


def test_other_methods_are_not_passed_on(api, dial):
    run(api)
    assert api.refusal("TRACE", f"{PROXY}/")[0] == 405
    assert dial.asked == []


@pytest.mark.parametrize(
    ("name", "port"), [("web", 5000), ("web:81", 81), ("http:web:82", 82), (":web:83", 83), ("http:web:", 5000)]
)
def test_the_port_is_the_one_asked_for_or_the_first_declared(api, dial, name, port):
    run(api, ports=[{"containerPort": 5000}, {"containerPort": 6000}])
    api.ask("GET", f"{PODS}/{name}/proxy/")
    assert dial.last[1] == port


def test_a_pod_that_declares_no_port_is_asked_at_80(api, dial):
    run(api)
    api.ask("GET", f"{PODS}/web/proxy/")
    assert dial.last[1] == 80


@pytest.mark.parametrize("name", ["ftp:web:80", "a:b:c:d", ":80"])
def test_a_name_that_cannot_be_read_is_400(api, dial, name):
    assert api.refusal("GET", f"{PODS}/{name}/proxy/") == (400, f'invalid pod request "{name}"')


def test_a_pod_without_an_address_is_400(api, dial):
    api.do("POST", PODS, pod())
    assert api.refusal("GET", f"{PROXY}/") == (400, "address not allowed")


@pytest.mark.parametrize("ip", ["127.0.0.1", "169.254.169.254", "0.0.0.0", "::1", "224.0.0.1"])
def test_the_machines_own_addresses_are_out_of_bounds(api, dial, ip):
    run(api, ip=ip)
    assert api.refusal("GET", f"{PROXY}/") == (400, "address not allowed")


def test_who_is_not_there_is_404(api, dial):
    assert api.refusal("GET", f"{PODS}/nobody:80/proxy/") == (404, 'pods "nobody" not found')
    assert api.refusal("GET", f"{SERVICES}/nobody/proxy/") == (404, 'services "nobody" not found')
    assert api.refusal("GET", "/api/v1/nodes/node-1/proxy/")[0] == 404


def test_a_port_that_is_none_is_503(api, dial):
    run(api)
    text = "error trying to reach service: dial tcp: "
    assert api.refusal("GET", f"{PODS}/web:http/proxy/") == (503, f"{text}lookup tcp/http: unknown port")
    assert api.refusal("GET", f"{PODS}/web:99999/proxy/") == (503, f"{text}address 99999: invalid port")


def test_a_pod_that_does_not_listen_is_503(api):
    run(api)
    text = "error trying to reach service: dial tcp 10.244.0.5:8080: connect: connection refused"
    assert api.refusal("GET", f"{PROXY}/") == (503, text)


def test_the_pods_own_errors_are_not_the_servers(api, dial):
    run(api)
    dial.answer = Response(404, body=b"404 page not found\n", content_type="text/plain")
    assert api.ask("GET", f"{PROXY}/nope").body == b"404 page not found\n"


# Redirects and headers.


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_path_without_a_slash_is_sent_to_one(api, dial, method):
    run(api)
    response = api.ask(method, PROXY, a="b")
    assert (response.code, response.headers["Location"]) == (301, f"{PROXY}/?a=b")
    assert dial.asked == []


def test_other_methods_are_not_redirected(api, dial):
    run(api)
    api.ask("POST", PROXY)
    assert dial.last[3] == "/"


def test_a_pods_redirect_stays_below_the_proxy(api, dial):
    run(api)
    dial.answer = Response(302, headers={"Location": "http://10.244.0.5:8080/login?next=%2F"})
    assert api.ask("GET", f"{PROXY}/a/b").headers["Location"] == f"{PROXY}/login?next=%2F"


@pytest.mark.parametrize("location", ["https://example.com/login", "login", "/proxy/already/there"])
def test_a_redirect_that_needs_no_help_is_left_alone(location):
    assert below("/proxy", location, ("", "10.244.0.5:8080")) == location


def test_credentials_and_the_connections_headers_stay_here(api, dial):
    run(api)
    secret = {"connection": "keep-alive, x-hop", "x-hop": "1", "te": "trailers", "proxy-authorization": "Basic eA=="}
    api.ask("GET", f"{PROXY}/", headers={**secret, "accept": "text/html", "cookie": "a=b"})
    assert dial.asked[-1][4] == {"accept": "text/html", "cookie": "a=b", "x-forwarded-uri": f"{PROXY}/"}


def test_what_the_proxy_cannot_do_it_says(api, dial):
    run(api)
    upgrade = {"connection": "Upgrade", "upgrade": "websocket"}
    assert api.refusal("GET", f"{PROXY}/", headers=upgrade)[0] == 501
    assert api.refusal("GET", f"{PODS}/https:web:443/proxy/")[0] == 501
    assert dial.asked == []


# Services.


def test_a_service_asks_a_ready_pod_at_its_target_port(api, dial):
    run(api, "a", "10.244.0.5", ready="False")
    run(api, "b", "10.244.0.6")
    run(api, "c", "10.244.0.7", labels={"app": "other"})
    serve(api, [{"port": 80, "targetPort": 8080}])
    for name in ("web", "web:80", "http:web:"):
        assert api.ask("GET", f"{SERVICES}/{name}/proxy/x").body == b"hello"
        assert dial.last == ("10.244.0.6", 8080, "GET", "/x")


def test_a_services_port_has_a_number_and_a_name_and_a_name_at_the_pod(api, dial):
    run(api, ports=[{"containerPort": 9090, "name": "metrics"}])
    serve(api, [{"port": 80, "name": "http"}, {"port": 81, "name": "admin", "targetPort": "metrics"}])
    for name, port in (("web:http", 80), ("web:80", 80), ("web:admin", 9090), ("web:81", 9090)):
        api.ask("GET", f"{SERVICES}/{name}/proxy/")
        assert dial.last[1] == port


def test_which_pod_of_a_service_is_asked_is_drawn_from_the_seed(api, dial):
    for number in range(3):
        run(api, f"web-{number}", f"10.244.0.{number}")
    serve(api)
    before = api.store.revision
    for _ in range(20):
        api.ask("GET", f"{SERVICES}/web/proxy/")
    stream = api.server.chance.stream("service-proxy")
    ips = [asked[0] for asked in dial.asked]
    assert ips == [stream.choice(["10.244.0.0", "10.244.0.1", "10.244.0.2"]) for _ in range(20)]
    assert len(set(ips)) == 3
    assert api.store.revision == before


@pytest.mark.parametrize("spec", [{}, {"selector": {}}, {"type": "ExternalName", "externalName": "example.com"}])
def test_a_service_without_ready_pods_is_503(api, dial, spec):
    if spec:
        run(api)
    serve(api, **spec)
    assert api.refusal("GET", f"{SERVICES}/web/proxy/") == (503, 'no endpoints available for service "web"')


def test_a_service_may_publish_pods_that_are_not_ready(api, dial):
    run(api, ready="False")
    serve(api, publishNotReadyAddresses=True)
    assert api.ask("GET", f"{SERVICES}/web/proxy/").code == 200


def endpoints(api, ready, not_ready=(), **port):
    subset = {"addresses": [{"ip": ip} for ip in ready], "notReadyAddresses": [{"ip": ip} for ip in not_ready]}
    subset = {key: value for key, value in subset.items() if value} | {"ports": [{"port": 8080, **port}]}
    api.do("POST", "/api/v1/namespaces/default/endpoints", {"metadata": {"name": "web"}, "subsets": [subset]})


def test_a_service_without_a_selector_has_the_endpoints_that_somebody_wrote(api, dial):
    serve(api, [{"port": 80, "name": "http"}], selector={})
    endpoints(api, ["10.244.0.9"], name="http")
    assert api.ask("GET", f"{SERVICES}/web:http/proxy/").code == 200
    assert dial.last[:2] == ("10.244.0.9", 8080)


def test_where_there_are_endpoints_they_count_and_not_the_pods(api, dial):
    run(api, "a", "10.244.0.5")
    serve(api)
    endpoints(api, [], ["10.244.0.5"])
    assert api.refusal("GET", f"{SERVICES}/web:80/proxy/") == (503, 'no endpoints available for service "web"')


def test_a_port_that_the_service_does_not_have_is_503(api, dial):
    run(api)
    serve(api, [{"port": 80, "name": "http"}, {"port": 81, "name": "admin", "targetPort": "nowhere"}])
    assert api.refusal("GET", f"{SERVICES}/web:82/proxy/") == (503, 'no service port 82 found for service "web"')
    for name in ("web", "web:https", "web:admin"):
        assert api.refusal("GET", f"{SERVICES}/{name}/proxy/") == (
            503,
            f'no endpoints available for service "{name}"',
        )


# A dial that takes real time.


def test_a_dial_that_waits_is_asked_later(api, dial):
    run(api)
    dial.waits = True
    response = api.ask("GET", f"{PROXY}/")
    assert isinstance(response, Pending)
    assert dial.asked == []
    assert response.wait().body == b"hello"


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (OSError("EOF"), 503, "error trying to reach service: EOF"),
        (None, 500, "Internal error occurred: AttributeError: 'NoneType' object has no attribute 'headers'"),
    ],
)
def test_to_wait_never_raises(api, dial, answer, code, message):
    run(api)
    dial.waits, dial.answer = True, answer
    found = api.ask("GET", f"{PROXY}/").wait()
    assert (found.code, found.object["code"], found.object["message"]) == (code, code, message)


def test_a_pod_that_is_slow_keeps_nobody_else_waiting(api, front, pki, tmp_path):
    called, answer = threading.Event(), threading.Event()

    class Slow(Recorder):
        def __call__(self, *asked):
            called.set()
            answer.wait(20)
            return super().__call__(*asked)

    run(api)
    api.server.dial = Slow(waits=True)
    with https(front, pki, tmp_path) as waiting, https(front, pki, tmp_path) as other:
        waiting.request("GET", f"{PROXY}/")
        assert called.wait(20)
        other.request("GET", f"{PODS}/web")
        assert other.getresponse().status == 200
        answer.set()
        assert waiting.getresponse().read() == b"hello"
    assert eventually(lambda: "apiserver-proxy" not in [thread.name for thread in threading.enumerate()])


# On the wire.


@contextmanager
def https(front, pki, folder):
    path = folder / "admin.pem"
    path.write_bytes(pki.admin_cert_pem + pki.admin_key_pem)
    context = ssl.create_default_context(cadata=pki.ca_pem.decode())
    context.load_cert_chain(path)
    connection = http.client.HTTPSConnection("127.0.0.1", front.port, context=context, timeout=20)
    yield connection
    connection.close()


def test_code_headers_and_length_reach_the_client(api, dial, front, pki, tmp_path):
    run(api)
    dial.answer = Response(418, body=b"tea", content_type="text/x-tea", headers={"Server": "pot", "Set-Cookie": "a=b"})
    with https(front, pki, tmp_path) as connection:
        for method, body in (("GET", b"tea"), ("HEAD", b""), ("OPTIONS", b"tea")):
            connection.request(method, f"{PROXY}/%2e?x")
            found = connection.getresponse()
            headers = [found.getheader(name) for name in ("Content-Type", "Server", "Set-Cookie", "Content-Length")]
            assert (found.status, headers, found.read()) == (418, ["text/x-tea", "pot", "a=b", "3"], body)
            assert dial.last[2:] == (method, "/.?x=")


def test_discovery_lists_the_proxies(api):
    rows = {row["name"]: row for row in api.do("GET", "/api/v1")["resources"]}
    assert rows["pods/proxy"]["kind"] == "PodProxyOptions"
    assert rows["services/proxy"]["kind"] == "ServiceProxyOptions"
    assert rows["services/proxy"]["verbs"] == ["create", "delete", "get", "patch", "update"]
    assert rows["nodes/proxy"]["kind"] == "NodeProxyOptions"


# The real kubectl.


@contextmanager
def kubectl_proxy(cluster):
    """`kubectl proxy` beside a cluster. Gives a function that asks it: path -> (code, body)."""
    command = [find_kubectl(), f"--kubeconfig={cluster.kubeconfig}", "proxy", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stdout.readline().rpartition(":")[2])

            def ask(path, method="GET"):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                try:
                    connection.request(method, path)
                    found = connection.getresponse()
                    return found.status, found.getheader("Location") or found.read().decode()
                finally:
                    connection.close()

            yield ask
        finally:
            process.terminate()


@pytest.mark.parametrize("mode", ["stepped", "live"])
def test_kubectl_proxy_shows_a_pod(mode):
    with Cluster(nodes=1, seed=1, mode=mode) as cluster:
        cluster.kubectl(f"create deployment kubernetes-bootcamp --image={BOOTCAMP}").check()
        cluster.kubectl("expose deployment/kubernetes-bootcamp --port=80 --target-port=8080").check()
        cluster.kubectl("rollout status deployment/kubernetes-bootcamp --timeout=60s").check()
        (found,) = cluster.client.list(Pod)
        name = found.metadata.name
        where, hello = f"{PODS}/{name}:8080/proxy", f"Hello Kubernetes bootcamp! | Running on: {name} | v=1\n"
        with kubectl_proxy(cluster) as ask:
            assert orjson.loads(ask("/version")[1])["gitVersion"].startswith("v1.37")
            assert ask(f"{where}/") == (200, hello)
            assert ask(where) == (301, f"{where}/")
            assert ask(f"{SERVICES}/kubernetes-bootcamp/proxy/") == (200, hello)
            code, status = ask(f"{PODS}/{name}:81/proxy/")
            text = f"error trying to reach service: dial tcp {found.status.pod_ip}:81: connect: connection refused"
            assert (code, orjson.loads(status)["message"]) == (503, text)
        assert cluster.kubectl(["get", "--raw", f"{where}/"]).stdout == hello
        assert "Total Requests: 3" in cluster.kubectl("logs deployment/kubernetes-bootcamp").stdout


def test_a_container_that_ends_of_a_request_is_started_again():
    with Cluster(nodes=2, seed=1) as cluster:
        cluster.kubectl(f"run web --image={AGNHOST} --port=8080 -- netexec").check()
        cluster.run_until_idle()
        cluster.kubectl(f"get --raw {PODS}/web/proxy/exit?code=3").check()
        cluster.run_for("5s")
        (found,) = cluster.client.list(Pod)
        (status,) = found.status.container_statuses
        assert (status.restart_count, status.last_state.terminated.exit_code) == (1, 3)
