"""Settings come from defaults, a file, the environment and the command line; each fault says what was expected."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from addon.config.annotations import is_reserved
from addon.config.errors import ConfigError
from addon.config.load import Configuration, configure
from addon.config.settings import Settings
from addon.config.units import parse_size, parse_time, size_text, time_text
from cache.policy.cache_policy import CachePolicy, FreshnessPolicy, Presentation
from cache.policy.operator_rules import AnswerStatus, ClientReload, Mode, SetCookie

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config-home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache-home"))


def configured(
    tmp_path: Path, text: str, environ: Mapping[str, str] = {}, overrides: Mapping[str, object] = {}
) -> Configuration:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return configure(file, overrides, environ)


def faults(
    tmp_path: Path, text: str = "", environ: Mapping[str, str] = {}, overrides: Mapping[str, object] = {}
) -> list[str]:
    """Return the lines of the error, without the file's directory."""
    with pytest.raises(ConfigError) as raised:
        configured(tmp_path, text, environ, overrides)
    return str(raised.value).replace(f"{tmp_path}/", "").splitlines()


# ---- the example


def without_comment_marks(text: str) -> str:
    """Return the example with its optional lines, those that begin with "#" and no space, turned on."""
    return re.sub(r"(?m)^#(?=\S)", "", text)


def test_the_example_file_equals_the_defaults() -> None:
    assert configure(EXAMPLE, {}, {}).settings == Settings()


def test_the_optional_lines_of_the_example_are_valid(tmp_path: Path) -> None:
    settings = configured(tmp_path, without_comment_marks(EXAMPLE.read_text(encoding="utf-8"))).settings
    assert [rule.status for rule in settings.answer.rules] == [AnswerStatus.ORIGIN]
    assert [annotation.remove for annotation in settings.annotate] == [("Server",)]


def test_the_example_has_every_key() -> None:
    example = tomllib.loads(without_comment_marks(EXAMPLE.read_text(encoding="utf-8")))
    assert set(keys_of_table(example)) == set(keys_of_model(Settings))


def test_every_key_of_the_example_has_a_comment_above_it() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for before, line in pairwise(lines):
        if re.match(r"\w+ = ", line):
            assert before.startswith("# "), line


