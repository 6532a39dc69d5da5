"""Certificates: an authority, and what it signs.

Whoever trusts an authority's certificate trusts all that it signed. A server's certificate says at which names and addresses
it answers, a client's who asks: the common name is the user, organizations are its groups. Keys are elliptic (P-256).

Models: k8s.io/client-go/util/cert, cmd/kubeadm/app/util/pkiutil.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from k8slab.clock import RealClock

VALID_DAYS = 3650
AS_SERVER, AS_CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Authority:
    """Signs certificates."""

    pair: Pair

    @classmethod
    def create(cls, name: str) -> Self:
        """A new one, which has signed itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name, ())
        certificate = _unsigned(subject, subject, key, authority=True).sign(key, hashes.SHA256())
        return cls(Pair(_pem(certificate), key_pem(key)))

    def server(self, name: str, hosts: Sequence[str], *, client_too: bool = False) -> Pair:
        """For a server at `hosts`, names and addresses; with `client_too` it may ask others as well."""
        purposes = [AS_SERVER, AS_CLIENT] if client_too else [AS_SERVER]
        return self._sign(_subject(name, ()), purposes, x509.SubjectAlternativeName([*map(_alternative, hosts)]))

    def client(self, name: str, groups: Sequence[str] = ()) -> Pair:
        """By which a client is `name`, and a member of `groups`."""
        return self._sign(_subject(name, groups), [AS_CLIENT])

    def _sign(self, subject: x509.Name, purposes: list[x509.ObjectIdentifier], *more: x509.ExtensionType) -> Pair:
        mine = x509.load_pem_x509_certificate(self.pair.certificate)
        signer = serialization.load_pem_private_key(self.pair.key, None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        issuer = mine.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _unsigned(subject, mine.subject, key, authority=False)
        signed_by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer)
        for extension in (x509.ExtendedKeyUsage(purposes), signed_by, *more):
            builder = builder.add_extension(extension, critical=False)
        return Pair(_pem(builder.sign(signer, hashes.SHA256())), key_pem(key))


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as text. A secret."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private(path: Path, content: bytes) -> None:
    """Write a file that is its owner's alone, and whole from the first moment."""
    temporary = path.with_name(f".{path.name}.tmp")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    temporary.replace(path)


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(RealClock().now(), UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_key_usage(authority), critical=True)
    )


def _subject(name: str, groups: Sequence[str]) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        + [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _alternative(host: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(host))
    return x509.DNSName(host)


def _key_usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
