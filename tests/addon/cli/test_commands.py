"""The table of commands, and the modules that a command imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

from addon.cli.commands import COMMANDS, Command, CommandOnDemand, loaded
from tests.fixtures.imported_modules import found, modules_after

SLOW = {
    *("addon.config.settings", "addon.pipeline", "addon.service", "asyncio", "cache.stores", "cryptography"),
    *("dns", "hpack", "httplint", "mitmproxy", "rich", "sqlite3"),
}
"""Modules that take long to import, or import many others."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_table_has_the_summary_of_every_command(command: Command) -> None:
    assert CommandOnDemand(command).get_short_help_str(200) == loaded(command).get_short_help_str(200)
    assert CommandOnDemand(command).get_short_help_str(200) == command.summary


@pytest.mark.parametrize("arguments", [["--help"], ["version"], ["addon"], ["run", "--help"], ["no-such-command"]])
def test_what_needs_no_settings_imports_nothing_slow(arguments: list[str]) -> None:
    modules = modules_after(f"from addon.cli import app; app({arguments})")
    assert "addon.cli.commands" in modules
    assert not found(SLOW, modules)


def test_the_help_needs_the_table_only() -> None:
    modules = modules_after("from addon.cli import app; app(['--help'])")
    assert found({"addon.cli"}, modules) == {
        "addon.cli",
        *("addon.cli.commands", "addon.cli.help", "addon.cli.options", "addon.cli.terminal"),
        *("addon.cli.usage_errors", "addon.cli.version"),
    }
    assert not found({"pydantic", "addon.config", "cache"}, modules)


def test_the_help_on_a_terminal_needs_no_more() -> None:
    """Regression: boxes around the help took most of the time of `secondhand --help`."""
    script = "import sys; sys.stdout.isatty = lambda: True; from addon.cli import app; app(['--help'])"
    assert not found(SLOW, modules_after(script))


def test_a_proxy_for_one_command_imports_late_what_it_may_not_need() -> None:
    modules = modules_after("import addon.serve.for_parent")
    assert "addon.serve.one_process" in modules
    late = {"cryptography", "dns", "httplint", "mitmproxy.certs", "mitmproxy.proxy", "rich", "typer", "urllib.request"}
    late |= {"redis", "addon.frontend.mitm.embedded", "addon.serve.workers", "addon.warm", "cache.stores.redis.store"}
    assert not found(late, modules)


def test_a_proxy_for_one_command_searches_no_plugins_of_pydantic() -> None:
    begin = "import secondhand, sys; sys.argv = ['secondhand', 'serve-for-parent', '{}']; secondhand.main()"
    found_by_search = "import pydantic.plugin._loader as loader; print('PLUGINS', loader._plugins)"
    script = f"import atexit; atexit.register(lambda: exec({found_by_search!r})); {begin}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "PLUGINS None" in done.stdout  # else a table, perhaps an empty one
