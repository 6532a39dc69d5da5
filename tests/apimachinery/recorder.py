"""The real kubectl, and a server that answers it from a table and records what it sends."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

from k8slab.loop.kubectl import find_kubectl

REFUSAL = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "message": "no",
    "reason": "Forbidden",
    "code": 403,
}


@dataclass
class Recorder:
    """Answers GET from `pages`, refuses everything else, and keeps the bodies."""

    home: Path
    pages: dict[str, object] = field(default_factory=dict)
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    """(content type, body) of every request that had one."""

    def __enter__(self) -> Recorder:
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if body:
                    recorder.bodies.append((self.headers.get("content-type") or "", body))
                page = recorder.pages.get(self.path.partition("?")[0]) if self.command == "GET" else None
                answer = json.dumps(page or REFUSAL).encode()
                self.send_response(200 if page else 403)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *args: object) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def kubectl(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl against this server."""
        server = f"--server=http://127.0.0.1:{self.server.server_port}"
        run = [find_kubectl(), server, f"--cache-dir={self.home}/cache", *command]
        environment = {"HOME": str(self.home)}
        return subprocess.run(
            run, input=stdin, capture_output=True, text=True, env=environment, timeout=60, check=False
        )


def discovery(group: str, version: str, resources: list[dict[str, object]]) -> dict[str, object]:
    """The legacy discovery pages of one group and version."""
    gv = f"{group}/{version}" if group else version
    path = f"/apis/{gv}" if group else f"/api/{version}"
    entry = {"groupVersion": gv, "version": version}
    groups = [{"name": group, "versions": [entry], "preferredVersion": entry}] if group else []
    return {
        "/api": {"kind": "APIVersions", "versions": [] if group else [version]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        path: {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv, "resources": resources},
    }
