"""The copies that match a request: by target URI and by Vary (RFC 9111 §2, §4.1)."""

from tests.lanes.script import Conversation, answer, ask, conversation, later, origin
from tests.rfc.common_steps import FRESH_60, STORED, hit

VARY_MISS = "Cache-Status: secondhand; fwd=vary-miss; stored"


def _same_variant(why: str, vary: str, first: tuple[str, ...], second: tuple[str, ...], *rows: str) -> Conversation:
    return conversation(
        f"Vary: {vary} - the same variant: {why}",
        *rows,
        ask("GET /a", *first),
        origin("200 OK", FRESH_60, f"Vary: {vary}", body="hello"),
        answer("200", STORED, f"Vary: {vary}", body="hello"),
        ask("GET /a", *second),
        answer("203", hit(60), f"Vary: {vary}", body="hello"),
    )


def _other_variant(why: str, vary: str, first: tuple[str, ...], second: tuple[str, ...], *rows: str) -> Conversation:
    return conversation(
        f"Vary: {vary} - another variant: {why}",
        *rows,
        ask("GET /a", *first),
        origin("200 OK", FRESH_60, f"Vary: {vary}", body="one"),
        answer("200", STORED, body="one"),
        ask("GET /a", *second),
        origin("200 OK", FRESH_60, f"Vary: {vary}", body="two"),
        answer("200", VARY_MISS, body="two"),
        ask("GET /a", *first),
        answer("203", hit(60), body="one"),
        ask("GET /a", *second),
        answer("203", hit(60), body="two"),
    )


def _never_matches(vary: str, *lines: str) -> Conversation:
    return conversation(
        f"Vary: {vary} matches no request, but the copy can be validated",
        "KEY-11",
        "PARSE-14",
        ask("GET /a"),
        origin("200 OK", FRESH_60, *(lines or (f"Vary: {vary}",)), 'ETag: "1"', body="hello"),
        answer("200", STORED, body="hello"),
        ask("GET /a"),
        origin("200 OK", FRESH_60, "Vary: *", body="other", saw='If-None-Match: "1"'),
        answer("200", body="other"),
    )


