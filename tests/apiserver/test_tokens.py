"""Tokens of service accounts: made, shown, refused; and that they are nowhere where they should not be."""

from __future__ import annotations

import base64
from pathlib import Path

import orjson
import pytest

from k8slab.apiserver.tokens import ISSUER, TokenError, TokenKey
from tests.apiserver.harness import NAMESPACE, PODS, Api, pod

ACCOUNTS = f"{NAMESPACE}/serviceaccounts"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
ME = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@pytest.fixture
def api(api):
    api.do("POST", ACCOUNTS, {"metadata": {"name": "ci"}})
    return api


def token_of(api: Api, account: str = "ci", **spec: object) -> str:
    return api.do("POST", f"{ACCOUNTS}/{account}/token", {"spec": spec})["status"]["token"]


def claims(token: str) -> dict:
    part = token.split(".")[1]
    return orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def code(api: Api, token: str) -> int:
    return api.ask("POST", ME, {}, {"authorization": f"Bearer {token}"}, user=None).code


def test_a_token_says_whose_it_is_for_whom_and_until_when(api):
    token = token_of(api, expirationSeconds=600)
    found, now = claims(token), int(api.clock.now())
    assert (found["sub"], found["aud"], found["iss"]) == ("system:serviceaccount:default:ci", [ISSUER], ISSUER)
    assert (found["iat"], found["nbf"], found["exp"]) == (now, now, now + 600)
    assert found["kubernetes.io"]["serviceaccount"]["name"] == "ci"


def test_whoever_shows_a_token_is_the_account(api):
    answer = api.ask("POST", ME, {}, {"authorization": f"Bearer {token_of(api)}"}, user=None)
    info = answer.object["status"]["userInfo"]
    assert info["username"] == "system:serviceaccount:default:ci"
    assert info["uid"] == api.do("GET", f"{ACCOUNTS}/ci")["metadata"]["uid"]
    assert info["groups"] == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]
    assert list(info["extra"]) == ["authentication.kubernetes.io/credential-id"]


def test_a_token_ends_on_the_clusters_clock(api):
    token = token_of(api, expirationSeconds=600)
    api.clock.advance_to(api.clock.now() + 660)
    assert code(api, token) == 201  # clocks may differ by a minute
    api.clock.advance_to(api.clock.now() + 1)
    assert code(api, token) == 401


def test_a_token_goes_with_its_account(api):
    token = token_of(api)
    api.do("DELETE", f"{ACCOUNTS}/ci")
    assert code(api, token) == 401
    api.do("POST", ACCOUNTS, {"metadata": {"name": "ci"}})
    assert code(api, token) == 401  # another one of the same name


def test_a_token_that_is_bound_goes_with_its_pod(api):
    api.do("POST", PODS, pod(serviceAccountName="ci", nodeName="node-1"))
    token = token_of(api, boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "web"})
    assert claims(token)["kubernetes.io"]["pod"]["name"] == "web"
    assert code(api, token) == 201
    api.do("DELETE", f"{PODS}/web", gracePeriodSeconds="0")
    assert code(api, token) == 401


def test_a_token_that_is_bound_goes_with_its_secret_and_another_of_that_name_is_not_it(api):
    api.do("POST", f"{NAMESPACE}/secrets", {"metadata": {"name": "key"}})
    token = token_of(api, boundObjectRef={"kind": "Secret", "apiVersion": "v1", "name": "key"})
    assert code(api, token) == 201
    api.do("DELETE", f"{NAMESPACE}/secrets/key")
    assert code(api, token) == 401
    api.do("POST", f"{NAMESPACE}/secrets", {"metadata": {"name": "key"}})
    assert code(api, token) == 401


def test_a_pods_token_says_its_pod_and_lives_longer_than_it_says(api):
    api.do("POST", PODS, pod(serviceAccountName="ci"))
    token = token_of(api, expirationSeconds=3607, boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "web"})
    found = claims(token)
    assert found["kubernetes.io"]["warnafter"] == found["iat"] + 3607
    assert found["exp"] == found["iat"] + 365 * 24 * 3600


