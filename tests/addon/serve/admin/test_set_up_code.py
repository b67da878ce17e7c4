"""The QR code for the page: an address of the proxy that other devices can use."""

from __future__ import annotations

from typing import Any

import pytest

from addon.serve.admin.set_up_code import set_up_code
from tests.fixtures.admin_client import AdminClient


def address(listen: list[str], asked: str = "", sites: Any = ()) -> str | None:
    code: Any = set_up_code({"sites": list(sites), "listen": listen}, asked)["code"]
    return None if code is None else code["address"]


@pytest.mark.parametrize("asked", ["", "127.0.0.1", "localhost", "[::1]"])
def test_on_loopback_and_for_a_browser_on_loopback_there_is_no_code(asked: str) -> None:
    assert address(["127.0.0.1:8080", "[::1]:8080"], asked) is None
    assert address(["0.0.0.0:8080", "[::]:8080"], asked) is None


def test_the_code_has_the_host_that_was_asked_or_else_the_address_that_others_can_use() -> None:
    assert address(["0.0.0.0:8080"], "192.0.2.7") == "http://192.0.2.7:8080/"
    assert address(["[::]:8080"], "[2001:db8::7]") == "http://[2001:db8::7]:8080/"
    assert address(["127.0.0.1:1", "192.0.2.9:8080"], "127.0.0.1") == "http://192.0.2.9:8080/"


def test_an_edge_has_no_code() -> None:
    assert address(["192.0.2.9:80"], sites=[{"hosts": ["a.example"]}]) is None


def test_the_api_checks_the_host(admin: AdminClient) -> None:
    assert admin.get("/set-up-code").json == {"code": None}
    assert admin.get("/set-up-code?host=192.0.2.7").json == {"code": None}  # it listens on loopback
    for wrong in ("a/b", "a" * 254, "", "%3Cimg%3E"):
        refused = admin.get(f"/set-up-code?host={wrong}")
        assert refused.status == 422
        assert refused.json["detail"].startswith("host: ")
