"""The sockets on which clients connect."""

from __future__ import annotations

import socket

import pytest

from addon.serve.listening_sockets import address_text, bound_sockets, close_all


def test_all_addresses_of_a_name_have_the_same_free_port() -> None:
    sockets = bound_sockets("localhost", 0)
    try:
        assert len({each.getsockname()[1] for each in sockets}) == 1
        assert sockets[0].getsockname()[1]
    finally:
        close_all(sockets)


def test_clients_are_refused_until_the_socket_listens() -> None:
    [bound] = bound_sockets("127.0.0.1", 0)
    with bound, socket.socket() as client:
        with pytest.raises(ConnectionRefusedError):
            client.connect(bound.getsockname())
        assert address_text(bound) == f"127.0.0.1:{bound.getsockname()[1]}"


def test_an_address_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        bound_sockets(*other.getsockname())
