"""CORS preflights: forwarded while the origin can be asked, and answered from a copy of one user's cache otherwise."""

from typing import Any

from tests.lanes.script import answer, ask, conversation, counts, offline, origin, origin_gone
from tests.rfc.common_steps import FRESH_60, STORED, hit

KEEPS: dict[str, Any] = {"profile": "dev", "offline": {"keep_preflights": True, "override": True}}

PAGE = "Origin: https://page.example"
PUT = "Access-Control-Request-Method: PUT"
ALLOWED = ("Access-Control-Allow-Origin: https://page.example", "Access-Control-Allow-Methods: PUT")
KEPT = "Cache-Status: secondhand; fwd=method; stored"

CONVERSATIONS = [
    conversation(
        "a preflight is forwarded each time, and offline its copy answers",
        "STORE-32",
        ask("OPTIONS /a", PAGE, PUT),
        origin("204 No Content", *ALLOWED, saw=("OPTIONS /a", PAGE, PUT)),
        answer("204", KEPT, *ALLOWED),
        ask("OPTIONS /a", PAGE, PUT),
        origin("204 No Content", *ALLOWED),
        answer("204", KEPT),
        counts("hits", by=0),
        offline(),
        ask("OPTIONS /a", PAGE, PUT),
        answer("204", "Cache-Status: secondhand; hit; ttl=0; detail=offline", *ALLOWED),
        settings=KEEPS,
    ),
    conversation(
        "a copy answers only the same preflight, with or without Vary",
        "STORE-32",
        ask("OPTIONS /a", PAGE, PUT, "Access-Control-Request-Headers: x-own"),
        origin("204 No Content", *ALLOWED),
        answer("204", KEPT),
        offline(),
        ask("OPTIONS /a", PAGE, PUT),
        answer("504"),
        ask("OPTIONS /a", PAGE, "Access-Control-Request-Method: DELETE", "Access-Control-Request-Headers: x-own"),
        answer("504"),
        ask("OPTIONS /a", "Origin: https://other.example", PUT, "Access-Control-Request-Headers: x-own"),
        answer("504"),
        ask("OPTIONS /a", PAGE, PUT, "Access-Control-Request-Headers: x-own"),
        answer("204", *ALLOWED),
        settings=KEEPS,
    ),
    conversation(
        "a 200 to a preflight is a 203 from the copy; copies for OPTIONS and GET do not replace each other",
        "STORE-32",
        "STATUS-01",
        ask("OPTIONS /a", PAGE, PUT),
        origin("200 OK", *ALLOWED, body="allowed"),
        answer("200", KEPT, body="allowed"),
        ask("GET /a"),
        origin("200 OK", FRESH_60, body="hello"),
        answer("200", STORED, body="hello"),
        ask("GET /a"),
        answer("203", hit(60), body="hello"),
        offline(),
        ask("OPTIONS /a", PAGE, PUT),
        answer("203", "no Accept-Ranges", *ALLOWED, body="allowed"),
        ask("HEAD /a"),
        answer("203", hit(60), "Content-Length: 5"),
        settings=KEEPS,
    ),
    conversation(
        "a preflight is answered from its copy when its origin cannot be reached",
        "STORE-32",
        ask("OPTIONS /a", PAGE, PUT),
        origin("204 No Content", *ALLOWED),
        answer("204", KEPT),
        origin_gone(),
        ask("OPTIONS /a", PAGE, PUT),
        answer("204", "Cache-Status: secondhand; hit; ttl=0; detail=disconnected", *ALLOWED),
        settings=KEEPS,
    ),
    conversation(
        "any other OPTIONS is not kept, and a shared cache keeps none",
        "STORE-32",
        "STATUS-30",
        ask("OPTIONS /a", PAGE),
        origin("204 No Content", *ALLOWED),
        answer("204", "no Cache-Status"),
        offline(),
        ask("OPTIONS /a", PAGE),
        answer("504"),
        settings=KEEPS,
    ),
    conversation(
        "without keep_preflights, a preflight is not kept",
        "STORE-32",
        ask("OPTIONS /a", PAGE, PUT),
        origin("204 No Content", *ALLOWED),
        answer("204", "no Cache-Status"),
        offline(),
        ask("OPTIONS /a", PAGE, PUT),
        answer("504"),
    ),
]
