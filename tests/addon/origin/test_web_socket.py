"""The handshake of WebSocket with an origin: which 101 is accepted."""

from __future__ import annotations

import pytest

from addon.origin.web_socket import accept_for, fault_in_switch, handshake_fields, new_key
from cache.http.messages import Fields, Response

KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""The example of RFC 6455 §1.3."""

GOOD = ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Accept", ACCEPT)


def switch(*lines: tuple[str, str]) -> Response:
    return Response(101, "Switching Protocols", Fields(lines))


def test_the_accept_value_is_that_of_the_rfc() -> None:
    assert accept_for(KEY) == ACCEPT


def test_each_handshake_has_a_key_of_its_own() -> None:
    first, second = new_key(), new_key()
    assert first != second
    assert len(first) == len(KEY)


def test_the_fields_of_the_handshake_are_added_and_the_key_replaced() -> None:
    sent = Fields((("Sec-WebSocket-Key", "of the client"), ("X", "y")))
    assert handshake_fields(sent, None).lines == (*sent.lines, *GOOD[:2])
    assert handshake_fields(sent, KEY).lines == (("X", "y"), ("Sec-WebSocket-Key", KEY), *GOOD[:2])


@pytest.mark.parametrize("key", [KEY, None])
def test_an_agreement_is_accepted(key: str | None) -> None:
    assert fault_in_switch(switch(*GOOD), key) is None
    spelled = ("connection", "keep-alive, upgrade"), ("upgrade", "WebSocket"), ("sec-websocket-accept", ACCEPT)
    assert fault_in_switch(switch(*spelled), key) is None


@pytest.mark.parametrize(
    "lines",
    [
        (),
        GOOD[1:],
        (GOOD[0], GOOD[2]),
        GOOD[:2],
        (GOOD[0], ("Upgrade", "h2c"), GOOD[2]),
        (GOOD[0], ("Upgrade", "websocket, h2c"), GOOD[2]),
        (("Connection", "close"), *GOOD[1:]),
        (*GOOD, ("Sec-WebSocket-Accept", "other")),
    ],
    ids=["nothing", "no Connection", "no Upgrade", "no Accept", "h2c", "two protocols", "close", "two Accepts"],
)
def test_any_other_101_is_refused(lines: tuple[tuple[str, str], ...]) -> None:
    assert fault_in_switch(switch(*lines), None)


def test_the_answer_to_another_key_is_refused() -> None:
    assert fault_in_switch(switch(*GOOD), "AAAAAAAAAAAAAAAAAAAAAA==")
