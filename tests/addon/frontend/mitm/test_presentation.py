"""A 200 that another addon has changed goes out as 203."""

from __future__ import annotations

import pytest
from mitmproxy import http

from addon.frontend.mitm.presentation import Presentation, mark_changes
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy

REQUEST = Request("GET", "http", "a.example", 80, "/")


@pytest.mark.parametrize("presented", [200, 203], ids=["a miss", "a hit"])
@pytest.mark.parametrize(("content", "status"), [(b"theirs", 203), (b"ours", None)], ids=["replaced", "unchanged"])
def test_a_response_in_place_of_the_presented_one_is_marked(presented: int, content: bytes, status: int | None) -> None:
    response = http.Response.make(200 if status else presented, content)
    fields = Fields(tuple((name, value) for name, value in response.headers.items()))
    mark_changes(response, Presentation(REQUEST, fields, presented, fields, b"ours"), CachePolicy())
    assert response.status_code == (status or presented)


def test_another_status_that_an_addon_has_chosen_stays() -> None:
    response = http.Response.make(418, b"theirs")
    mark_changes(response, Presentation(REQUEST, Fields(), 200, Fields(), b"ours"), CachePolicy())
    assert response.status_code == 418
