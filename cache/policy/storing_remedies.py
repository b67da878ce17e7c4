"""For every reason not to store a response, a change after which it is stored. `secondhand why` prints them."""

from __future__ import annotations

from cache.policy.reasons import NotStored

_BY_ORIGIN = "the origin sends"

_REMEDIES = {
    NotStored.AUTHORIZATION: f"{_BY_ORIGIN} public, s-maxage or must-revalidate; or offline.keep_authorized names "
    "the path",
    NotStored.BYPASSED: "a request without what makes it bypass the cache",
    NotStored.CHALLENGE: "a request with the right credential",
    NotStored.CONTENT_TYPE: f"{_BY_ORIGIN} the media type of the extension; or cache.content_type_match is false",
    NotStored.DICTIONARY_VARY: f"{_BY_ORIGIN} Vary: Accept-Encoding, Available-Dictionary",
    NotStored.DIGEST_MISMATCH: f"{_BY_ORIGIN} the right Repr-Digest, or none",
    NotStored.INCOMPLETE: "a response that arrives to its end",
    NotStored.LENIENT_ORIGIN: f"{_BY_ORIGIN} a response without these mistakes",
    NotStored.METHOD: "a GET; or, for a POST that only reads, a table [[offline.posts]]",
    NotStored.MUST_UNDERSTAND: "the origin leaves out must-understand, or sends another status",
    NotStored.NEVER_REUSABLE: f"{_BY_ORIGIN} max-age, Expires, ETag or Last-Modified; or [[cache.lifetimes]] gives the "
    "path a lifetime; or offline.keep_unfresh is true",
    NotStored.NO_STORE: 'the origin leaves out no-store; or, at an edge, a rule with override = ["no-store"]; or, for '
    "offline use, offline.keep_no_store is true",
    NotStored.ODD_REQUEST: "a request without control characters and odd ranges, and with a head of usual size",
    NotStored.OVERTAKEN: "the next request stores it",
    NotStored.PARTIAL: "a request for one range, or for the whole content",
    NotStored.PARTIAL_UNASKED: f"{_BY_ORIGIN} 200 to a request without Range",
    NotStored.PRIVATE: 'the origin leaves out private; or, at an edge, a rule with override = ["private"]; or, for one '
    "user, offline.keep_private is true",
    NotStored.REQUEST_NO_STORE: "a request without Cache-Control: no-store",
    NotStored.RULE: "the rule of the site does not say bypass",
    NotStored.SET_COOKIE: f"{_BY_ORIGIN} no Set-Cookie, or public or s-maxage beside it; or cache.set_cookie is "
    '"strip"',
    NotStored.STATUS: f"{_BY_ORIGIN} another status; or, for a status that is stored only then, max-age or Expires",
    NotStored.STREAM: "a response that has an end",
    NotStored.STORE_FAILED: "a store that can be written; `secondhand stats` shows its state",
    NotStored.TOO_LARGE: "a larger store.max_object, or a larger store.max_size, of which one response may take a "
    "quarter",
    NotStored.TOO_MANY_TAGS: "fewer or shorter cache tags, or fewer fields in purge.tag_fields",
    NotStored.TOO_MANY_VARIANTS: "fewer fields in Vary, or fewer values of them",
    NotStored.UNKEYED_INPUT: "a request without fields that are in no cache key, like X-Forwarded-Host",
    NotStored.UNSCRUBBABLE: "content that can be parsed as JSON; or fewer names in offline.scrub",
    NotStored.UNVERIFIED: "an origin whose TLS certificate is verified",
}


def remedy_of(reason: NotStored) -> str:
    """Return the change after which a response is stored that was not stored for this reason. Every reason has one."""
    return _REMEDIES[reason]
