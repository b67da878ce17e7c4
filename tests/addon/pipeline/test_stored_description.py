"""The description of a stored response: the conditions for a request to get a variant."""

from __future__ import annotations

from addon.pipeline.stored_description import selecting_fields
from cache.http.client import Client
from cache.http.messages import Fields
from cache.policy.cache_policy import CachePolicy
from cache.rules.vary import vary_of
from tests.cache.examples import request, stored


def test_what_a_trusted_proxy_said_about_a_request_is_a_condition() -> None:
    told = request(client=Client(host="b.example"))
    vary = vary_of(told, "http://a.example/", Fields((("Vary", "Accept"),)), CachePolicy())
    assert list(selecting_fields(stored(vary=vary))) == [
        "as trusted proxies described it: host=b.example",
        "without accept",
    ]
