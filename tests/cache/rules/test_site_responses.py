"""Lifetimes and limits that the rules of a site give responses, and what they never do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cache import engine
from cache.engine.decisions import Forward, Relay, Serve, Store, Validate
from cache.engine.explain import explain
from cache.http.host_table import HostTable
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy, CodingPolicy, Identity
from cache.policy.operator_rules import AnswerStatus, ClientReload, SetCookie, glob
from cache.policy.reasons import Detail, NotCompressed, NotStored
from cache.policy.site_rules import CookieChange, Effects, FieldChange, Override, ResponseRule, SiteRule, SiteRules
from cache.rules.compression import reason_not_to_compress
from cache.rules.freshness import freshness_lifetime
from cache.rules.key import target_uri
from cache.rules.site_requests import changed_request, effects_of
from cache.rules.site_responses import rules_for
from cache.rules.stored_response import StoredResponse

NOW = 1_800_000_000.0
EVERY = glob("*")


def policy_with(*rules: ResponseRule, **effects: Any) -> CachePolicy:
    made = [SiteRule(rule.name, (EVERY,), Effects(), rule) for rule in rules]
    made.append(SiteRule("last", (EVERY,), Effects(**effects), ResponseRule("last")))
    return CachePolicy(identity=Identity(gateway=True), site_rules=HostTable([("a.example", SiteRules(made))]))


def asking(*lines: tuple[str, str], method: str = "GET", target: str = "/") -> Request:
    return Request(method, "https", "a.example", 443, target, Fields(lines))


def answer(status: int, *lines: tuple[str, str]) -> Received:
    fields = Fields((("Date", "Fri, 15 Jan 2027 08:00:00 GMT"), ("Content-Type", "text/html; charset=utf-8"), *lines))
    return Received(Response(status, "", fields), NOW, NOW)


def outcome(received: Received, policy: CachePolicy, request: Request | None = None) -> Store | Relay:
    request = request or asking()
    sent = engine.on_request(request, (), policy, NOW)
    assert isinstance(sent, Forward)
    decided = engine.on_response(request, sent, received, policy, "id")
    assert isinstance(decided, Store | Relay)
    return decided


def stored(received: Received, policy: CachePolicy, request: Request | None = None) -> StoredResponse:
    decided = outcome(received, policy, request)
    assert isinstance(decided, Store), decided
    return replace(decided.entry, length=0)


@pytest.mark.parametrize(
    ("rule", "status", "lines", "seconds"),
    [
        ({"ttl": 600}, 200, [], 600),
        ({"ttl": 600}, 301, [], 600),
        ({"ttl": 600}, 200, [("Cache-Control", "max-age=5, s-maxage=6")], 600),
        ({"ttl": 600}, 200, [("Expires", "0")], 600),
        ({"ttl": 600}, 404, [("Cache-Control", "max-age=5")], 5),
        ({"negative_ttl": 10}, 404, [], 10),
        ({"negative_ttl": 10}, 410, [("Cache-Control", "max-age=500")], 10),
        ({"negative_ttl": 10}, 200, [("Cache-Control", "max-age=5")], 5),
        ({"ttl": 20, "statuses": frozenset({302, 404})}, 302, [], 20),
        ({"ttl": 20, "statuses": frozenset({302, 404})}, 404, [], 20),
        ({"ttl": 20, "content_types": (glob("text/*"),)}, 200, [], 20),
        ({"ttl": 20, "content_types": (glob("image/*"),)}, 200, [("Cache-Control", "max-age=5")], 5),
    ],
)
def test_the_lifetime_of_a_rule_wins(rule: dict[str, Any], status: int, lines: Any, seconds: int) -> None:
    policy = policy_with(ResponseRule("first", **rule))
    assert freshness_lifetime(stored(answer(status, *lines), policy), policy).seconds == seconds


@pytest.mark.parametrize("status", [302, 303, 307, 401, 403, 500, 503])
def test_no_lifetime_for_a_status_that_no_rule_names(status: int) -> None:
    policy = policy_with(ResponseRule("first", ttl=600, negative_ttl=600))
    assert isinstance(outcome(answer(status), policy), Relay)


def test_the_first_rule_counts_that_says_something() -> None:
    policy = policy_with(ResponseRule("first", grace=5), ResponseRule("second", ttl=60), ResponseRule("third", ttl=70))
    lifetime = freshness_lifetime(stored(answer(200), policy), policy)
    assert (lifetime.seconds, lifetime.source) == (60, "second ttl")


@pytest.mark.parametrize(
    ("lines", "reason", "override"),
    [
        ([("Cache-Control", "private")], NotStored.PRIVATE, Override.PRIVATE),
        ([("Cache-Control", "no-store")], NotStored.NO_STORE, Override.NO_STORE),
        ([("Set-Cookie", "a=b")], NotStored.SET_COOKIE, Override.SET_COOKIE),
    ],
)
def test_a_lifetime_shares_nothing_that_its_origin_forbids(lines: Any, reason: NotStored, override: Override) -> None:
    decided = outcome(answer(200, *lines), policy_with(ResponseRule("first", ttl=60)))
    assert isinstance(decided, Relay)
    assert decided.not_stored is reason
    entry = stored(answer(200, *lines), policy_with(ResponseRule("first", ttl=60, override=frozenset({override}))))
    assert "set-cookie" not in entry.head.fields


@pytest.mark.parametrize(
    ("lines", "is_stored"), [((), False), ([("Cache-Control", "max-age=5")], True), ([("Expires", "0")], True)]
)
def test_only_a_lifetime_of_the_origin_stores_a_response_with_its_cookies(lines: Any, is_stored: bool) -> None:
    policy = policy_with(ResponseRule("first", ttl=60))
    policy = replace(policy, storing=replace(policy.storing, set_cookie=SetCookie.STORE))
    decided = outcome(answer(200, ("Set-Cookie", "a=b"), ("ETag", '"1"'), *lines), policy)
    assert isinstance(decided, Store) is is_stored


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((), NotCompressed.PERSONAL),
        ([("Cache-Control", "max-age=0")], NotCompressed.PERSONAL),
        ([("Cache-Control", "max-age=5")], None),
    ],
)
def test_a_lifetime_by_rule_alone_leaves_a_response_personal(lines: Any, reason: NotCompressed | None) -> None:
    """Its compressed length would give away what it says to one user."""
    policy = policy_with(ResponseRule("first", ttl=60))
    policy = replace(policy, codings=CodingPolicy(compress=("gzip",), content_types=(glob("text/*"),)))
    entry = replace(stored(answer(200, *lines), policy), personal=True, length=5000)
    assert reason_not_to_compress(entry, policy) is reason


def test_a_lifetime_does_not_share_responses_to_authorization() -> None:
    request = asking(("Authorization", "Basic YTpi"))
    decided = outcome(answer(200), policy_with(ResponseRule("first", ttl=60, override=frozenset(Override))), request)
    assert isinstance(decided, Relay)
    assert decided.not_stored is NotStored.AUTHORIZATION


def test_no_cache_stays_in_force_unless_it_is_overridden() -> None:
    received = answer(200, ("Cache-Control", "no-cache"), ("ETag", '"a"'))
    policy = policy_with(ResponseRule("first", ttl=60))
    assert isinstance(engine.on_request(asking(), [stored(received, policy)], policy, NOW), Validate)
    policy = policy_with(ResponseRule("first", ttl=60, override=frozenset({Override.NO_CACHE})))
    served = engine.on_request(asking(), [stored(received, policy)], policy, NOW)
    assert isinstance(served, Serve)
    assert served.detail is Detail.RULE


@pytest.mark.parametrize(
    ("cache_control", "override", "is_served"),
    [
        ("max-age=10", (), True),
        ("s-maxage=10", (), True),
        ("max-age=10, must-revalidate", (), False),
        ("max-age=10, must-revalidate", (Override.MUST_REVALIDATE,), True),
        ("max-age=10, proxy-revalidate", (Override.MUST_REVALIDATE,), True),
    ],
)
def test_grace(cache_control: str, override: tuple[Override, ...], is_served: bool) -> None:
    policy = policy_with(ResponseRule("first", grace=100, override=frozenset(override)))
    entry = stored(answer(200, ("Cache-Control", cache_control)), policy)
    served = engine.on_request(asking(), [entry], policy, NOW + 50)
    assert isinstance(served, Serve) is is_served
    assert not isinstance(engine.on_request(asking(), [entry], policy, NOW + 111), Serve)


def test_responses_that_are_not_stored_by_a_rule() -> None:
    policy = policy_with(ResponseRule("first", bypass=True, content_types=(glob("text/*"),)))
    decided = outcome(answer(200, ("Cache-Control", "max-age=60")), policy)
    assert isinstance(decided, Relay)
    assert decided.not_stored is NotStored.RULE
    before = stored(answer(200, ("Cache-Control", "max-age=60")), CachePolicy())
    assert not isinstance(engine.on_request(asking(), [before], policy, NOW), Serve)


COOKIE = ("Cookie", "session=1")


@pytest.mark.parametrize("first", [asking(), asking(COOKIE)])
@pytest.mark.parametrize("second", [asking(), asking(COOKIE), asking(("Cookie", "session=2"))])
def test_only_requests_with_the_same_cookies_share_what_a_rule_keeps(first: Request, second: Request) -> None:
    policy = policy_with(ResponseRule("first", ttl=60))
    entry = stored(answer(200), policy, first)
    is_same = first.fields == second.fields
    assert isinstance(engine.on_request(second, [entry], policy, NOW), Serve) is is_same


def test_cookies_that_are_stripped_or_said_to_have_no_effect_do_not_divide() -> None:
    policy = policy_with(ResponseRule("first", ttl=60), cookies=CookieChange(keep=()))
    request = changed_request(asking(COOKIE), effects_of(asking(), policy))
    assert "cookie" not in request.fields
    policy = policy_with(ResponseRule("first", ttl=60, override=frozenset({Override.COOKIE})))
    entry = stored(answer(200), policy, asking(COOKIE))
    assert isinstance(engine.on_request(asking(("Cookie", "session=2")), [entry], policy, NOW), Serve)


@pytest.mark.parametrize("lines", [[], [("Vary", "Cookie")], [("Vary", "Cookie"), ("Cache-Control", "max-age=60")]])
def test_copies_by_one_cookie(lines: Any) -> None:
    policy = policy_with(ResponseRule("first", ttl=60), vary_cookie="lang")
    entry = stored(answer(200, *lines), policy, asking(("Cookie", "lang=de; session=1")))
    for cookie, is_served in (("session=2; lang=de", True), ("lang=fr; session=1", False), ("session=1", False)):
        served = engine.on_request(asking(("Cookie", cookie)), [entry], policy, NOW)
        assert isinstance(served, Serve) is is_served
    assert not any("lang" in str(value) or value == "de" for _, value in entry.vary)


def test_fields_of_responses() -> None:
    change = FieldChange(set=(("X-Tier", "edge"),), append=(("Link", "<a>"),), remove=("Server",))
    policy = policy_with(ResponseRule("first", ttl=60, response_fields=change))
    received = answer(200, ("Server", "x"))
    decided = outcome(received, policy)
    assert decided.response.head.status == 203
    entry = stored(received, policy)
    assert entry.head.fields.get("server") == "x"
    served = engine.on_request(asking(), [entry], policy, NOW)
    assert isinstance(served, Serve)
    for head in (decided.response.head, served.response.head):
        assert (head.fields.get("x-tier"), head.fields.get("link"), head.fields.get("server")) == ("edge", "<a>", None)
    missing = outcome(answer(404, ("Server", "x")), policy).response.head
    assert (missing.status, missing.fields.get("server")) == (404, None)


def test_other_hosts_have_no_rules() -> None:
    policy = policy_with(ResponseRule("first", ttl=60), bypass=True)
    decided = outcome(answer(200), policy, replace(asking(), host="b.example"))
    assert isinstance(decided, Relay)
    assert decided.not_stored is NotStored.NEVER_REUSABLE


@pytest.mark.parametrize(
    ("answer_status", "status"), [(AnswerStatus.ORIGIN, 200), (AnswerStatus.ALWAYS, 203), (None, 203)]
)
def test_the_status_of_copies(answer_status: AnswerStatus | None, status: int) -> None:
    policy = policy_with(ResponseRule("first", ttl=60), answer=answer_status)
    served = engine.on_request(asking(), [stored(answer(200), policy)], policy, NOW)
    assert isinstance(served, Serve)
    assert served.response.head.status == status


@pytest.mark.parametrize(("reload", "is_served"), [(ClientReload.IGNORE_WHEN_FRESH, True), (None, False)])
def test_the_effect_of_a_reload(reload: ClientReload | None, is_served: bool) -> None:
    policy = policy_with(ResponseRule("first", ttl=60), client_reload=reload)
    request = asking(("Cache-Control", "no-cache"))
    decided = engine.on_request(request, [stored(answer(200), policy)], policy, NOW)
    assert isinstance(decided, Serve) is is_served


def test_a_bypass_is_named() -> None:
    policy = policy_with(ResponseRule("first", ttl=60), bypass=True)
    entry = stored(answer(200), policy_with(ResponseRule("first", ttl=60)))
    sent = engine.on_request(asking(), [entry], policy, NOW)
    assert isinstance(sent, Forward)
    assert (sent.detail, sent.not_storable) == (Detail.BYPASS_RULE, NotStored.BYPASSED)


def test_the_explanation_names_the_rules_and_the_one_that_gives_the_lifetime() -> None:
    policy = policy_with(ResponseRule("first", grace=1), ResponseRule("second", ttl=60))
    steps = {step.subject: step.finding for step in explain(asking(), [stored(answer(200), policy)], policy, NOW).steps}
    assert steps["rules"] == "first, second, last"
    assert steps["lifetime"] == "60 s from second ttl"


@pytest.mark.parametrize(
    ("host", "port", "target", "is_matched"),
    [
        ("a.example", 443, "/a/b?c=/d", True),
        ("a.example", 8443, "/a//b", True),
        ("::1", 443, "/a/?", True),
        ("::1", 8443, "/a/", True),
        ("a.example", 443, "/b?/a/", False),
        ("a.example", 443, "//a.example/a/", False),
        ("b.example", 443, "/a/", False),
    ],
)
def test_a_stored_response_is_known_by_its_target(host: str, port: int, target: str, is_matched: bool) -> None:
    rules = SiteRules([SiteRule("a", (glob("/a/*"),), Effects(), ResponseRule("a", ttl=60))])
    policy = CachePolicy(site_rules=HostTable([("a.example", rules), ("::1", rules)]))
    request = Request("GET", "https", host, port, target)
    found = rules_for(target_uri(request), 200, Fields(), policy)
    assert [rule.name for rule in found] == (["a"] if is_matched else [])
