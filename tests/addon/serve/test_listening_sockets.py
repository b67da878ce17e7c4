"""The sockets on which clients connect."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.serve.listening_sockets import CannotListen, address_text, bound_sockets, close_all, sockets_for
from tests.fixtures.proxy_process import Proxy


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


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_is_said_to_be_that_of_a_running_proxy(workers: str, tmp_path: Path) -> None:
    with Proxy(tmp_path, command=("secondhand", "serve", "--workers", workers)) as proxy:
        store, listen = {"path": str(tmp_path / "store")}, f"127.0.0.1:{proxy.port}"
        with pytest.raises(CannotListen) as failed:
            sockets_for(Settings.model_validate({"listen": listen, "store": store}))
        proxy.stop()
    assert str(failed.value) == (
        f"cannot listen on {listen}: Address already in use by the secondhand with process id {proxy.pid};"
        " --listen HOST:PORT, or the setting listen, chooses another address"
    )


def test_a_port_in_use_by_another_program(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = address_text(other)
        with pytest.raises(CannotListen, match="Address already in use; --listen HOST:PORT"):
            sockets_for(Settings.model_validate({"listen": listen, "store": {"path": str(tmp_path / "none")}}))


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    settings = Settings.model_validate({"listen": "192.0.2.1:8080", "store": {"path": str(tmp_path / "none")}})
    with pytest.raises(CannotListen, match=r"Cannot assign requested address; --listen HOST:PORT.* another address"):
        sockets_for(settings)
