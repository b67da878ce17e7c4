"""The tables [[site.rules]]: what they may say, and what they become."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.config.site import rule_table
from addon.config.site_rules import covered
from cache.policy.operator_rules import AnswerStatus, ClientReload
from cache.policy.site_rules import Effects
from tests.fixtures.settings_files import configured, faults

pytestmark = pytest.mark.usefixtures("default_settings")

SITE = '[[site]]\nhosts = ["example.org"]\norigins = ["http://127.0.0.1:8000"]\n'


def effects(tmp_path: Path, *rules: str, target: str = "/") -> Effects:
    table = rule_table(
        configured(tmp_path, SITE + "".join(f"[[site.rules]]\n{rule}\n" for rule in rules)).settings.site
    )
    assert table is not None
    found = table.find("example.org")
    assert found is not None
    return found.effects(target)


def test_sites_without_rules_have_no_table(tmp_path: Path) -> None:
    assert rule_table(configured(tmp_path, SITE).settings.site) is None
    assert configured(tmp_path, SITE).settings.policy().site_rules is None


def test_everything_that_a_rule_can_say(tmp_path: Path) -> None:
    found = effects(
        tmp_path,
        'path = "/a/*"\nbypass_cookies = ["wordpress_logged_in_*"]\nvary_cookie = "lang"\nanswer = "origin"',
        'client_reload = "honour"\nmax_body = "10 MiB"\nmethods = ["GET", "HEAD"]',
        'path = ["/b", "/a/*"]\nlimits = { requests = { rate = "30/min", burst = 20 } }',
        'redirect = { to = "/c{path}", status = 302 }\nrequest_fields = { set = { X-A = "b" }, remove = ["X-C"] }',
        'ttl = "1h"\nstatus = 404\ncontent_type = "text/*"',
        target="/a/1",
    )
    assert found.answer is AnswerStatus.ORIGIN
    assert found.client_reload is ClientReload.HONOUR
    assert (found.vary_cookie, found.max_body, found.methods) == ("lang", 10 * 2**20, ("GET", "HEAD"))
    assert found.rate is not None
    assert (found.rate.interval, found.rate.burst) == (2, 20)
    assert found.redirect is not None
    assert (found.redirect.to, found.redirect.status) == ("/c{path}", 302)
    assert [rule.name for rule in found.responses] == [f"site#1.rules#{number}" for number in range(1, 6)]
    assert (found.responses[4].ttl, found.responses[4].statuses) == (3600, frozenset({404}))


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("", "a rule that says something"),
        ('path = "/a"', "a rule that says something"),
        ('path = "/%7Euser/*"\nbypass = true', "a pattern for whole paths without escapes"),
        ('path = "admin/*"\nbypass = true', "a pattern for whole paths without escapes"),
        ("path = []\nbypass = true", "a list with at least one member"),
        ('status = 404\nquery = { drop = ["a"] }', "no status or content_type beside query"),
        ('content_type = "text/*"\nbasic_auth = { required = false }', "no status or content_type beside basic_auth"),
        ("status = 99\nttl = 1", "a status from 200 to 599"),
        ("ttl = -1", 'a time like "24h"'),
        ('override = ["authorization"]', '"no-cache", "no-store"'),
        ("cookies = {}", "one of the keys keep and strip"),
        ('cookies = { keep = ["a"], strip = ["b"] }', "one of the keys keep and strip"),
        ('limits = { requests = { rate = "10" } }', 'like "10/s"'),
        ('limits = { requests = { rate = "0/s" } }', 'like "10/s"'),
        ('redirect = { to = "{host}" }', "a URL or a path"),
        ('redirect = { to = "https://{name}/" }', "a URL or a path"),
        ('redirect = { to = "https://a/\\r\\nX: y" }', "a URL or a path"),
        ('redirect = { to = "https://a/{host!r}" }', "a URL or a path"),
        ('redirect = { to = "https://a/{host.x}" }', "a URL or a path"),
        ('redirect = { to = "https://a/}" }', "a URL or a path"),
        ('redirect = { to = "/{path}" }', "no slash before {path}"),
        ('redirect = { to = "/{target}" }', "no slash before {path}"),
        ('redirect = { to = "/a", status = 200 }', "301, 302, 303, 307 or 308"),
        ('basic_auth = { users_file = "/does/not/exist" }', "a file that can be read"),
        ('basic_auth = "on"', "a table"),
        ('basic_auth = { realm = "a" }', "a users_file"),
        ('basic_auth = { users_file = "" }', "a users_file"),
        ('basic_auth = { users_file = "/does/not/exist" }', "site#1.rules#1.basic_auth.users_file: found"),
        ('response_fields = { set = { Age = "1" } }', "a field that a local rule may change"),
        ('response_fields = { set = { ETag = "1" } }', "a field that a local rule may set"),
        ('response_fields = { set = { X = "a\\nb" } }', "a field value"),
        ('request_fields = { set = { Host = "a" } }', "a field of requests that a rule may change"),
        ('request_fields = { remove = ["Content-Length"] }', "a field that a local rule may change"),
        ('request_fields = { set = { Accept-Encoding = "gzip" } }', "a field of requests that a rule may change"),
        ('request_fields = { set = { X-Forwarded-Host = "a" } }', "a field of requests that an edge passes on"),
        ('request_fields = { set = { X-Real-IP = "a" } }', "a field of requests that an edge passes on"),
        ('request_fields = { set = { X_Tier = "a" } }', "a field of requests that an edge passes on"),
        ("methods = []", "a list with at least one member"),
        ("max_body = 0", "a size above 0"),
        ("tll = 1", "did you mean ttl"),
    ],
)
def test_what_is_refused(tmp_path: Path, rule: str, fault: str) -> None:
    assert fault in "\n".join(faults(tmp_path, f"{SITE}[[site.rules]]\n{rule}\n"))


def notes(tmp_path: Path, *rules: str) -> list[str]:
    settings = configured(tmp_path, SITE + "".join(f"[[site.rules]]\n{rule}\n" for rule in rules)).settings
    return list(covered(settings.site[0].rules, "site#1"))


def test_rules_that_never_apply_are_found(tmp_path: Path) -> None:
    assert notes(tmp_path, "ttl = 1", 'path = "/a"\nttl = 2') == [
        "site#1.rules#2 never applies: all that it says is said by rules before it (#1)"
    ]
    assert notes(tmp_path, 'path = ["/a", "/b"]\nttl = 1', 'path = "/a"\nttl = 2')
    assert notes(tmp_path, "ttl = 1", "bypass = true", 'path = "/a"\nttl = 2\nbypass = false')
    assert notes(tmp_path, "ttl = 1", "ttl = 1\nstatus = 302")
    assert not notes(tmp_path, 'path = "/a"\nttl = 2', "ttl = 1")
    assert not notes(tmp_path, "ttl = 1", 'path = "/a"\nttl = 2\ngrace = 1')
    assert not notes(tmp_path, "ttl = 1\nstatus = 302", "ttl = 1")
    assert not notes(tmp_path, 'ttl = 1\ncontent_type = "text/*"', "ttl = 1\nstatus = 302")
