from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from k8slab.apimachinery.certificates import Authority, write_private


@pytest.fixture(scope="module")
def authority():
    return Authority.create("an-authority")


def read(pair):
    return x509.load_pem_x509_certificate(pair.certificate)


def purposes(pair):
    return list(read(pair).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_what_an_authority_signed_can_be_told_from_what_another_did(authority):
    signed = read(authority.client("ann"))
    signed.verify_directly_issued_by(read(authority.pair))
    with pytest.raises(InvalidSignature):
        signed.verify_directly_issued_by(read(Authority.create("an-authority").pair))


def test_only_the_authority_may_sign(authority):
    for pair, may in ((authority.pair, True), (authority.client("ann"), False), (authority.server("s", ()), False)):
        assert read(pair).extensions.get_extension_for_class(x509.BasicConstraints).value.ca is may
        assert read(pair).extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign is may


def test_a_certificate_is_for_one_purpose_unless_a_server_asks_others_too(authority):
    assert purposes(authority.client("ann")) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert purposes(authority.server("s", ())) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert len(purposes(authority.server("s", (), client_too=True))) == 2


def test_hosts_are_names_or_addresses(authority):
    names = read(authority.server("s", ("localhost", "127.0.0.1", "::1"))).extensions
    found = names.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [*map(str, found.get_values_for_type(x509.IPAddress))] == ["127.0.0.1", "::1"]


def test_no_key_is_shown(authority):
    assert "PRIVATE" not in repr(authority) + repr(authority.client("ann"))


def test_a_private_file_is_its_owners_even_where_it_was_another(tmp_path):
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)
