"""The responses of which coded forms are made, and the forms among stored responses."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy, CodingPolicy, StoringPolicy
from cache.policy.reasons import NotCompressed
from cache.rules.coded_forms import forms_of, is_form, new_form, with_forms
from cache.rules.compression import reason_not_to_compress
from cache.rules.stored_response import StoredResponse
from tests.fixtures.stored_entries import new_entry

TEXT = ("Content-Type", "text/plain")


def policy(**changes: Any) -> CachePolicy:
    return CachePolicy(codings=CodingPolicy(compress=("gzip",), content_types=(re.compile("text/.*"),)), **changes)


def text(*fields: tuple[str, str], status: int = 200, **changes: Any) -> StoredResponse:
    head = Response(status, "", Fields((TEXT, *fields)))
    return new_entry(head=head, **{"vary": (), "length": 5000, "sha256": "0" * 64, **changes})


def test_plain_text_is_compressed() -> None:
    assert reason_not_to_compress(text(), policy()) is None
    assert reason_not_to_compress(text(length=1024), policy()) is None


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (text(status=404), NotCompressed.STATUS),
        (text(method="HEAD"), NotCompressed.STATUS),
        (text(vary=(("*", None),)), NotCompressed.STATUS),
        (text(complete_length=9000), NotCompressed.PARTIAL),
        (text(("Content-Encoding", "gzip")), NotCompressed.CODED),
        (text(("Cache-Control", "no-transform")), NotCompressed.NO_TRANSFORM),
        (text(("Repr-Digest", "sha-256=:AA==:")), NotCompressed.DIGEST),
        (text(length=1023), NotCompressed.TOO_SMALL),
        (text(scrubbed=True), NotCompressed.PERSONAL),
    ],
)
def test_these_are_not_compressed(entry: StoredResponse, reason: NotCompressed) -> None:
    assert reason_not_to_compress(entry, policy()) is reason


def test_captures_are_kept_as_received() -> None:
    reason = reason_not_to_compress(text(), policy(storing=StoringPolicy(captures=2)))
    assert reason is NotCompressed.KEPT_AS_RECEIVED


def test_forms_go_with_their_response() -> None:
    entry, other = text(), text()
    form, orphan = new_form(entry, "gzip", "f" * 32), new_form(text(), "br", "e" * 32)
    assert [is_form(each) for each in (entry, form)] == [False, True]
    assert with_forms([other, entry]) == [other, entry]
    assert with_forms([entry, form, other, orphan]) == [replace(entry, coded_forms=(form,)), other]
    assert with_forms([replace(entry, coded_forms=(form,)), other]) == [entry, other]
    assert forms_of({entry.id}, [entry, form, other, orphan]) == {form.id}
