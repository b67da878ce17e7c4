"""The sockets of a start that fails."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.serve import start
from addon.serve.admin.sockets import admin_sockets
from tests.fixtures.command_line import secondhand


def test_a_start_that_fails_leaves_no_socket_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Regression: the sockets of the admin listener were left open."""
    bound: list[socket.socket] = []

    def remember(settings: Settings, inherited: Sequence[socket.socket]) -> list[socket.socket]:
        bound.extend(admin_sockets(settings, inherited))
        return bound

    monkeypatch.setattr(start, "admin_sockets", remember)
    monkeypatch.setenv("SECONDHAND_TLS__DIRECTORY", str(tmp_path / "authority"))
    assert secondhand("serve", "--listen", "127.0.0.1:0", "--script", "none.py").exit_code == 2
    assert [each.fileno() for each in bound] == [-1]
