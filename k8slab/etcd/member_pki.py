"""An etcd's own certificates: whoever does not hold one is not answered.

An authority for this etcd alone, as kubeadm makes one beside the cluster's: who may ask the API server may not ask etcd,
which would refuse nothing. It signs twice, for the member and for the API server, and its key is thrown away: nobody can
sign a third. The files are their owner's alone.

Models: cmd/kubeadm/app/phases/certs/certlist.go (etcd-ca, etcd-server, etcd-peer, apiserver-etcd-client).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from k8slab.apimachinery.certificates import Authority, write_private
from k8slab.etcd.client import Tls

AUTHORITY, MEMBER, CLIENT = "etcd-ca", "kube-etcd", "kube-apiserver-etcd-client"
HOSTS = ("localhost", "127.0.0.1")
FILES = ("ca.crt", "server.crt", "server.key", "apiserver-etcd-client.crt", "apiserver-etcd-client.key")


@dataclass(frozen=True, slots=True)
class MemberPki:
    """The certificates in `directory`."""

    directory: Path

    def make(self) -> None:
        """Make them, unless they are there."""
        if all((self.directory / name).exists() for name in FILES):
            return
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = Authority.create(AUTHORITY)
        # etcd's JSON gateway asks etcd itself, as a client with the server's certificate.
        member, client = authority.server(MEMBER, HOSTS, client_too=True), authority.client(CLIENT)
        contents = (authority.pair.certificate, member.certificate, member.key, client.certificate, client.key)
        for name, content in zip(FILES, contents, strict=True):
            write_private(self.directory / name, content)

    @property
    def client(self) -> Tls:
        """What a client needs."""
        ca, _, _, certificate, key = (str(self.directory / name) for name in FILES)
        return Tls(ca, certificate, key)

    def settings(self) -> tuple[str, ...]:
        """For etcd's command line: clients and peers show a certificate of this authority, or are turned away."""
        ca, certificate, key, *_ = (str(self.directory / name) for name in FILES)
        return (
            "--client-cert-auth", f"--trusted-ca-file={ca}", f"--cert-file={certificate}", f"--key-file={key}",
            "--peer-client-cert-auth", f"--peer-trusted-ca-file={ca}",
            f"--peer-cert-file={certificate}", f"--peer-key-file={key}",
        )  # fmt: skip
