"""`secondhand page`: the address of the page, and how a browser gets it."""

from __future__ import annotations

import re
import stat
import webbrowser
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from addon.cli.page import OPENING
from tests.fixtures.admin_client import admin_of
from tests.fixtures.command_line import secondhand
from tests.fixtures.kept_copies import running_proxy
from tests.fixtures.proxy_process import Proxy


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with Proxy(tmp_path_factory.mktemp("proxy"), settings={"ORIGIN__PROXY": "none"}) as proxy:
        yield proxy


def test_the_address_has_the_token_behind_the_hash(running: Proxy) -> None:
    admin = admin_of(running)
    url = running.run("page", "--print-url").strip()
    assert url == f"http://127.0.0.1:{admin.port}/page/#token={admin.token}"
    assert running.run("page", "--print-url", "--store", str(running.folder / "store")).strip() == url


def test_the_browser_is_given_a_file_that_only_this_user_can_read(
    running: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other users of the machine can see the arguments of a browser."""
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) is None)
    monkeypatch.setattr("addon.cli.page._has_browser", lambda: True)
    assert running.run("page") == ""
    file = running.folder / "store" / OPENING
    assert opened == [file.as_uri()]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert re.findall(r"url=([^\"]+)", file.read_text()) == [running.run("page", "--print-url").strip()]


def test_without_a_browser_the_address_is_printed(running: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addon.cli.page._has_browser", lambda: False)
    assert "/page/#token=" in running.run("page")


def test_a_proxy_of_an_older_version_has_no_page(tmp_path: Path) -> None:
    async def status(_: Mapping[str, object]) -> dict[str, object]:
        return {"listen": ["127.0.0.1:8080"], "workers": []}

    with running_proxy(tmp_path, status=status):
        result = secondhand("page", "--store", tmp_path)
    assert result.exit_code == 1
    assert "has no admin listener" in result.stderr


def test_without_a_proxy_the_command_fails(tmp_path: Path) -> None:
    result = secondhand("page", "--store", tmp_path / "store")
    assert result.exit_code == 1
    assert "no proxy is running" in result.stderr


@pytest.mark.parametrize(
    ("listen", "said"),
    [("off", "has no admin listener"), ("unix:{}/admin.sock", "which browsers cannot open")],
)
def test_a_listener_that_no_browser_reaches_is_named(listen: str, said: str, tmp_path: Path) -> None:
    with Proxy(tmp_path, settings={"ADMIN__LISTEN": listen.format(tmp_path)}) as proxy:
        page = proxy.start("page", "--print-url")
        assert page.communicate() == ("", None)
        assert page.returncode == 1
        result = secondhand("page", "--print-url", "--store", tmp_path / "store")
        assert said in result.stderr
