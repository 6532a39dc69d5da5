"""Requests a second over HTTPS, with keep-alive: one front, one client, each on a thread or process of its own."""

from __future__ import annotations

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
from k8slab.clock import VirtualClock
from k8slab.etcd.memory import MemoryStore
from k8slab.names import Chance

ADMIN = UserInfo("kubernetes-admin", (MASTERS_GROUP,))
PODS = "/api/v1/namespaces/default/pods"
SECONDS = 2.0
CONNECTIONS = 4

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


def _measure(method: str) -> Figure:
    clock = VirtualClock()
    server = ApiServer(MemoryStore(clock), clock, Chance(0))
    for resource, namespace, obj in bootstrap_objects():
        where = f"namespaces/{namespace}/" if namespace else ""
        server.handle(Request("POST", f"/api/v1/{where}{resource.plural}", body=obj, user=ADMIN))
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
        certificate, authority = Path(folder) / "admin.pem", Path(folder) / "ca.pem"
        certificate.write_bytes(pki.admin_cert_pem + pki.admin_key_pem)
        authority.write_bytes(pki.ca_pem)
        words = [str(port), method, str(certificate), str(authority), str(CONNECTIONS), str(SECONDS)]
        ran = subprocess.run(
            [sys.executable, "-c", CLIENT, *words], capture_output=True, text=True, timeout=60, check=True
        )
    return float(ran.stdout)
