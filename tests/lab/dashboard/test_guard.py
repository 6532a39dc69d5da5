from __future__ import annotations

import pytest

from k8slab.lab.dashboard.guard import BEARER, HEADERS, PROTOCOL, Guard, Refused

LINE = {"Origin": "http://127.0.0.1:80", "Sec-WebSocket-Protocol": f"{PROTOCOL}, {BEARER}secret"}


@pytest.fixture
def guard():
    return Guard("secret", {80, 81})


def code(check, *given) -> int:
    with pytest.raises(Refused) as refused:
        check(*given)
    return refused.value.code


def test_two_dashboards_have_tokens_of_128_bits_that_differ():
    one, other = Guard().token, Guard().token
    assert len(one) == len(other) == 32
    assert one != other


@pytest.mark.parametrize("host", ["127.0.0.1:80", "localhost:80", "127.0.0.1:81"])
def test_it_answers_as_itself_on_all_its_ports(guard, host):
    guard.check_host(host)


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:82", "127.0.0.1:80.evil"]
)
def test_a_name_that_points_here_is_misdirected(guard, host):
    assert code(guard.check_host, host) == 421


@pytest.mark.parametrize(
    "shown", ["", "secret", "Bearer", "Bearer secre", "Basic secret", "Bearer secret2", "Bearer sécret"]
)
def test_without_the_token_nothing_is_said(guard, shown):
    assert code(guard.check_token, {"Authorization": shown}) == 401


def test_the_token_opens(guard):
    guard.check_token({"Authorization": "Bearer secret"})
    guard.check_line(LINE)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:82", "https://127.0.0.1:80", "null", ""])
def test_a_line_from_another_page_is_forbidden_though_it_had_the_token(guard, origin):
    assert code(guard.check_line, {**LINE, "Origin": origin}) == 403


@pytest.mark.parametrize("offered", ["", PROTOCOL, f"{PROTOCOL}, secret", f"{PROTOCOL}, {BEARER}other"])
def test_a_line_without_the_token_is_refused(guard, offered):
    assert code(guard.check_line, {**LINE, "Sec-WebSocket-Protocol": offered}) == 401


def test_the_page_may_load_its_own_scripts_and_nothing_else():
    policy = HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "script-src 'self' " not in policy
