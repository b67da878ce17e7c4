"""Each fault in the settings says where it is, what was found and what was expected."""

from pathlib import Path

import pytest

from addon.config.errors import ConfigError
from addon.config.load import configure
from addon.config.settings import Settings
from tests.fixtures.settings_files import configured, faults

pytestmark = pytest.mark.usefixtures("default_settings")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[store]\nmax_sise = 1", "store.max_sise: unknown key, did you mean max_size?"),
        ("[stoer]\nkind = 1", "stoer: unknown key, did you mean store?"),
        (
            "[log]\nzzz = 1",
            "log.zzz: unknown key, expected level",
        ),
        (
            '[store]\nmax_size = "lots"',
            'store.max_size: found "lots", expected a size like "2 GiB" or "500 MB", or a number of bytes',
        ),
        ("[store]\nmax_size = 0", 'store.max_size: found 0, expected a size above 0, like "2 GiB"'),
        (
            "[store]\nmax_size = 5\nmax_object = 6",
            "store.max_object: found 6, expected at most store.max_size",
        ),
        ('[store]\nkind = "tape"', 'store.kind: found "tape", expected "disk", "memory" or "redis"'),
        ("[store]\npath = 5", "store.path: found 5, expected a string"),
        ('store = "x"', 'store: found "x", expected a table'),
        ("listen = 8080", "listen: found 8080, expected a string"),
        ('listen = ":8080"', 'listen: found ":8080", expected HOST:PORT, like "127.0.0.1:8080" or "[::1]:8080"'),
        (
            'listen = "a:65536"',
            'listen: found "a:65536", expected HOST:PORT, like "127.0.0.1:8080" or "[::1]:8080"',
        ),
        ('[answer]\nstatus = "203"', 'answer.status: found "203", expected "auto", "always" or "origin"'),
        ("[answer]\nmemento = 1", "answer.memento: found 1, expected true or false"),
        ('[answer]\nname = "a b"', 'answer.name: found "a b", expected a token: letters, digits and "-", "_", "."'),
        ('[answer]\nclients = "/nowhere"', 'answer.clients: found "/nowhere", expected a file that exists'),
        (
            '[answer]\nrules = [{ host = "a" }]',
            "answer.rules#1.status: found nothing, expected a value: this key is required",
        ),
        (
            '[[answer.rules]]\nstatus = "auto"\n[[answer.rules]]\nstatus = "auto"\nuser_agent = "("',
            'answer.rules#2.user_agent: found "(", expected a regular expression'
            " (missing ), unterminated subpattern at position 0)",
        ),
        ('[cache]\nset_cookie = "eat"', 'cache.set_cookie: found "eat", expected "auto", "store", "strip" or "bypass"'),
        (
            '[cache]\nclient_reload = "no"',
            'cache.client_reload: found "no", expected "honour" or "ignore-when-fresh"',
        ),
        (
            "[cache]\nheuristic_max = -1",
            'cache.heuristic_max: found -1, expected a time like "24h" or "5 min", or a number of seconds',
        ),
        ('[cache]\nbypass_cookies = "a"', 'cache.bypass_cookies: found "a", expected a list'),
        ("[cache]\nbypass_cookies = [1]", "cache.bypass_cookies#1: found 1, expected a string"),
        (
            "[origin]\nconnect_timeout = 0",
            'origin.connect_timeout: found 0, expected a time above 0, like "5 min"',
        ),
        ("[origin]\nmax_connections = 0", "origin.max_connections: found 0, expected a number of at least 1"),
        ("[origin]\nmax_connections = 1.5", "origin.max_connections: found 1.5, expected a whole number"),
        ('[origin]\nca_files = ["/nowhere"]', 'origin.ca_files#1: found "/nowhere", expected a file that exists'),
        (
            '[origin]\nproxy = "socks5://a"',
            'origin.proxy: found "socks5://a", expected a proxy like "http://proxy.example:3128", "none", or nothing',
        ),
        ('[log]\nlevel = "loud"', 'log.level: found "loud", expected "debug", "info", "warning" or "error"'),
        ("a = ", "line 1, column 5: Invalid value"),
        ("[store]\nkind = 'disk\n", "line 3, column 1: "),
        ("[store\nkind = 'disk'", "line 1, column 7: "),
    ],
)
def test_a_fault_in_the_file_names_file_key_what_was_found_and_what_was_expected(
    tmp_path: Path, text: str, fault: str
) -> None:
    [line] = faults(tmp_path, text)
    assert line.startswith(f"config.toml: {fault}")


