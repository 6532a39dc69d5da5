"""How programs outside get in: over HTTPS on loopback, with a kubeconfig of the cluster's own.

Nothing listens, and no key is made, before someone asks for the door.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from k8slab.apimachinery.rest import Request, Response
from k8slab.apiserver.keys import Keys
from k8slab.client import kubeconfig
from k8slab.client.kubeconfig import Credentials
from k8slab.clock import Clock
from k8slab.loop.kubectl import Kubectl

if TYPE_CHECKING:
    from k8slab.apiserver.http import HttpServer

Submit = Callable[[Request, Callable[[Response], None]], None]


class FrontDoor:
    """A cluster's HTTPS server, its keys, and its kubectl.

    `directory` keeps the kubeconfig for the next time; None: it lives in a temporary folder, and goes with it.
    `keys`: the cluster's; None: new ones.
    """

    def __init__(
        self, name: str, submit: Submit, clock: Clock, directory: Path | None, port: int, keys: Keys | None = None
    ) -> None:
        self._name, self._submit, self._clock = name, submit, clock
        self._keys = keys if keys is not None else Keys(directory)
        self._directory, self._port = directory, port
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()
        self._server: HttpServer | None = None
        self._kubectl: Kubectl | None = None
        self._credentials: Credentials | None = None

    @property
    def is_open(self) -> bool:
        """Whether anybody listens."""
        return self._server is not None

    @property
    def server(self) -> HttpServer:
        """The server, listening. Raises OSError if the port is taken."""
        with self._lock:
            if self._server is None:
                self._open()
            assert self._server is not None
            return self._server

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"https://127.0.0.1:{self.server.port}"

    @property
    def kubectl(self) -> Kubectl:
        """kubectl for this cluster. Raises KubectlNotFound."""
        _ = self.server
        with self._lock:
            if self._kubectl is None:
                self._kubectl = Kubectl(self._folder / "kubeconfig", self._folder / "cache")
            return self._kubectl

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with the administrator's credentials, for this cluster alone."""
        _ = self.server
        return self._folder / "kubeconfig"

    @property
    def credentials(self) -> Credentials:
        """The cluster's certificate authority, and the administrator's certificate and key."""
        _ = self.server
        assert self._credentials is not None
        return self._credentials

    def close(self) -> None:
        """Stop listening and remove the temporary folder. Safe to call twice."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    @property
    def _folder(self) -> Path:
        if self._directory is not None:
            return self._directory
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="k8slab-")
        return Path(self._temporary.name)

    def _open(self) -> None:
        # Imported here: aiohttp takes longer to load than a cluster takes to start.
        from k8slab.apiserver.http import HttpServer

        pki = self._keys.pki
        server = HttpServer(self._submit, pki, self._clock, port=self._port)
        server.start()
        self._credentials = Credentials(pki.ca_pem, pki.admin_cert_pem, pki.admin_key_pem)
        url = f"https://127.0.0.1:{server.port}"
        kubeconfig.write(self._folder / "kubeconfig", kubeconfig.config_of(self._name, url, self._credentials))
        self._server = server