def test_a_token_for_others_is_none_for_us(api):
    token = token_of(api, audiences=["vault"])
    assert code(api, token) == 401
    review = api.do("POST", REVIEWS, {"spec": {"token": token, "audiences": ["vault", "x"]}})["status"]
    assert (review["authenticated"], review["audiences"]) == (True, ["vault"])
    assert api.do("POST", REVIEWS, {"spec": {"token": token}})["status"]["error"] == (
        f'[invalid bearer token, token audiences ["vault"] is invalid for the target audiences ["{ISSUER}"]]'
    )


@pytest.mark.parametrize("seconds", [1, 599, -5, 2**32 + 1])
def test_a_lifetime_has_bounds(api, seconds):
    status = api.ask("POST", f"{ACCOUNTS}/ci/token", {"spec": {"expirationSeconds": seconds}})
    bound = "larger than 2^32 seconds" if seconds > 600 else "less than 10 minutes"
    assert (status.code, status.object["message"]) == (
        422,
        'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: '
        f"Invalid value: {seconds}: may not specify a duration {bound}",
    )


@pytest.mark.parametrize(
    ("reference", "status"),
    [
        ({"kind": "Pod", "name": "nobody"}, 404),
        ({"kind": "Pod", "name": "web"}, 400),  # runs as another account
        ({"kind": "Service", "name": "web"}, 400),
        ({"kind": "Secret", "name": "s", "uid": "another"}, 409),
        ({"kind": "Secret", "name": "s"}, 201),
    ],
)
def test_a_token_is_bound_only_to_what_is_there(api, reference, status):
    api.do("POST", ACCOUNTS, {"metadata": {"name": "other"}})
    api.do("POST", PODS, pod(serviceAccountName="other"))
    api.do("POST", f"{NAMESPACE}/secrets", {"metadata": {"name": "s"}})
    answer = api.ask("POST", f"{ACCOUNTS}/ci/token", {"spec": {"boundObjectRef": {"apiVersion": "v1"} | reference}})
    assert answer.code == status


def test_a_token_is_for_an_account_that_is_there(api):
    assert api.refusal("POST", f"{ACCOUNTS}/nobody/token", {})[0] == 404


def spoilt(token: str) -> list[str]:
    header, body, signature = token.split(".")
    other = {**claims(token), "sub": "system:serviceaccount:kube-system:admin"}
    forged = base64.urlsafe_b64encode(orjson.dumps(other)).rstrip(b"=").decode()
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return [
        f"{header}.{forged}.{signature}", f"{none}.{body}.", f"{none}.{body}.{signature}", f"{header}.{body}.",
        f"{header}.{body}", f"{header}.{body}.{signature[:-2]}", "x", "a.b.c", "", "\x00", f"{token}=", f" {token}.", "....",
    ]  # fmt: skip


@pytest.mark.parametrize("index", range(13))
def test_a_token_that_was_tampered_with_is_refused(api, index):
    assert code(api, spoilt(token_of(api))[index]) == 401


def test_another_clusters_token_is_refused(api):
    assert code(api, TokenKey().sign(claims(token_of(api)))) == 401


def test_a_key_is_kept_for_its_user_alone_and_found_again(tmp_path: Path):
    path = tmp_path / "pki" / "sa.key"
    token = TokenKey(path).sign({"iss": ISSUER})
    assert path.stat().st_mode & 0o077 == 0
    assert TokenKey(path).verify(token) == {"iss": ISSUER}
    with pytest.raises(TokenError):
        TokenKey().verify(token)


def test_the_same_claims_give_the_same_token():
    key = TokenKey()
    assert key.sign({"iss": ISSUER, "a": 1}) == key.sign({"iss": ISSUER, "a": 1})


def test_others_can_check_tokens_by_the_published_key(api):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    token = token_of(api)
    found = api.do("GET", "/openid/v1/jwks")["keys"][0]
    x, y = (int.from_bytes(base64.urlsafe_b64decode(found[name] + "=="), "big") for name in "xy")
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    public.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))  # raises if it is not so
    assert api.do("GET", "/.well-known/openid-configuration")["issuer"] == ISSUER


def test_no_token_is_stored(api):
    token = token_of(api)
    assert all(token.encode() not in (entry.value or b"") for entry in api.store.range("/").entries)
    assert token not in repr(api.server.audit)
