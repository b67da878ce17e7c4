"""The comment, mark and metadata that a mitmproxy user reads in a flow."""

from __future__ import annotations

import io

import pytest
from mitmproxy.io import FlowReader, FlowWriter
from mitmproxy.test import tflow

from addon.frontend.mitm.notes import forget, note
from addon.pipeline.reply import Reply
from cache.answer.cache_status import Handling
from cache.http.messages import Fields, Request, Response
from cache.policy.reasons import Detail, Forwarded, NotStored

REQUEST = Request("GET", "http", "example.org", 80, "/a")
AGED = Response(203, "", Fields((("Age", "7"),)))


@pytest.mark.parametrize(
    ("reply", "comment", "marked"),
    [
        (Reply(AGED, handling=Handling(hit=True, ttl=600)), "hit, 7 s old, fresh for 10 min", ""),
        (
            Reply(AGED, handling=Handling(hit=True, ttl=-90, detail=Detail.STALE_IF_ERROR)),
            "hit, 7 s old, stale for 1 min (stale-if-error)",
            ":hourglass:",
        ),
        (Reply(AGED, handling=Handling(fwd=Forwarded.URI_MISS, stored=True)), "miss, stored", ""),
        (
            Reply(AGED, handling=Handling(fwd=Forwarded.URI_MISS, not_stored=NotStored.NO_STORE)),
            "miss: no-store",
            "",
        ),
        (Reply(AGED, refused="offline"), "refused: offline", ""),
    ],
)
def test_a_flow_says_how_the_cache_took_part(reply: Reply, comment: str, marked: str) -> None:
    flow = tflow.tflow(resp=True)

    note(flow, REQUEST, reply)

    assert (flow.comment, flow.marked) == (comment, marked)
    file = io.BytesIO()
    FlowWriter(file).add(flow)
    file.seek(0)
    (loaded,) = FlowReader(file).stream()
    assert loaded.metadata == flow.metadata
    assert {type(value) for value in flow.metadata.values()} <= {str, int}
    forget(flow)
    assert (flow.comment, flow.marked, flow.metadata) == ("", "", {})


def test_a_comment_of_somebody_else_stays() -> None:
    flow = tflow.tflow(resp=True)
    flow.comment, flow.marked = "mine", ":red_circle:"

    note(flow, REQUEST, Reply(AGED, handling=Handling(hit=True, ttl=-1)))
    forget(flow)

    assert (flow.comment, flow.marked) == ("mine", ":red_circle:")