def keys_of_table(table: Mapping[str, object], above: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict) and key not in ("set", "append"):
            yield from keys_of_table(value, f"{above}{key}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield from keys_of_table(value[0], f"{above}{key}.")
        else:
            yield above + key


def keys_of_model(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for key, field in model.model_fields.items():
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        inner = [kind for kind in kinds if issubclass(kind, BaseModel)]
        if inner:
            yield from keys_of_model(inner[0], f"{above}{key}.")
        else:
            yield above + key


# ---- the sources of settings


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


# ---- the policy and options that follow


def test_the_default_policy_is_that_of_the_cache_plus_shipped_clients_and_lifetimes() -> None:
    policy = Settings().policy()
    assert policy.presentation.clients
    assert policy.freshness.lifetimes
    assert policy == CachePolicy(
        presentation=Presentation(clients=policy.presentation.clients),
        freshness=FreshnessPolicy(lifetimes=policy.freshness.lifetimes),
    )


def test_every_setting_of_the_cache_reaches_the_policy(tmp_path: Path) -> None:
    text = """
        [answer]
        status = "always"
        name = "edge-1"
        cache_status = false
        memento = true
        rules = [{ host = "*.Example.org", path = "/a/*", user_agent = "^x", status = "origin" }]
        [cache]
        heuristic_max = "1h"
        heuristic_query = false
        age_formula = "corrected"
        max_stale_disconnected = "2d"
        stale_on_5xx = true
        s_maxage_allows_stale = true
        set_cookie = "bypass"
        bypass_cookies = ["session"]
        client_reload = "ignore-when-fresh"
        targeted_fields = ["CDN-Cache-Control"]
        strict_host = true
        vary_lang_order = "ignore"
        mode = "offline"
        modes = [{ host = "*.test", mode = "online" }]
        [[annotate]]
        host = "a.test"
        set = { "X-A" = "{origin}" }
        append = { "X-B" = "b" }
        remove = ["X-C"]
    """
    policy = configured(tmp_path, text).settings.policy()
    assert policy.presentation.status is AnswerStatus.ALWAYS
    assert (policy.identity.name, policy.presentation.cache_status, policy.presentation.memento) == (
        "edge-1",
        False,
        True,
    )
    [rule] = policy.presentation.status_rules
    assert rule.status is AnswerStatus.ORIGIN
    assert rule.host.fullmatch("www.example.ORG")
    assert not rule.host.fullmatch("example.org")
    assert rule.path.fullmatch("/a/b")
    assert rule.user_agent.search("xyz")
    assert (policy.freshness.heuristic_max, policy.freshness.max_stale_disconnected) == (3600, 172_800)
    assert not policy.freshness.heuristic_query
    assert not policy.freshness.conservative_age
    assert policy.freshness.stale_on_5xx
    assert policy.freshness.s_maxage_allows_stale
    assert policy.storing.set_cookie is SetCookie.BYPASS
    assert policy.requests.bypass_cookies == {"session"}
    assert policy.requests.client_reload is ClientReload.IGNORE_WHEN_FRESH
    assert policy.targeted_fields == ("cdn-cache-control",)
    assert policy.requests.strict_host
    assert not policy.keying.vary_language_order
    assert policy.network.mode is Mode.OFFLINE
    assert policy.mode_of("a.test") is Mode.ONLINE
    [annotation] = policy.presentation.annotations
    assert annotation.host.fullmatch("a.test")
    assert annotation.path.fullmatch("/anything")
    assert (annotation.set, annotation.append) == ((("X-A", "{origin}"),), (("X-B", "b"),))
    assert annotation.remove == ("X-C",)


def test_the_origin_options_have_the_settings_of_the_origin_table(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("")
    text = f'[origin]\nidle_timeout = "1 min"\nmax_connections = 3\nca_files = ["{ca}"]\nproxy = "http://[::1]:3128"'
    options = configured(tmp_path, text).settings.origin_options()
    assert (options.idle_timeout, options.max_connections) == (60, 3)
    assert (options.connect_timeout, options.first_byte_timeout, options.between_bytes_timeout) == (3.5, 60, 60)
    assert options.ca_files == (str(ca),)
    assert options.proxy == "http://[::1]:3128"


def test_the_store_has_a_default_directory_and_a_largest_object(tmp_path: Path) -> None:
    settings = configured(tmp_path, "[store]\nmax_size = 400").settings
    assert settings.store.directory == tmp_path / "cache-home" / "secondhand" / "store"
    assert settings.store.largest_object == 100
    assert configured(tmp_path, '[store]\nmax_object = ""').settings.store.largest_object == 2**29
    assert configured(tmp_path, '[store]\nmax_object = "1 kB"').settings.store.largest_object == 1000


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/user")
    settings = configured(tmp_path, '[store]\npath = "~/copies"').settings
    assert settings.store.directory == Path("/home/user/copies")
    assert settings.tls.ca_directory == Path("/home/user/.mitmproxy")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().store.path = "x"


@pytest.mark.parametrize(
    ("text", "number"),
    [("2 GiB", 2**31), ("2GiB", 2**31), ("500 MB", 500_000_000), ("1.5 kib", 1536), ("7", 7), ("7 B", 7), (7, 7)],
)
def test_sizes(text: object, number: int) -> None:
    assert parse_size(text) == number


@pytest.mark.parametrize("text", ["lots", "", "-1", -1, 1.5, True, "1 GiBs", "GiB", [], float("nan")])
def test_invalid_sizes(text: object) -> None:
    with pytest.raises(ValueError, match="a size like"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("24h", 86_400), ("5 min", 300), ("5m", 300), ("1.5 s", 1.5), ("250 ms", 0.25), ("2 Days", 172_800), (3.5, 3.5)],
)
def test_times(text: object, number: float) -> None:
    assert parse_time(text) == number


@pytest.mark.parametrize("text", ["soon", "", -1, True, "5 fortnights", float("inf"), float("nan"), {}])
def test_invalid_times(text: object) -> None:
    with pytest.raises(ValueError, match="a time like"):
        parse_time(text)


def test_sizes_and_times_as_text() -> None:
    assert [size_text(number) for number in (0, 1023, 1536, 2**31)] == ["0 B", "1023 B", "1.5 KiB", "2 GiB"]
    assert [time_text(number) for number in (0, 59.9, 200, 3600, 187_200)] == ["0s", "59s", "3m 20s", "1h", "2d 4h"]


# ---- faults


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
        ('[store]\nkind = "tape"', 'store.kind: found "tape", expected "disk" or "memory"'),
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
        ('[cache]\nset_cookie = "eat"', 'cache.set_cookie: found "eat", expected "store", "strip" or "bypass"'),
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


@pytest.mark.parametrize(
    ("annotation", "fault"),
    [
        (
            'set = { "Content-Length" = "5" }',
            'annotate#1.set: found "Content-Length", expected a field that a local rule may change;'
            " Content-Length is framing, a hop-by-hop field, or the proxy's own",
        ),
        (
            'append = { ETag = "x" }',
            'annotate#1.append: found "ETag", expected a field that a local rule may set;'
            " ETag is the origin's validator and can only be removed",
        ),
        ('remove = ["Age"]', 'annotate#1.remove#1: found "Age", expected a field that a local rule may change;'),
        ('remove = ["a b"]', 'annotate#1.remove#1: found "a b", expected the name of a field, like "X-Copy-Of"'),
        (
            'set = { X = "a\\r\\nSet-Cookie: b" }',
            r'annotate#1.set.X: found "a\r\nSet-Cookie: b", expected a field value: Latin-1 characters,',
        ),
        ('set = { X = "€" }', 'annotate#1.set.X: found "€", expected a field value: Latin-1 characters,'),
        (
            'set = { X = "{wheather}" }',
            'annotate#1.set.X: found "{wheather}", expected a known placeholder in place of {wheather}: {age}, ',
        ),
        ('host = "a"', "annotate#1: found a table, expected at least one field in set, append or remove"),
        ("set = { X = 5 }", "annotate#1.set.X: found 5, expected a string"),
    ],
)
def test_a_fault_in_an_annotation_names_the_key(tmp_path: Path, annotation: str, fault: str) -> None:
    [line] = faults(tmp_path, f"[[annotate]]\n{annotation}")
    assert line.startswith(f"config.toml: {fault}")


@pytest.mark.parametrize(
    "name",
    [
        "Age",
        "Via",
        "Date",
        "Cache-Status",
        "Proxy-Status",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Content-Length",
        "Content-Range",
        "Content-Encoding",
    ],
)
def test_framing_and_the_proxys_own_fields_are_reserved(name: str) -> None:
    assert is_reserved(name)
    assert is_reserved(name.lower())


def test_other_braces_in_an_annotation_are_literal(tmp_path: Path) -> None:
    text = """[[annotate]]\nset = { Report-To = '{"group": "x", "endpoints": []} {age}' }"""
    assert configured(tmp_path, text).settings.annotate[0].set["Report-To"].endswith("{age}")


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("SECONDHAND_STORE__KIND", "tape", ': found "tape", expected "disk" or "memory"'),
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
