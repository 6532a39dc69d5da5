"""The cluster's certificate authority, and who holds its certificates.

An authority signs two kinds of certificates: the server's, so that clients know whom they talk to, and the clients', so
that the server knows who asks. Keys are elliptic (P-256); with a directory they are kept, readable by the user alone.

Models: cmd/kubeadm/app/phases/certs (names, subjects, alternative names).
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from k8slab.clock import RealClock

VALID_DAYS = 3650
SERVER_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
SERVER_ADDRESSES = ("127.0.0.1", "10.96.0.1")
ADMIN, ADMIN_GROUP = "kubernetes-admin", "system:masters"
FILES = ("ca.crt", "ca.key", "apiserver.crt", "apiserver.key", "admin.crt", "admin.key")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes


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
        ca_key = ec.generate_private_key(ec.SECP256R1())
        ca = _certificate("kubernetes", (), ca_key, None, None, authority=True)
        pki = cls(
            Pair(_pem(ca), _key_pem(ca_key)),
            _pair("kube-apiserver", (), ca, ca_key, server=True),
            _pair(ADMIN, (ADMIN_GROUP,), ca, ca_key),
        )
        if directory is not None:
            pki._save(directory)
        return pki

    def client_certificate(self, name: str, groups: tuple[str, ...] = ()) -> Pair:
        """A certificate by which a client is `name`, and a member of `groups`."""
        ca = x509.load_pem_x509_certificate(self.ca.certificate)
        key = serialization.load_pem_private_key(self.ca.key, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return _pair(name, groups, ca, key)

    def ssl_context(self) -> ssl.SSLContext:
        """For the server: it shows its certificate, and takes, but does not demand, one from the client."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=self.ca.certificate.decode())
        # The ssl module reads keys from files only: they are gone again before anyone else could look.
        with tempfile.TemporaryDirectory(prefix="k8slab-") as folder:
            path = Path(folder) / "server.pem"
            _write(path, self.server.certificate + self.server.key)
            context.load_cert_chain(path)
        return context

    def _save(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        pairs = (self.ca, self.server, self.admin)
        contents = [content for pair in pairs for content in (pair.certificate, pair.key)]
        for name, content in zip(FILES, contents, strict=True):
            _write(directory / name, content)

    @classmethod
    def _load(cls, directory: Path) -> Self:
        contents = [(directory / name).read_bytes() for name in FILES]
        return cls(Pair(*contents[0:2]), Pair(*contents[2:4]), Pair(*contents[4:6]))


def _pair(
    name: str, groups: tuple[str, ...], ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, server: bool = False
) -> Pair:  # fmt: skip
    key = ec.generate_private_key(ec.SECP256R1())
    return Pair(_pem(_certificate(name, groups, key, ca, ca_key, server=server)), _key_pem(key))


def _certificate(
    name: str,
    groups: tuple[str, ...],
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate | None,
    ca_key: ec.EllipticCurvePrivateKey | None,
    *,
    authority: bool = False,
    server: bool = False,
) -> x509.Certificate:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        + [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    now = datetime.fromtimestamp(RealClock().now(), UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.subject if ca else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_key_usage(authority), critical=True)
    )
    if not authority:
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if ca is not None:
        issuer = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer)
        builder = builder.add_extension(identifier, critical=False)
    if server:
        names: list[x509.GeneralName] = [x509.DNSName(each) for each in SERVER_NAMES]
        names += [x509.IPAddress(ipaddress.ip_address(each)) for each in SERVER_ADDRESSES]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(ca_key or key, hashes.SHA256())


def _key_usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    temporary.replace(path)
