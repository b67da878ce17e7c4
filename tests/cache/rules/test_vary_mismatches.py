"""A stored response matches a request exactly if no difference between them is named."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cache.http.client import Client
from cache.http.host_table import HostTable
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy, CodingPolicy, KeyPolicy
from cache.policy.operator_rules import glob
from cache.policy.private_cache import PrivateCache
from cache.policy.site_rules import Effects, Override, ResponseRule, SiteRule, SiteRules
from cache.rules.key import primary_key
from cache.rules.ownership import ANY, CREDENTIAL, credentials_of, differences_of_owners, is_permitted
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import NEVER_MATCHES, VaryValues, matches, mismatches, vary_of
from tests.cache.examples import DATE, request, stored
from tests.fixtures.strategies import unhurried

EVERY = (glob("*"),)
GZIP = ("Content-Encoding", "gzip")
AUTHORIZED = ("Authorization", "Basic YTpi")


def _with_rule(rule: ResponseRule, **effects: str) -> CachePolicy:
    """Return a policy with one rule for all paths."""
    rules = SiteRules([SiteRule(rule.name, EVERY, Effects(**effects), rule)])
    return CachePolicy(site_rules=HostTable([("a.example", rules)]))


_FOR_ANY = CachePolicy(private=PrivateCache(keep_authorized_for_any=EVERY))
_CLASSES = CachePolicy(codings=CodingPolicy(classes=True))
_REPLAY = CachePolicy(keying=KeyPolicy(ignore_vary_star=True, ignore_credentials=True))
_POLICIES = st.sampled_from(
    [
        CachePolicy(),
        CachePolicy(private=PrivateCache(scope="dev", keep_private=True)),
        CachePolicy(private=PrivateCache(keep_authorized=EVERY)),
        _FOR_ANY,
        CachePolicy(keying=KeyPolicy(partition=("cookie", "referring-site"))),
        _REPLAY,
        CachePolicy(keying=KeyPolicy(no_vary_search=True)),
        _CLASSES,
        _with_rule(ResponseRule("cookie", ttl=60), vary_cookie="id"),
        _with_rule(ResponseRule("lifetime", ttl=60)),
        _with_rule(ResponseRule("shared", ttl=60, override=frozenset({Override.COOKIE}))),
    ]
)
_REQUEST_FIELDS = st.sampled_from(
    [
        ("Accept", "text/html"),
        ("Accept-Encoding", "gzip"),
        ("Accept-Encoding", "br, gzip"),
        ("Accept-Encoding", "gzip, zstd"),
        AUTHORIZED,
        ("Cookie", "id=1"),
        ("Cookie", "id=1; other=2"),
        ("Referer", "http://b.example/page"),
        ("X-Api-Key", "1"),
    ]
)
_RESPONSE_FIELDS = st.sampled_from(
    [
        ("Cache-Control", "max-age=60"),
        ("Cache-Control", "public"),
        GZIP,
        ("No-Vary-Search", "params"),
        ("Vary", "*"),
        ("Vary", "Accept, Accept-Encoding"),
        ("Vary", "Cookie"),
    ]
)
_CLIENTS = st.sampled_from([None, Client(), Client(prefix="/shop"), Client(host="b.example")])
_REQUESTS = st.builds(
    lambda target, fields, client: request(*fields, target=target, client=client),
    st.sampled_from(["/~a?q=1", "/%7Ea?q=1", "/~a?q=2"]),
    st.lists(_REQUEST_FIELDS, max_size=2, unique_by=lambda line: line[0]),
    _CLIENTS,
)
_ODD_VALUES = st.lists(
    st.tuples(
        st.sampled_from(["*", "accept", "x", "cookie", "&scope", "&cookie", "&authorization", "&api-key"]),
        st.sampled_from([None, "1", "dev", "any"]),
    ),
    max_size=3,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: tuple((name, None if name == "*" else value) for name, value in pairs))  # Vary: * has no value


@st.composite
def _situations(draw: st.DrawFn) -> tuple[StoredResponse, Request, CachePolicy]:
    """A stored response, mostly as a policy stores it; and a request and a policy, which are often those it is from."""
    first, storing = draw(_REQUESTS), draw(_POLICIES)
    fields = Fields((DATE, *draw(st.lists(_RESPONSE_FIELDS, max_size=3, unique_by=lambda line: line[0]))))
    key = draw(st.sampled_from([primary_key(first), "http://a.example/~a#search"]))
    entry = stored(*fields.lines, key=key, target=first.uri)
    vary: VaryValues = draw(_ODD_VALUES)
    if draw(st.integers(0, 3)):
        vary = credentials_of(first, fields, entry, storing) or vary_of(first, key, fields, storing)
    asked, policy = draw(st.just(first) | _REQUESTS), draw(st.just(storing) | _POLICIES)
    policy = replace(policy, network=replace(policy.network, offline=draw(st.booleans())))
    return replace(entry, vary=vary), asked, policy


@given(_situations())
@example((stored(vary=((CREDENTIAL, ANY),)), request(AUTHORIZED), _FOR_ANY))
@example((stored(vary=NEVER_MATCHES), request(), _REPLAY))
@example((stored(GZIP, vary=(("accept-encoding", "gzip"),)), request(("Accept-Encoding", "gzip, zstd")), _CLASSES))
@settings(unhurried, max_examples=400)
def test_a_request_matches_if_there_is_no_mismatch(situation: tuple[StoredResponse, Request, CachePolicy]) -> None:
    entry, asked, policy = situation
    assert is_permitted(entry, asked, policy) == (not list(differences_of_owners(entry, asked, policy)))
    assert matches(entry, asked, policy) == (not list(mismatches(entry, asked, policy)))
