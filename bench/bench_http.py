"""Requests a second over HTTPS, with keep-alive: one front, one client, each on a thread or process of its own."""

from __future__ import annotations

import gc
import http.client
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.measure import Figure, figure
from k8slab.apimachinery.rest import MASTERS_GROUP, Request, UserInfo
from k8slab.apiserver.bootstrap import bootstrap_objects
from k8slab.apiserver.http import HttpServer
from k8slab.apiserver.pki import Pki
from k8slab.apiserver.server import ApiServer
from k8slab.clock import Stopwatch, VirtualClock
from k8slab.etcd.memory import MemoryStore
from k8slab.names import Chance

ADMIN = UserInfo("kubernetes-admin", (MASTERS_GROUP,))
PODS = "/api/v1/namespaces/default/pods"
SECONDS = 2.0
CONNECTIONS = 4
LISTED, ROUNDS, EVENTS = 10_000, 3, 500

# The client speaks raw HTTP/1.1 over TLS in a process of its own, so that what is measured is the server.
CLIENT = r"""
import asyncio, ssl, sys, time
port, method, certificate, authority, connections, seconds = sys.argv[1:7]
context = ssl.create_default_context(cafile=authority)
context.load_cert_chain(certificate)
PODS = "/api/v1/namespaces/default/pods"
POD = ('{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s","labels":{"app":"web"}},"spec":{"containers":[{"name":"main",'
       '"image":"nginx:1.27","ports":[{"containerPort":80}],"resources":{"requests":{"cpu":"100m","memory":"64Mi"}}}]}}')

def request(name):
    body = (POD % name).encode() if method == "POST" else b""
    path = PODS if method == "POST" else PODS + "/web"
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body

async def talk(number, until):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port), ssl=context)
    count = 0
    while time.perf_counter() < until:
        writer.write(request(f"web-{number}-{count}"))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 20"), head
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        count += 1
    writer.close()
    return count

async def main():
    start = time.perf_counter()
    counts = await asyncio.gather(*(talk(n, start + float(seconds)) for n in range(int(connections))))
    print(sum(counts) / (time.perf_counter() - start))

asyncio.run(main())
"""


def http_get() -> Figure:
    """GET of one Pod."""
    return _measure("GET")


def http_post() -> Figure:
    """POST of a Pod: decoded, defaulted, admitted, validated, stored."""
    return _measure("POST")


def list_10k() -> Figure:
    """GET of a list of 10,000 Pods, until the last byte is there."""
    clock = VirtualClock()
    server = _server(clock)
    _fill(server, LISTED)
    with tempfile.TemporaryDirectory() as folder:
        pki = Pki.create(Path(folder))
        front = HttpServer(lambda request, reply: reply(server.handle(request)), pki, clock)
        front.start()
        context = ssl.create_default_context(cadata=pki.ca_pem.decode())
        context.load_cert_chain(_certificate(pki, Path(folder)))
        client = http.client.HTTPSConnection("localhost", front.port, context=context)
        client.connect()
        watch, size = Stopwatch(), 0
        for _ in range(ROUNDS):
            client.request("GET", "/api/v1/pods")
            size = len(client.getresponse().read())
        took = watch.elapsed() / ROUNDS
        client.close()
        front.stop()
    return figure("list of 10,000 Pods", took, "s", f"over HTTPS, {size / 1e6:.0f} MB")


def watch_event() -> Figure:
    """From a write to the event of a watch, with 10,000 Pods stored; and with 10."""
    few, many = (_event_cost(count) for count in (10, LISTED))
    return figure("watch event", many * 1e6, "µs", f"10,000 Pods stored; {few * 1e6:.0f} µs with 10")


def _event_cost(count: int) -> float:
    server = _server(VirtualClock())
    _fill(server, count)
    query = {"watch": ["true"], "resourceVersion": [str(server.store.revision)]}
    watch = server.handle(Request("GET", "/api/v1/pods", query, user=ADMIN)).watch
    assert watch is not None
    gc.collect()  # what filling left behind is not the events' cost
    clock = Stopwatch()
    for number in range(EVENTS):
        body = {"metadata": {"labels": {"turn": str(number)}}}
        headers = {"content-type": "application/merge-patch+json"}
        server.handle(Request("PATCH", f"{PODS}/web-5", headers=headers, body=body, user=ADMIN))
        assert len(watch.poll()) == 1
    return clock.elapsed() / EVENTS


def _fill(server: ApiServer, count: int) -> None:
    for number in range(count):
        pod = {"metadata": {"name": f"web-{number}"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
        server.handle(Request("POST", PODS, body=pod, user=ADMIN))


def _server(clock: VirtualClock) -> ApiServer:
    server = ApiServer(MemoryStore(clock), clock, Chance(0))
    for resource, namespace, obj in bootstrap_objects():
        where = f"namespaces/{namespace}/" if namespace else ""
        server.handle(Request("POST", f"/api/v1/{where}{resource.plural}", body=obj, user=ADMIN))
    return server


def _measure(method: str) -> Figure:
    clock = VirtualClock()
    server = _server(clock)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}}
    server.handle(Request("POST", PODS, body=pod | {"spec": {"containers": [{"name": "a", "image": "b"}]}}, user=ADMIN))
    pki = Pki.create()
    front = HttpServer(lambda request, reply: reply(server.handle(request)), pki, clock)
    front.start()
    try:
        rate = _client(front.port, method, pki)
    finally:
        front.stop()
    return figure(f"HTTP {method}", rate, "requests/s", f"a Pod, TLS, {CONNECTIONS} connections kept alive")


def _client(port: int, method: str, pki: Pki) -> float:
    with tempfile.TemporaryDirectory() as folder:
        certificate, authority = _certificate(pki, Path(folder)), Path(folder) / "ca.pem"
        authority.write_bytes(pki.ca_pem)
        words = [str(port), method, str(certificate), str(authority), str(CONNECTIONS), str(SECONDS)]
        ran = subprocess.run(
            [sys.executable, "-c", CLIENT, *words], capture_output=True, text=True, timeout=60, check=True
        )
    return float(ran.stdout)


def _certificate(pki: Pki, folder: Path) -> Path:
    """The administrator's certificate and key, in a file."""
    path = folder / "admin.pem"
    path.write_bytes(pki.admin_cert_pem + pki.admin_key_pem)
    return path
