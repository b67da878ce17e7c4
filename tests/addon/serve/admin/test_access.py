"""Requests that the admin API admits: with the token, from no page of another site, for a name of the listener."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.runtime.token_file import TokenFile
from addon.serve.admin.access import Access
from tests.fixtures.admin_client import AdminClient

TOKEN = "0123456789abcdef"


@pytest.fixture
def access(tmp_path: Path) -> Access:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return Access(TokenFile(file), ["proxy.example", "[fd00::1]"])


GOOD = {"host": "127.0.0.1:9000", "authorization": f"Bearer {TOKEN}"}


OWN = (
    *("127.0.0.1:9000", "localhost:9000", "[::1]:9000", "LOCALHOST:80", "localhost"),
    *("proxy.example:1", "[fd00::1]:9000"),
)


@pytest.mark.parametrize("host", OWN)
def test_a_request_with_the_token_for_a_name_of_the_listener_is_admitted(access: Access, host: str) -> None:
    assert access.refusal("/status", GOOD | {"host": host}) is None


FOREIGN = (
    *("", "evil.example", "evil.example:9000", "127.0.0.1.evil.example:9000", "localhost.evil.example"),
    *("127.0.0.1:9000x", "0.0.0.0:9000", "[::]:9000", "127.0.0.1@evil.example", "localhost:٣"),
)


@pytest.mark.row("SEC-16")
@pytest.mark.parametrize("host", FOREIGN)
def test_a_name_that_was_made_to_resolve_to_this_machine_is_refused(access: Access, host: str) -> None:
    refusal = access.refusal("/status", GOOD | {"host": host})
    assert refusal is not None
    assert refusal[0] == 403


@pytest.mark.row("SEC-16")
@pytest.mark.parametrize(
    "fields",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:9001"},
        {"origin": "http://localhost:9000"},
        {"origin": "file://"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_a_page_of_another_origin_is_refused_even_with_the_token(access: Access, fields: dict[str, str]) -> None:
    refusal = access.refusal("/status", GOOD | fields)
    assert refusal is not None
    assert refusal[0] == 403


@pytest.mark.parametrize(
    "fields",
    [
        {"origin": "http://127.0.0.1:9000"},
        {"origin": "https://127.0.0.1:9000", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
    ids=str,
)
def test_a_page_of_the_listener_itself_is_admitted(access: Access, fields: dict[str, str]) -> None:
    assert access.refusal("/status", GOOD | fields) is None


@pytest.mark.row("SEC-16")
@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}0", f"Bearer {TOKEN[:-1]}", "Bearer \xe9"],
)
def test_a_request_without_the_token_is_refused(access: Access, authorization: str) -> None:
    refusal = access.refusal("/status", {"host": "localhost", "authorization": authorization})
    assert refusal is not None
    assert refusal[0] == 401


def test_probes_need_neither_a_token_nor_a_known_host(access: Access) -> None:
    assert access.refusal("/healthz", {"host": "10.1.2.3:9000"}) is None
    assert access.refusal("/readyz", {}) is None
    assert access.refusal("/readyz/", GOOD | {"authorization": ""}) is not None


@pytest.mark.row("SEC-16")
@pytest.mark.parametrize("path", ["/status", "/nothing", "/", "/healthz/../status", "//healthz", "/%68ealthz/x"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PURGE", "NONSENSE"])
def test_over_http_nothing_but_probes_is_answered_without_the_token(admin: AdminClient, method: str, path: str) -> None:
    assert admin.ask(method, path).status == 401
    assert admin.ask(method, path, {"Host": "evil.example"} | admin.authorization).status == 403
    assert admin.ask(method, path, {"Origin": "http://evil.example"} | admin.authorization).status == 403


def test_the_refusal_names_the_scheme_and_tells_nothing_else(admin: AdminClient) -> None:
    refused = admin.ask("GET", "/status")
    assert refused.fields["www-authenticate"] == 'Bearer realm="admin"'
    assert refused.json == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "The field Authorization does not have the token: Bearer, a space, and the token.",
    }
