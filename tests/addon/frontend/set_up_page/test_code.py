"""The QR code of the set-up page: whom it leads where, and that its drawing is the code."""

from __future__ import annotations

import re

import pytest
import segno

from addon.frontend.set_up_page.code import PAUSE, Code, CodesForClients, code_for_others
from tests.addon.frontend.front_end import FrontEndUnderTest, run_conversation
from tests.addon.frontend.set_up_page.test_page import request
from tests.fixtures.raw_origin import RawOrigin


@pytest.mark.parametrize(
    ("listening", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.7"),
        ("::1", "::1"),
        ("localhost", "proxy.example"),
        ("0.0.0.0", "127.0.0.1"),
        ("0.0.0.0", "localhost"),
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::1"),
        ("::", "::"),
        ("192.0.2.7", "127.8.9.1"),
    ],
)
def test_an_address_that_no_other_device_can_use_has_no_code(listening: str, host: str) -> None:
    assert code_for_others(listening, host, 8080) is None


@pytest.mark.parametrize(
    ("listening", "host", "address"),
    [
        ("0.0.0.0", "192.0.2.7", "http://192.0.2.7:8080/"),
        ("192.0.2.7", "192.0.2.7", "http://192.0.2.7:8080/"),
        ("::", "2001:db8::7", "http://[2001:db8::7]:8080/"),
        ("0.0.0.0", "proxy.example", "http://proxy.example:8080/"),
    ],
)
def test_the_code_has_the_address_that_was_asked(listening: str, host: str, address: str) -> None:
    code = code_for_others(listening, host, 8080)
    assert code is not None
    assert code.address == address
    assert dark_in(code) == [tuple(row) for row in segno.make_qr(address).matrix_iter(border=4)]


def test_a_client_that_invents_addresses_has_few_codes_drawn() -> None:
    now = 0.0
    codes = CodesForClients(lambda: now)

    def drawn_for(*hosts: int) -> list[int]:
        return [host for host in hosts if codes.code("0.0.0.0", f"192.0.2.{host}", 8080)]

    assert drawn_for(1, 2, 3) == [1]
    now = PAUSE
    assert drawn_for(2, 3, 1) == [2, 1]  # what was drawn once is known
    assert codes.code("0.0.0.0", "192.0.2.1", 8080) == code_for_others("0.0.0.0", "192.0.2.1", 8080)
    assert codes.code("0.0.0.0", "127.0.0.1", 8080) is None
    now = 2 * PAUSE
    assert drawn_for(3) == [3]  # an address without a code has used up nothing


def dark_in(code: Code) -> list[tuple[int, ...]]:
    """Return what the path draws, row by row."""
    rows = [[0] * code.size for _ in range(code.size)]
    boxes = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", code.path)
    assert "".join("M{} {}h{}v1h-{}z".format(*each) for each in boxes) == code.path
    for left, top, width, back in (map(int, each) for each in boxes):
        assert width == back
        rows[top][left : left + width] = [1] * width
    return [tuple(row) for row in rows]


def test_the_page_draws_the_code_of_the_address_by_which_it_was_asked() -> None:
    async def conversation(front_end: FrontEndUnderTest, _origin: RawOrigin) -> None:
        async def asked(host: str) -> str:
            client = await front_end.client()
            return (await client.fetch(request("/", host))).body.decode()

        code = code_for_others("0.0.0.0", "192.0.2.7", 3128)
        assert code is not None
        page = await asked("192.0.2.7:3128")
        assert f'<path d="{code.path}"/>' in page
        assert "<code>http://192.0.2.7:3128/</code>, to get the certificate" in page
        assert "<svg" not in await asked("127.0.0.1:3128")
        client = await front_end.client()  # which of all addresses it has used is not known
        assert b"<svg" not in (await client.fetch(request("http://mitm.it/", "mitm.it"))).body

    run_conversation(conversation, listen="0.0.0.0:0")


def test_a_proxy_on_loopback_draws_no_code_whatever_it_is_asked_by() -> None:
    async def conversation(front_end: FrontEndUnderTest, _origin: RawOrigin) -> None:
        client = await front_end.client()
        assert b"<svg" not in (await client.fetch(request("/", "192.0.2.7:3128"))).body

    run_conversation(conversation)
