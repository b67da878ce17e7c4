"""An origin that seems to compress nothing because of Via is named in the log, once."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from addon.pipeline.uncompressed_origins import UncompressedOrigins
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy, Identity

EDGE = CachePolicy(identity=Identity(gateway=True))
SENT = Request("GET", "http", "a.example", 80, "/", Fields((("Accept-Encoding", "gzip"), ("Via", "1.1 a"))))
RECEIVED = Response(200, "OK", Fields((("Server", "nginx"), ("Content-Type", "text/html"))))


def named(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().split()[3] for record in caplog.records if record.levelno == logging.WARNING]


def test_each_origin_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    origins = UncompressedOrigins()
    for host in ("a.example", "b.example", "a.example"):
        origins.note(replace(SENT, host=host), RECEIVED, EDGE)
    assert named(caplog) == ["http://a.example", "http://b.example"]


def test_only_an_edge_that_sends_via_looks(caplog: pytest.LogCaptureFixture) -> None:
    for policy in (CachePolicy(), CachePolicy(identity=Identity(gateway=True, via=False))):
        UncompressedOrigins().note(SENT, RECEIVED, policy)
    assert named(caplog) == []
