"""The rows of the ledger that each lane shows, and those that it cannot show."""

from __future__ import annotations

import pytest

from tests.lanes.unsupported import EXPECTATION, LANES, reason_unsupported
from tests.rfc.all_conversations import CONVERSATIONS

BYTES = "the engine does not read or send bytes"
SINGLE_FLIGHT = "the responder decides which requests share a fetch"
CONTENT = "a request with content does not reach the responder"
AUTHORITY = "Host can differ from the target only in a tunnel"
ABSOLUTE = "a target is absolute only in a request in clear"
ONLY_HTTPS = "it needs an https URL"
TUNNEL = "in this lane, CONNECT is refused"
CONNECTION = "HTTP/2 has no fields for one connection"
READER = "mitmproxy's reader refuses what our own reads in another way"
NO_EDGE = "an edge needs the address of its origin before it starts, and the origin of this lane starts later"
COMPRESSES = "the engine compresses nothing; the pipeline does"
EVICTS = "the server evicts, by its own limit"
REFUSED_BEFORE = "the request is refused before it reaches this part"

NOT_SHOWN = {
    "engine": {
        **dict.fromkeys(
            (
                "INTERIM-01",
                "INTERIM-03",
                "INTERIM-04",
                "INTERIM-05",
                "INTERIM-07",
                "PARSE-16",
                "PARSE-17",
                "PARSE-19",
                "PARSE-21",
                "PARSE-22",
            ),
            BYTES,
        ),
        **dict.fromkeys(("CODE-01", "CODE-02", "CODE-03", "CODE-04", "CODE-05"), COMPRESSES),
        **dict.fromkeys(("SEC-02", "SEC-03", "STORE-14"), BYTES),
        **dict.fromkeys(("INVAL-08", "REVAL-15", "SEC-14", "STALE-10", "STATUS-09"), SINGLE_FLIGHT),
        **dict.fromkeys(("KEY-08", "SEC-01"), REFUSED_BEFORE),
        "KEY-06": ABSOLUTE,
        "KEY-07": AUTHORITY,
    },
    "responder": {
        **dict.fromkeys(("GROUPS-01", "GROUPS-03", "GROUPS-04", "INVAL-03", "INVAL-04", "SEC-21"), CONTENT),
        **dict.fromkeys(("INTERIM-05", "STATUS-28", "STATUS-41", "STORE-19", "STORE-27"), CONTENT),
        **dict.fromkeys(("KEY-08", "SEC-01"), REFUSED_BEFORE),
        "KEY-06": ABSOLUTE,
        "KEY-07": AUTHORITY,
    },
    "http": {"KEY-07": AUTHORITY, "AUTH-08": ONLY_HTTPS, "INTERIM-05": EXPECTATION, "PARSE-21": READER},
    "https": {"KEY-06": ABSOLUTE, "SEC-15": TUNNEL, "INTERIM-05": EXPECTATION, "PARSE-21": READER},
    "http2": {
        "INTERIM-05": EXPECTATION,
        "PARSE-21": READER,
        "SEC-15": TUNNEL,
        "KEY-06": ABSOLUTE,
        "KEY-07": "its :authority is its Host",
        "SEC-01": BYTES,
        "STATUS-32": CONNECTION,
    },
}
"""By lane: rows that other lanes show and this one cannot, each with the reason."""

MITMPROXYS_OWN = (EXPECTATION, READER)
"""Reasons that do not hold for the front end."""

NOT_SHOWN["disk"] = NOT_SHOWN["responder"]
NOT_SHOWN["redis"] = {**NOT_SHOWN["responder"], "STORE-31": EVICTS}
NOT_SHOWN["http2-clear"] = {
    **{row: reason for row, reason in NOT_SHOWN["http"].items() if reason not in MITMPROXYS_OWN},
    "KEY-06": NOT_SHOWN["http2"]["KEY-07"],
    **{row: NOT_SHOWN["http2"][row] for row in ("SEC-01", "STATUS-32")},
}
for lane, mitmproxy_lane in (("http1", "http"), ("http1-tls", "https"), ("http2-tls", "http2")):
    NOT_SHOWN[lane] = {row: reason for row, reason in NOT_SHOWN[mitmproxy_lane].items() if reason not in MITMPROXYS_OWN}
for lane in LANES:
    if lane != "engine":
        NOT_SHOWN[lane] |= dict.fromkeys(("EDGE-03", "EDGE-04"), NO_EDGE)


def rows(lane: str) -> set[str]:
    return {row for each in CONVERSATIONS if not reason_unsupported(each, lane) for row in each.rows}


ALL_ROWS = {row for each in CONVERSATIONS for row in each.rows}


@pytest.mark.parametrize("lane", LANES)
def test_the_rows_that_a_lane_does_not_show_are_listed(lane: str) -> None:
    assert ALL_ROWS - rows(lane) == set(NOT_SHOWN[lane])


def test_every_conversation_has_a_lane_and_a_unique_title() -> None:
    assert all(any(not reason_unsupported(each, lane) for lane in LANES) for each in CONVERSATIONS)
    assert len({each.title for each in CONVERSATIONS}) == len(CONVERSATIONS)
