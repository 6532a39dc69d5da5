"""A container registry on loopback, just big enough for Docker to pull from."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class OciRegistry:
    """Serves images given as {repository: {tag: {path: content}}}, at `address`, inside a `with`."""

    def __init__(self, images: dict[str, dict[str, dict[str, bytes]]], *, broken_layers: bool = False) -> None:
        self._blobs: dict[str, tuple[bytes, str]] = {}
        self._tags: dict[str, str] = {}
        for repository, tags in images.items():
            for tag, files in tags.items():
                self._tags[f"{repository}/manifests/{tag}"] = self._image(files, broken_layers)
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                data, kind = registry.find(self.path.removeprefix("/v2/"))
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", kind or "application/json")
                self.send_header("Content-Length", str(len(data)))
                if kind:
                    self.send_header("Docker-Content-Digest", _digest(data))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(data)

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"

    def _image(self, files: dict[str, bytes], broken: bool) -> str:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        tar = buffer.getvalue()
        layer = gzip.compress(tar, mtime=0)
        diff = {"type": "layers", "diff_ids": [_digest(tar)]}
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": diff}).encode()
        parts = {
            "config": {"mediaType": _CONFIG, "size": len(config), "digest": _digest(config)},
            "layers": [{"mediaType": _LAYER, "size": len(layer), "digest": _digest(layer)}],
        }
        manifest = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, **parts}).encode()
        self._blobs[_digest(config)] = config, _CONFIG
        self._blobs[_digest(layer)] = (b"rubbish" if broken else layer), _LAYER
        self._blobs[_digest(manifest)] = manifest, _MANIFEST
        return _digest(manifest)

    def find(self, path: str) -> tuple[bytes, str]:
        """The content behind a path, and its type; no type if there is none."""
        if not path:
            return b"{}", "application/json"
        digest = self._tags.get(path, path.rpartition("/")[2])
        missing = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
        return self._blobs.get(digest, (json.dumps(missing).encode(), ""))

    def __enter__(self) -> OciRegistry:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
