"""The cluster's certificate authority, and who holds its certificates.

An authority signs two kinds of certificates: the server's, so that clients know whom they talk to, and the clients', so
that the server knows who asks. With a directory they are kept, readable by the user alone.

Models: cmd/kubeadm/app/phases/certs (names, subjects, alternative names).
"""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from k8slab.apimachinery.certificates import Authority, Pair, write_private

SERVER_HOSTS = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "127.0.0.1",
    "10.96.0.1",
)
ADMIN, ADMIN_GROUP = "kubernetes-admin", "system:masters"
FILES = ("ca.crt", "ca.key", "apiserver.crt", "apiserver.key", "admin.crt", "admin.key")


@dataclass(frozen=True)
class Pki:
    """A cluster's certificates."""

    ca: Pair
    server: Pair
    admin: Pair

    @property
    def ca_pem(self) -> bytes:
        """The authority's certificate."""
        return self.ca.certificate

    @property
    def admin_cert_pem(self) -> bytes:
        """The administrator's certificate."""
        return self.admin.certificate

    @property
    def admin_key_pem(self) -> bytes:
        """The administrator's key. A secret."""
        return self.admin.key

    @classmethod
    def create(cls, directory: Path | None = None) -> Self:
        """A new authority; or, where a directory holds one, that one."""
        if directory is not None and all((directory / name).exists() for name in FILES):
            return cls._load(directory)
        ca = Authority.create("kubernetes")
        pki = cls(ca.pair, ca.server("kube-apiserver", SERVER_HOSTS), ca.client(ADMIN, (ADMIN_GROUP,)))
        if directory is not None:
            pki._save(directory)
        return pki

    def client_certificate(self, name: str, groups: tuple[str, ...] = ()) -> Pair:
        """A certificate by which a client is `name`, and a member of `groups`."""
        return Authority(self.ca).client(name, groups)

    def ssl_context(self) -> ssl.SSLContext:
        """For the server: it shows its certificate, and takes, but does not demand, one from the client."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=self.ca.certificate.decode())
        # The ssl module reads keys from files only: they are gone again before anyone else could look.
        with tempfile.TemporaryDirectory(prefix="k8slab-") as folder:
            path = Path(folder) / "server.pem"
            write_private(path, self.server.certificate + self.server.key)
            context.load_cert_chain(path)
        return context

    def _save(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        pairs = (self.ca, self.server, self.admin)
        contents = [content for pair in pairs for content in (pair.certificate, pair.key)]
        for name, content in zip(FILES, contents, strict=True):
            write_private(directory / name, content)

    @classmethod
    def _load(cls, directory: Path) -> Self:
        contents = [(directory / name).read_bytes() for name in FILES]
        return cls(Pair(*contents[0:2]), Pair(*contents[2:4]), Pair(*contents[4:6]))
