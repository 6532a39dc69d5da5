"""What k8slab adds to a kubectl command: the same command against a cluster, and against a server that does nothing."""

from __future__ import annotations

import http.server
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.measure import Figure, figure
from k8slab.apimachinery.rest import Request
from k8slab.cluster import ADMIN, Cluster
from k8slab.loop.kubectl import Kubectl

ROUNDS = 20
COMMAND = ["get", "pods"]
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: bench
contexts: [{{name: bench, context: {{cluster: bench, user: bench}}}}]
clusters: [{{name: bench, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: bench, user: {{}}}}]
"""


def kubectl_round_trip() -> list[Figure]:
    """Milliseconds for `kubectl get pods`, process start included: no-op server, live cluster, stepped cluster."""
    with Cluster(nodes=3, seed=1) as stepped, Cluster(nodes=3, seed=1, mode="live") as live, _NoOp(live) as no_op:
        runs: dict[str, Callable[[], object]] = {
            "a no-op server": no_op.kubectl,
            "a live cluster": lambda: live.kubectl(COMMAND).check(),
            "a stepped cluster": lambda: stepped.kubectl(COMMAND).check(),
        }
        for run in runs.values():
            run()  # fills kubectl's discovery cache
        # In turns, so that whatever else the machine does meets all alike.
        rounds = [[_seconds(run) for run in runs.values()] for _ in range(ROUNDS)]
        medians = [statistics.median(each) * 1000 for each in zip(*rounds, strict=True)]
    detail = f"median of {ROUNDS}, in turns, discovery cached"
    return [figure(f"kubectl get pods, {name}", value, "ms", detail) for name, value in zip(runs, medians, strict=True)]


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


class _NoOp:
    """A server that answers each path with the bytes that a cluster answered the first time."""

    def __init__(self, cluster: Cluster) -> None:
        pages: dict[tuple[str, str], tuple[int, str, bytes]] = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                key = (self.path.partition("?")[0], self.headers.get("accept") or "")
                if key not in pages:
                    answer = cluster.server.handle(Request("GET", key[0], headers={"accept": key[1]}, user=ADMIN))
                    pages[key] = (answer.code, answer.content_type, answer.payload())
                code, content_type, body = pages[key]
                head = f"HTTP/1.1 {code} OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
                self.wfile.write(head.encode() + body)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.folder = tempfile.TemporaryDirectory()

    def __enter__(self) -> _NoOp:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        path = Path(self.folder.name) / "config"
        path.write_text(KUBECONFIG.format(port=self.server.server_port))
        self.runner = Kubectl(path, Path(self.folder.name) / "cache")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()

    def kubectl(self) -> None:
        """Run the command."""
        self.runner.run(COMMAND, None, 60.0).check()
