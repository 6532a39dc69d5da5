"""Tokens of service accounts: JSON Web Tokens, signed by the cluster.

A token says whose it is (`sub`), for whom (`aud`), until when (`exp`), and to which object it is bound: a Pod's token is good
as long as that Pod is there. The server keeps no list of tokens. Whoever shows one has its signature and its claims checked,
and that the account and the bound object still are those that the token was made for; so what is deleted takes its tokens along.

The key is an elliptic one (P-256, ES256), made when it is first needed, and kept by whoever keeps the cluster. It never comes
from the seed, which is no secret. Signatures are deterministic: the same claims give the same token.

Models: pkg/serviceaccount (claims.go, jwt.go, legacy.go), RFC 7515, RFC 7519, RFC 6979.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from k8slab.apimachinery.rest import JsonObject

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ISSUER = "https://kubernetes.default.svc.cluster.local"
MAX_VERIFIED = 1_000
HALF = 32
"""Bytes of each of the two numbers of a signature."""


class TokenError(Exception):
    """A token that is good for nothing; the text says why."""


class TokenKey:
    """The key that a cluster signs its tokens with. `path`: where it is kept; None: it goes with this object."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._made: EllipticCurvePrivateKey | None = None
        self._id = ""
        self._verified: OrderedDict[str, JsonObject] = OrderedDict()
        """Tokens whose signature has been checked, and their claims."""

    def __repr__(self) -> str:
        return "<TokenKey>"

    def sign(self, claims: JsonObject) -> str:
        """A token with these claims."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        signed = f"{_encoded(orjson.dumps({'alg': 'ES256', 'kid': self.id}))}.{_encoded(orjson.dumps(claims))}"
        signature = self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        numbers = b"".join(number.to_bytes(HALF, "big") for number in utils.decode_dss_signature(signature))
        return f"{signed}.{_encoded(numbers)}"

    def verify(self, token: str) -> JsonObject:
        """The claims of a token that this key has signed. Raises TokenError."""
        claims = self._verified.get(token)
        if claims is None:
            claims = self._check(token)
            self._verified[token] = claims
            if len(self._verified) > MAX_VERIFIED:
                self._verified.popitem(last=False)
        return claims

    @property
    def id(self) -> str:
        """A digest of the public key: it stands in each token, as `kid`."""
        if not self._id:
            from cryptography.hazmat.primitives import serialization

            public = self._key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            self._id = _encoded(hashlib.sha256(public).digest())
        return self._id

    def public_jwk(self) -> JsonObject:
        """The public key, for whoever wants to check tokens by themselves."""
        numbers = self._key.public_key().public_numbers()
        x, y = (_encoded(number.to_bytes(HALF, "big")) for number in (numbers.x, numbers.y))
        return {"use": "sig", "kty": "EC", "kid": self.id, "crv": "P-256", "alg": "ES256", "x": x, "y": y}

    @property
    def _key(self) -> EllipticCurvePrivateKey:
        with self._lock:
            if self._made is None:
                self._made = _make(self._path)
            return self._made

    def _check(self, token: str) -> JsonObject:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        signed, _, signature = token.rpartition(".")
        try:
            header, claims = (orjson.loads(_decoded(part)) for part in signed.split("."))
            numbers = _decoded(signature)
        except ValueError:
            raise TokenError("invalid bearer token") from None
        if not (isinstance(header, dict) and isinstance(claims, dict)):
            raise TokenError("invalid bearer token")
        if header.get("alg") != "ES256" or len(numbers) != 2 * HALF or claims.get("iss") != ISSUER:
            raise TokenError("invalid bearer token")
        pair = (int.from_bytes(numbers[:HALF], "big"), int.from_bytes(numbers[HALF:], "big"))
        try:
            self._key.public_key().verify(
                utils.encode_dss_signature(*pair), signed.encode(), ec.ECDSA(hashes.SHA256())
            )  # fmt: skip
        except InvalidSignature:
            raise TokenError("invalid bearer token") from None
        return claims


def _make(path: Path | None) -> EllipticCurvePrivateKey:
    """A new key; or, where one is kept, that one."""
    # Imported here: a cluster without tokens need not wait for it.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    from k8slab.apimachinery.certificates import key_pem, write_private

    if path is not None and path.exists():
        kept = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(kept, ec.EllipticCurvePrivateKey), f"{path} is no elliptic key"
        return kept
    key = ec.generate_private_key(ec.SECP256R1())
    if path is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, key_pem(key))
    return key


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """Raises ValueError for what is no base64url, or is written in another way than ours."""
    found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encoded(found) != text:
        raise ValueError("not canonical")
    return found


def claims_of(
    account: JsonObject, bound: dict[str, JsonObject], audiences: list[str], now: float, seconds: int, identity: str
) -> JsonObject:
    """The claims of a new token, good for `seconds`. `bound`: what it is bound to, by kind in small letters."""
    meta = account["metadata"]
    kubernetes: JsonObject = {"namespace": meta["namespace"]}
    for kind, obj in (*bound.items(), ("serviceaccount", account)):
        kubernetes[kind] = {"name": obj["metadata"]["name"], "uid": obj["metadata"]["uid"]}
    begins = int(now)
    return {
        "aud": audiences,
        "exp": begins + seconds,
        "iat": begins,
        "iss": ISSUER,
        "jti": identity,
        "kubernetes.io": kubernetes,
        "nbf": begins,
        "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
    }


def number(claims: JsonObject, name: str) -> float:
    """A moment among the claims. Raises TokenError."""
    value: Any = claims.get(name)
    if not isinstance(value, (int, float)):
        raise TokenError("invalid bearer token")
    return value
