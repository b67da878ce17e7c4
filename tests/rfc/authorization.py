"""Requests with Authorization, and which of their responses are stored (RFC 9111 §3.5)."""

from tests.lanes.script import answer, ask, conversation, origin
from tests.rfc.common_steps import FRESH_60, STORED, hit, not_stored

CONVERSATIONS = [
    not_stored(
        "a response to a request with Authorization: not stored",
        "AUTH-01",
        FRESH_60,
        request=("Authorization: Basic c2VjcmV0",),
    ),
    not_stored(
        "a response to Authorization with immutable and proxy-revalidate: not stored",
        "AUTH-02",
        "Cache-Control: max-age=60, immutable, proxy-revalidate",
        request=("Authorization: Basic c2VjcmV0",),
    ),
    *(
        conversation(
            f"a response to a request with Authorization is shareable with {directive}",
            "AUTH-02",
            "AUTH-06",
            ask("GET /a", "Authorization: Basic c2VjcmV0"),
            origin("200 OK", f"Cache-Control: {directive}", body="shared", saw="Authorization: Basic c2VjcmV0"),
            answer("200", STORED, body="shared"),
            ask("GET /a", "Authorization: Basic b3RoZXI="),
            answer("203", hit(60), body="shared"),
            ask("GET /a"),
            answer("203", hit(60), body="shared"),
        )
        for directive in ("public, max-age=60", "s-maxage=60", "must-revalidate, max-age=60")
    ),
    conversation(
        "a request with Authorization does not get a copy that is not marked as shareable",
        "AUTH-05",
        ask("GET /a"),
        origin("200 OK", FRESH_60, body="anybody's"),
        answer("200", STORED, body="anybody's"),
        ask("GET /a", "Authorization: Basic c2VjcmV0"),
        origin("200 OK", FRESH_60, body="theirs"),
        answer("200", "Cache-Status: secondhand; fwd=request; detail=authorization", body="theirs"),
    ),
    conversation(
        "Proxy-Authorization is not forwarded",
        "AUTH-06",
        ask("GET /a", "Proxy-Authorization: Basic c2VjcmV0"),
        origin("200 OK", FRESH_60, saw="no Proxy-Authorization"),
        answer("200", STORED),
    ),
]
