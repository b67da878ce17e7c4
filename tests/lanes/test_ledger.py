"""What the conversations show between them, and what a lane cannot show."""

from __future__ import annotations

import pytest

from tests.lanes.limits import EXPECTS, LANES, limit
from tests.rfc.all_conversations import CONVERSATIONS

FRAMES = "octets, and what happens while they flow, are not the engine's business"
TOGETHER = "which fetch may be shared by whom is the responder's business"
CONTENT = "a request with content never reaches the responder"
AUTHORITY = "only a tunnel has an authority apart from Host"
ABSOLUTE = "only a request in clear has an absolute target"
CLEAR = "only a URL of https shows it"
TUNNEL = "there, it is the tunnel that is refused"
CONNECTION = "HTTP/2 has no fields of one connection"
BORDER = "it is refused before it gets that far"

NOT_SHOWN = {
    "engine": {
        **dict.fromkeys(
            (
                "INTERIM-01",
                "INTERIM-03",
                "INTERIM-04",
                "INTERIM-05",
                "INTERIM-07",
                "META-19",
                "PARSE-16",
                "PARSE-17",
                "PARSE-19",
            ),
            FRAMES,
        ),
        **dict.fromkeys(("SEC-02", "SEC-03", "STORE-14"), FRAMES),
        **dict.fromkeys(("INVAL-08", "REVAL-15", "SEC-14", "STALE-10", "STATUS-09"), TOGETHER),
        **dict.fromkeys(("KEY-08", "SEC-01"), BORDER),
        "KEY-06": ABSOLUTE,
        "KEY-07": AUTHORITY,
    },
    "responder": {
        **dict.fromkeys(("GROUPS-01", "GROUPS-03", "GROUPS-04", "INVAL-03", "INVAL-04", "SEC-21"), CONTENT),
        **dict.fromkeys(("INTERIM-05", "STATUS-28", "STATUS-41", "STORE-19", "STORE-27"), CONTENT),
        **dict.fromkeys(("KEY-08", "SEC-01"), BORDER),
        "KEY-06": ABSOLUTE,
        "KEY-07": AUTHORITY,
    },
    "http": {"KEY-07": AUTHORITY, "AUTH-08": CLEAR, "INTERIM-05": EXPECTS},
    "https": {"KEY-06": ABSOLUTE, "SEC-15": TUNNEL, "INTERIM-05": EXPECTS},
    "http2": {
        "INTERIM-05": EXPECTS,
        "SEC-15": TUNNEL,
        "KEY-06": ABSOLUTE,
        "KEY-07": "its :authority is its Host",
        "SEC-01": FRAMES,
        "STATUS-32": CONNECTION,
    },
}
"""Rows that some lane shows and this one cannot, with the reason."""


NOT_SHOWN["disk"] = NOT_SHOWN["responder"]
for door, entrance in (("door", "http"), ("door-tls", "https")):
    NOT_SHOWN[door] = {row: why for row, why in NOT_SHOWN[entrance].items() if why != EXPECTS}


def rows(lane: str) -> set[str]:
    return {row for each in CONVERSATIONS if not limit(each, lane) for row in each.rows}


EVERY_ROW = {row for each in CONVERSATIONS for row in each.rows}


@pytest.mark.parametrize("lane", LANES)
def test_what_a_lane_cannot_show_is_listed(lane: str) -> None:
    assert EVERY_ROW - rows(lane) == set(NOT_SHOWN[lane])


def test_every_conversation_has_a_lane_and_a_title_of_its_own() -> None:
    assert all(any(not limit(each, lane) for lane in LANES) for each in CONVERSATIONS)
    assert len({each.title for each in CONVERSATIONS}) == len(CONVERSATIONS)
