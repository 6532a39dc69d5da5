from __future__ import annotations

from cryptography import x509

from k8slab.apiserver.pki import Pki


def subject(pem: bytes) -> str:
    return x509.load_pem_x509_certificate(pem).subject.rfc4514_string()


def test_the_administrator_is_a_master(pki):
    assert subject(pki.admin_cert_pem) == "CN=kubernetes-admin,O=system:masters"


def test_the_server_answers_to_its_names(pki):
    certificate = x509.load_pem_x509_certificate(pki.server.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", "kubernetes.default.svc"} <= set(names.get_values_for_type(x509.DNSName))
    assert "127.0.0.1" in map(str, names.get_values_for_type(x509.IPAddress))


def test_a_client_certificate_names_user_and_groups(pki):
    made = pki.client_certificate("system:node:node-1", ("system:nodes",))
    assert subject(made.certificate) == "CN=system:node:node-1,O=system:nodes"
    x509.load_pem_x509_certificate(made.certificate).verify_directly_issued_by(
        x509.load_pem_x509_certificate(pki.ca_pem)
    )


def test_what_is_kept_is_found_again_and_is_the_users_alone(tmp_path):
    folder = tmp_path / "pki"
    assert Pki.create(folder) == Pki.create(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