CONVERSATIONS = [
    conversation(
        "URIs that differ in query, case, parameters or escapes of reserved characters have different copies",
        "KEY-02",
        "KEY-03",
        "SEC-07",
        ask("GET /a?b=c"),
        origin("200 OK", FRESH_60, body="1", saw="GET /a?b=c"),
        answer("200", STORED, body="1"),
        *(
            step
            for target in ("/a", "/a?b=C", "/a?b=c&", "/A?b=c", "/a%2Fb", "/a;b?b=c", "/a?")
            for step in (
                ask(f"GET {target}"),
                origin("200 OK", FRESH_60, body=target, saw=f"GET {target}"),
                answer("200", STORED, body=target),
            )
        ),
        ask("GET /a?b=c"),
        answer("203", hit(60), body="1"),
    ),
    _same_variant("the same value", "Foo", ("Foo: 1",), ("foo: 1",), "KEY-09"),
    _same_variant("absent both times", "Foo", (), (), "KEY-10"),
    _same_variant("other fields are ignored", "Foo", ("Foo: 1", "Bar: 1"), ("Foo: 1", "Bar: 2"), "KEY-12"),
    _same_variant("two lines instead of one", "Foo", ("Foo: 1", "Foo: 2"), ("Foo: 1,2",), "KEY-15"),
    _same_variant("white space around commas", "Foo", ("Foo: 1 , 2",), ("Foo:  1,2 ",), "KEY-15"),
    _same_variant(
        "order and case of the names in Vary", "fOO, bar", ("Foo: 1", "Bar: 2"), ("Bar: 2", "Foo: 1"), "PARSE-14"
    ),
    _same_variant(
        "case of languages, and equal weights",
        "Accept-Language",
        ("Accept-Language: de-DE, en;q=0.50, fr;q=1",),
        ("Accept-Language: DE-de,en;Q=0.5,fr",),
        "KEY-16",
    ),
    _other_variant("another value", "Foo", ("Foo: 1",), ("Foo: 2",), "KEY-09", "KEY-13", "KEY-22"),
    _other_variant("one of two values differs", "Foo, Bar", ("Foo: 1", "Bar: 1"), ("Foo: 1", "Bar: 2"), "KEY-09"),
    _other_variant("absent in the second request", "Foo", ("Foo: 1",), (), "KEY-10"),
    _other_variant("absent in the first request", "Foo", (), ("Foo: 1",), "KEY-10"),
    _other_variant("white space within a value", "Foo", ("Foo: a b",), ("Foo: a  b",), "KEY-15"),
    _other_variant("commas in a User-Agent", "User-Agent", ("User-Agent: a,b",), ("User-Agent: a, b",), "KEY-15"),
    _other_variant(
        "order of languages", "Accept-Language", ("Accept-Language: de, en",), ("Accept-Language: en, de",), "KEY-17"
    ),
    _other_variant(
        "no language is chosen by its weight",
        "Accept-Language",
        ("Accept-Language: en",),
        ("Accept-Language: en, de;q=0.1",),
        "KEY-18",
    ),
    _other_variant(
        "credentials, compared by a keyed hash",
        "Cookie",
        ("Cookie: session=correct-horse",),
        ("Cookie: session=battery-staple",),
        "KEY-12",
        "SEC-10",
        "AUTH-06",
    ),
    conversation(
        "with vary_lang_order = ignore, the order of languages is ignored",
        "KEY-17",
        ask("GET /a", "Accept-Language: de, en"),
        origin("200 OK", FRESH_60, "Vary: Accept-Language"),
        answer("200", STORED),
        ask("GET /a", "Accept-Language: en, de"),
        answer("203", hit(60)),
        settings={"cache": {"vary_lang_order": "ignore"}},
    ),
    conversation(
        "variants by Authorization are compared by a keyed hash",
        "SEC-10",
        "AUTH-06",
        ask("GET /a", "Authorization: Bearer correct-horse"),
        origin("200 OK", "Cache-Control: public, max-age=60", "Vary: Authorization", body="one"),
        answer("200", STORED, body="one"),
        ask("GET /a", "Authorization: Bearer battery-staple"),
        origin("200 OK", "Cache-Control: public, max-age=60", "Vary: Authorization", body="two"),
        answer("200", VARY_MISS, body="two"),
        ask("GET /a", "Authorization: Bearer correct-horse"),
        answer("203", hit(60), body="one"),
    ),
    _never_matches("*"),
    _never_matches("Foo, *"),
    _never_matches("* in another line", "Vary: Foo", "Vary: *"),
    _never_matches("Foo Bar"),
    conversation(
        "Vary with a hop-by-hop field matches no request",
        "KEY-21",
        ask("GET /a"),
        origin("200 OK", FRESH_60, "Vary: Connection", body="one"),
        answer("200", STORED, body="one"),
        ask("GET /a"),
        origin("200 OK", FRESH_60, body="two"),
        answer("200", VARY_MISS, body="two"),
    ),
    conversation(
        "of two matching copies, the one with Vary is used, otherwise the one with the later Date",
        "KEY-19",
        "KEY-20",
        ask("GET /a", "Foo: 1"),
        origin("200 OK", FRESH_60, "Vary: Foo", body="for Foo: 1"),
        answer("200", STORED, body="for Foo: 1"),
        later(1),
        ask("GET /a", "Foo: 2"),
        origin("200 OK", FRESH_60, body="for all"),
        answer("200", VARY_MISS, body="for all"),
        ask("GET /a", "Foo: 1"),
        answer("203", hit(59), body="for Foo: 1"),
        ask("GET /a", "Foo: 3"),
        answer("203", hit(60), body="for all"),
    ),
    conversation(
        "if no variant matches, the entity tags of all variants are sent, and a 304 selects one",
        "KEY-22",
        "REVAL-09",
        "F304-12",
        ask("GET /a", "Foo: 1"),
        origin("200 OK", FRESH_60, "Vary: Foo", 'ETag: "1"', body="one"),
        answer("200", STORED, body="one"),
        later(1),
        ask("GET /a", "Foo: 2"),
        origin("200 OK", FRESH_60, "Vary: Foo", 'ETag: "2"', body="two", saw='If-None-Match: "1"'),
        answer("200", VARY_MISS, body="two"),
        ask("GET /a", "Foo: 3"),
        origin("304 Not Modified", "Vary: Foo", 'ETag: "1"', saw=('If-None-Match: "2", "1"', "Foo: 3")),
        answer("203", "Cache-Status: secondhand; fwd=vary-miss; fwd-status=304", body="one"),
    ),
    conversation(
        "a validation has the fields that Vary nominates",
        "REVAL-03",
        ask("GET /a", "Foo: 1", "Bar: 1"),
        origin("200 OK", "Cache-Control: max-age=1", "Vary: Foo", 'ETag: "1"'),
        answer("200", STORED),
        later(1),
        ask("GET /a", "Foo: 1"),
        origin("304 Not Modified", saw=('If-None-Match: "1"', "Foo: 1", "no Bar")),
        answer("203"),
    ),
]
