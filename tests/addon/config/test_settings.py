"""The policy and the options that follow from the settings."""

from pathlib import Path

import pytest

from addon.config.settings import Settings
from cache.policy.cache_policy import CachePolicy, FreshnessPolicy, Presentation
from cache.policy.operator_rules import AnswerStatus, ClientReload, Mode, SetCookie
from tests.fixtures.settings_files import configured

pytestmark = pytest.mark.usefixtures("default_settings")


def test_the_default_policy_is_that_of_the_cache_plus_shipped_clients_and_lifetimes() -> None:
    policy = Settings().policy()
    assert policy.presentation.clients
    assert policy.freshness.lifetimes
    assert not policy.codings.classes
    assert not policy.codings.compress
    assert policy == CachePolicy(
        codings=policy.codings,
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
    text = f"""
        [origin]
        resolve_timeout = 5
        idle_timeout = "1 min"
        max_connections = 3
        ca_files = ["{ca}"]
        proxy = "http://[::1]:3128"
    """
    options = configured(tmp_path, text).settings.origin_options()
    assert (options.resolve_timeout, options.idle_timeout, options.max_connections) == (5, 60, 3)
    assert options.http2
    assert (options.connect_timeout, options.first_byte_timeout, options.between_bytes_timeout) == (3.5, 60, 60)
    assert options.ca_files == (str(ca),)
    assert options.proxy == "http://[::1]:3128"


def test_http2_with_origins_can_be_switched_off(tmp_path: Path) -> None:
    assert not configured(tmp_path, '[origin]\nhttp2 = "never"').settings.origin_options().http2


def test_the_origin_options_have_the_limits_of_messages_and_the_lenient_hosts(tmp_path: Path) -> None:
    text = """
        [origin]
        lenient = ["*.old.example"]
        min_rate = "1 KiB"
        stream_timeout = "2 h"
        [limits]
        max_head = "128 KiB"
        max_line = 1000
        """
    options = configured(tmp_path, text).settings.origin_options()
    assert (options.max_head, options.max_line) == (131_072, 1000)
    assert (options.min_rate, options.stream_timeout) == (1024, 7200)
    assert options.of_host("a.old.example").reads_leniently
    defaults = configured(tmp_path, "").settings.origin_options()
    assert (defaults.max_head, defaults.max_line, defaults.min_rate, defaults.lenient) == (65_536, 32_768, 16, ())


def test_the_store_has_a_default_directory_and_a_largest_object(tmp_path: Path) -> None:
    settings = configured(tmp_path, "[store]\nmax_size = 400").settings
    assert settings.store.directory == tmp_path / "cache-home" / "secondhand" / "store"
    assert settings.store.largest_object == 100
    assert configured(tmp_path, '[store]\nmax_object = ""').settings.store.largest_object == 2**29
    assert configured(tmp_path, '[store]\nmax_object = "1 kB"').settings.store.largest_object == 1000
    assert configured(tmp_path, '[store]\nmax_object = "free"').settings.store.largest_object == 2**30


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = configured(tmp_path, '[store]\npath = "~/copies"').settings
    assert settings.store.directory == tmp_path / "copies"
    assert settings.ca_directory == tmp_path / ".mitmproxy"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().store.path = "x"
