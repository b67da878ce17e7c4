"""A copy that is validated before each use is updated once a minute, unless more than its Date has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache import engine
from cache.engine.decisions import Freshen, Update, Validate
from cache.http.fields import imf_date
from cache.http.messages import Fields, Received, Response
from cache.policy.cache_policy import CachePolicy, StoringPolicy
from cache.policy.private_cache import PrivateCache
from cache.rules.stored_response import StoredResponse
from cache.rules.validation import CONFIRMED_FOR
from tests.cache.examples import DATE, NOW, request, stored

TAG = ("ETag", '"1"')
NO_CACHE = ("Cache-Control", "no-cache")
POLICY = CachePolicy()


def updates(
    entry: StoredResponse, *fields: tuple[str, str], after: float = 1.0, policy: CachePolicy = POLICY
) -> tuple[object, ...]:
    """Return the changes that a 304 with a new Date and these fields brings, so many seconds after the last update."""
    sent = engine.on_request(request(("Cache-Control", "no-cache")), (entry,), policy, NOW + after)
    assert isinstance(sent, Validate)
    head = Response(304, "", Fields((*fields, ("Date", imf_date(NOW + after)))))
    outcome = engine.on_response(request(), sent, Received(head, NOW + after, NOW + after), policy, "1" * 32)
    assert isinstance(outcome, Freshen)
    assert outcome.response.head.fields.get("date") == imf_date(NOW + after)
    return outcome.changes


def test_a_304_that_only_confirms_changes_nothing_that_is_stored() -> None:
    assert updates(stored(NO_CACHE, TAG, DATE), TAG, after=CONFIRMED_FOR - 1) == ()


def test_the_next_minute_begins_with_an_update() -> None:
    (update,) = updates(stored(NO_CACHE, TAG, DATE), TAG, after=CONFIRMED_FOR)
    assert isinstance(update, Update)
    assert update.entry.response_time == NOW + CONFIRMED_FOR


@pytest.mark.parametrize(
    ("entry", "fields", "policy"),
    [
        (stored(("Cache-Control", "max-age=0"), TAG, DATE), (TAG,), POLICY),
        (stored(NO_CACHE, TAG, DATE), (TAG, ("X-New", "1")), POLICY),
        (stored(NO_CACHE, TAG, DATE), (TAG, ("Cache-Control", "max-age=9")), POLICY),
        (replace(stored(NO_CACHE, TAG, DATE), invalid=True), (TAG,), POLICY),
        (stored(NO_CACHE, TAG, DATE), (TAG, ("Vary", "Accept")), POLICY),
        (stored(NO_CACHE, TAG, DATE, at=NOW + 3), (TAG,), POLICY),
        (stored(NO_CACHE, TAG, DATE), (TAG,), CachePolicy(storing=StoringPolicy(captures=2))),
        (stored(NO_CACHE, TAG, DATE), (TAG,), CachePolicy(private=PrivateCache(override_offline=True))),
    ],
    ids=[
        *("age-counts", "another-field", "another-lifetime", "invalid", "another-vary", "clock-set-back"),
        *("captures", "used-offline"),
    ],
)
def test_everything_else_is_stored_at_once(
    entry: StoredResponse, fields: tuple[tuple[str, str], ...], policy: CachePolicy
) -> None:
    changes = updates(entry, *fields, policy=policy)
    assert any(isinstance(change, Update) for change in changes)