SITE = '[[site]]\nhosts = ["a"]\norigins = ["http://b"]\n'
"""The beginning of the settings of a site."""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("~nosuchuser/x", 'a path without "~": this user has no home directory'),
        (r"a\u0000b", "a path without null characters"),
    ],
)
@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("store.path", "store.path = {}"),
        ("recordings.path", "recordings.path = {}"),
        ("tls.directory", "tls.directory = {}"),
        ("log.access", "log.access = {}"),
        ("purge.log", "purge.log = {}"),
        ("purge.token_file", "purge.token_file = {}"),
        ("admin.token_file", "admin.token_file = {}"),
        ("answer.clients", "answer.clients = {}"),
        ("origin.client_certificate", "origin.client_certificate = {}"),
        ("origin.ca_files#1", "origin.ca_files = [{}]"),
        ("site#1.tls#1.cert", f'{SITE}[[site.tls]]\nkey = "k"\ncert = {{}}'),
        ("site#1.tls#1.key", f'{SITE}[[site.tls]]\ncert = "c"\nkey = {{}}'),
        ("site#1.rules#1.basic_auth.users_file", f"{SITE}[[site.rules]]\nbasic_auth.users_file = {{}}"),
    ],
)
def test_a_path_that_cannot_be_used_is_a_fault_of_its_key(
    tmp_path: Path, key: str, text: str, path: str, expected: str
) -> None:
    assert faults(tmp_path, text.format(f'"{path}"')) == [f'config.toml: {key}: found "{path}", expected {expected}']


@pytest.mark.parametrize("path", ["~nosuchuser/x", r"a\u0000b"])
def test_a_socket_of_the_admin_api_that_cannot_be_used_is_a_fault_of_its_key(tmp_path: Path, path: str) -> None:
    [fault] = faults(tmp_path, f'admin.listen = "unix:{path}"')
    assert fault.startswith(f'config.toml: admin.listen: found "unix:{path}", expected a path without ')


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("SECONDHAND_STORE__KIND", "tape", ': found "tape", expected "disk", "memory" or "redis"'),
        ("SECONDHAND_CACHE__GROUPS", "maybe", ': found "maybe", expected true or false'),
        ("SECONDHAND_STORE__SIZE", "1", ": unknown key, did you mean max_size?"),
        ("SECONDHAND_LISTN", "x", ": unknown key, did you mean listen?"),
        ("SECONDHAND_STORE", "x", ': found "x", expected a table'),
        ("SECONDHAND_ANSWER__RULES", "[{}]", ": answer.rules#1.status: found nothing, expected a value"),
    ],
)
def test_a_fault_in_the_environment_names_the_variable(tmp_path: Path, name: str, value: str, fault: str) -> None:
    [line] = faults(tmp_path, "", {name: value})
    assert line.startswith(f"environment {name}{fault}")


def test_a_fault_on_the_command_line_names_the_option(tmp_path: Path) -> None:
    assert faults(tmp_path, overrides={"answer": {"status": "x"}}) == [
        'command line --answer: found "x", expected "auto", "always" or "origin"'
    ]
    assert faults(tmp_path, overrides={"log": {"level": "x"}})[0].startswith('command line: log.level: found "x"')


def test_all_faults_are_reported_together(tmp_path: Path) -> None:
    lines = faults(tmp_path, 'listen = 1\n[store]\nkind = "x"', {"SECONDHAND_LOG__LEVEL": "x"}, {"store": {"path": 5}})
    assert len(lines) == 4


def test_a_value_that_is_overridden_is_not_checked(tmp_path: Path) -> None:
    assert configured(tmp_path, '[store]\nkind = "x"', {"SECONDHAND_STORE__KIND": "disk"}).settings == Settings()


def test_a_fault_in_the_client_list_is_a_fault_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / "clients.toml").write_text("[[client]]\n")
    lines = faults(tmp_path, f'[answer]\nclients = "{tmp_path}/clients.toml"')
    assert lines == ["clients.toml: client#1.name: found nothing, expected a value: this key is required"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: expected a file to read, found: No such file"):
        configure(tmp_path / "nowhere.toml", {}, {})
    with pytest.raises(ConfigError, match="expected a file to read, found: Is a directory"):
        configure(tmp_path, {}, {})
    (tmp_path / "latin.toml").write_bytes(b'listen = "\xe4"')
    with pytest.raises(ConfigError, match=r"latin\.toml: found bytes that are not UTF-8 at offset 10, expected TOML"):
        configure(tmp_path / "latin.toml", {}, {})
