"""Settings come from defaults, a file, the environment and the command line."""

from pathlib import Path

import pytest

from addon.config.load import configure
from addon.config.settings import Settings
from cache.policy.operator_rules import AnswerStatus, Mode, SetCookie
from tests.fixtures.settings_files import configured

pytestmark = pytest.mark.usefixtures("default_settings")


def test_without_a_file_the_defaults_apply() -> None:
    found = configure(None, {}, {})
    assert found.settings == Settings()
    assert found.file is None


def test_the_default_file_is_read_if_it_exists(tmp_path: Path) -> None:
    usual = tmp_path / "config-home" / "secondhand" / "config.toml"
    usual.parent.mkdir(parents=True)
    usual.write_text('listen = "127.0.0.1:1"')
    assert configure(None, {}, {}).settings.address == ("127.0.0.1", 1)


def test_an_option_names_the_file_before_a_variable_does(tmp_path: Path) -> None:
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text('listen = "127.0.0.1:1"')
    other.write_text('listen = "127.0.0.1:2"')
    environ = {"SECONDHAND_CONFIG": str(one)}
    assert configure(None, {}, environ).settings.address == ("127.0.0.1", 1)
    assert configure(other, {}, environ).settings.address == ("127.0.0.1", 2)
    assert configure(None, {}, {"SECONDHAND_CONFIG": ""}).file is None


def test_the_environment_overrides_the_file_and_the_command_line_overrides_both(tmp_path: Path) -> None:
    text = '[store]\nkind = "memory"\npath = "/file"\nmax_size = 5\n[answer]\nstatus = "origin"'
    environ = {"SECONDHAND_STORE__PATH": "/environment", "SECONDHAND_ANSWER__STATUS": "always"}
    settings = configured(tmp_path, text, environ, {"store": {"path": "/option"}}).settings
    assert settings.store.kind == "memory"
    assert settings.store.max_size == 5
    assert settings.answer.status is AnswerStatus.ALWAYS
    assert settings.store.directory == Path("/option")


def test_the_source_of_every_value_is_known(tmp_path: Path) -> None:
    environ = {"SECONDHAND_STORE__KIND": "memory", "SECONDHAND_CACHE": "{ mode = 'offline' }"}
    found = configured(tmp_path, 'listen = "[::1]:0"', environ, {"store": {"path": "/x"}})
    assert found.source("listen") == str(tmp_path / "config.toml")
    assert found.source("store", "kind") == "environment SECONDHAND_STORE__KIND"
    assert found.source("store", "path") == "command line --store"
    assert found.source("cache", "mode") == "environment SECONDHAND_CACHE"
    assert found.source("store", "max_size") is None


def test_an_empty_table_sets_nothing_and_leaves_what_the_profile_sets(tmp_path: Path) -> None:
    tables = "[store]\n[cache]\n[answer]\n[offline]\n"
    found = configured(tmp_path, f'{tables}[origin]\nvia = "off"', {"SECONDHAND_STORE__KIND": "memory"})
    assert set(found.sources) == {("origin", "via"), ("store", "kind")}
    assert found.source("store", "path") is None
    profile = configured(tmp_path, 'profile = "dev"').settings
    assert configured(tmp_path, f'profile = "dev"\n{tables}').settings == profile != Settings()


def test_variables_can_have_values_of_every_type() -> None:
    environ = {
        "SECONDHAND_LISTEN": "[::1]:8081",
        "SECONDHAND_STORE__MAX_SIZE": "10 MB",
        "SECONDHAND_STORE__MAX_OBJECT": "1000",
        "SECONDHAND_STORE__PATH": "123",
        "SECONDHAND_CACHE__MODE": "offline",
        "SECONDHAND_CACHE__MODES": '[{ host = "*.test", mode = "online" }]',
        "SECONDHAND_CACHE__HEURISTIC_MAX": "5 min",
        "SECONDHAND_CACHE__BYPASS_COOKIES": '["session", "user"]',
        "SECONDHAND_CACHE__SET_COOKIE": "strip",
        "SECONDHAND_ORIGIN__CONNECT_TIMEOUT": "0.5",
        "SECONDHAND_LOG__LEVEL": "debug",
        "SECONDHAND_ANNOTATE": '[{ set = { "X-A" = "b" } }]',
    }
    settings = configure(None, {}, environ).settings
    assert settings.address == ("::1", 8081)
    assert settings.store.max_size == 10_000_000
    assert settings.store.max_object == 1000
    assert settings.store.path == "123"
    assert settings.cache.mode is Mode.OFFLINE
    assert settings.cache.modes[0].mode is Mode.ONLINE
    assert settings.cache.heuristic_max == 300
    assert settings.cache.bypass_cookies == ("session", "user")
    assert settings.cache.set_cookie is SetCookie.STRIP
    assert settings.origin.connect_timeout == 0.5
    assert settings.log.level == "debug"
    assert settings.annotate[0].set == {"X-A": "b"}


def test_variables_that_kubernetes_sets_for_a_service_are_no_settings() -> None:
    environ = {
        "SECONDHAND_SERVICE_HOST": "10.0.0.1",
        "SECONDHAND_SERVICE_PORT": "8080",
        "SECONDHAND_SERVICE_PORT_PROXY": "8080",
        "SECONDHAND_PORT": "tcp://10.0.0.1:8080",
        "SECONDHAND_PORT_8080_TCP_ADDR": "10.0.0.1",
    }
    assert configure(None, {}, environ).settings == Settings()
