"""The responses that clients get: status, fields and content (RFC 9110 §15)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.answer.cache_status import Handling
from cache.answer.compose import error_response, from_copy, path_conditions, relayed, status_of_changed_200
from cache.answer.responses import CopyResponse
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy, Presentation
from cache.policy.operator_rules import AnnotationRule, AnswerRule, AnswerStatus, ClientRule, glob
from cache.policy.reasons import Refused
from cache.rules.stored_response import StoredResponse
from tests.cache import examples
from tests.cache.examples import NOW, NOW_DATE

POLICY = CachePolicy(presentation=Presentation(cache_status=False))
DATE = ("Date", NOW_DATE)
TEXT = ("Content-Type", "text/plain")
TAG = ("ETag", '"1"')
MODIFIED = ("Last-Modified", "Mon, 23 Nov 2026 11:00:00 GMT")


def stored(*fields: tuple[str, str], status: int = 200, length: int = 1000) -> StoredResponse:
    """Return a stored response with a Date and a reason phrase of its own."""
    return examples.stored(head=Response(status, "Fine", Fields((DATE, *fields))), length=length)


def request(*fields: tuple[str, str], method: str = "GET") -> Request:
    return examples.request(*fields, method=method, target="/b/c?d")


def served(request: Request, entry: StoredResponse) -> CopyResponse:
    """Return the response from a stored response."""
    return from_copy(request, entry, Handling(hit=True), POLICY, NOW)


def fields_of(response: CopyResponse) -> dict[str, str]:
    """Return the fields of a response, without those that every response has."""
    return {name.lower(): value for name, value in response.head.fields if name not in ("Date", "Via", "Age")}


@pytest.mark.row("STATUS-01", "META-18")
def test_a_whole_copy_has_203_and_the_length_of_its_body() -> None:
    response = served(request(), stored(TEXT))
    assert (response.head.status, response.head.reason) == (203, "Non-Authoritative Information")
    assert fields_of(response) == {"content-type": "text/plain", "accept-ranges": "bytes", "content-length": "1000"}
    assert response.length == 1000
    assert fields_of(served(request(), stored(("Content-Length", "1000"))))["content-length"] == "1000"
    assert fields_of(served(request(), stored(("Content-Length", "9"))))["content-length"] == "1000"


@pytest.mark.row("STATUS-13", "STATUS-44", "STATUS-45")
def test_copies_of_other_codes_keep_them() -> None:
    response = served(request(), stored(TEXT, status=404))
    assert (response.head.status, response.head.reason, response.length) == (404, "Fine", 1000)
    assert fields_of(response) == {"content-type": "text/plain", "content-length": "1000"}
    assert fields_of(served(request(), stored(("Content-Length", "7"), status=204, length=0))) == {}
    assert fields_of(served(request(), stored(status=205, length=0))) == {"content-length": "0"}
    assert served(request(), stored(status=204)).length == 0


@pytest.mark.row("HEAD-01", "HEAD-02")
def test_a_response_to_head_has_the_fields_but_no_content() -> None:
    response = served(request(method="HEAD"), stored(TEXT))
    assert (response.head.status, response.length, fields_of(response)["content-length"]) == (203, 0, "1000")
    stored_head = replace(stored(("Content-Length", "7"), length=0), method="HEAD")
    assert fields_of(served(request(method="HEAD"), stored_head)) == {"content-length": "7"}


@pytest.mark.row("REVAL-27", "RANGE-06")
def test_a_304_and_a_416_have_no_fields_that_describe_the_content() -> None:
    not_modified = served(request(("If-None-Match", "*")), stored(TEXT, TAG, MODIFIED, ("X", "1")))
    assert (not_modified.head.status, fields_of(not_modified)) == (304, {"etag": '"1"', "x": "1"})
    not_modified = served(request(("If-None-Match", "*")), stored(TEXT, MODIFIED))
    assert fields_of(not_modified) == {"last-modified": MODIFIED[1]}
    refused = served(request(("Range", "bytes=1000-")), stored(TEXT, TAG, MODIFIED))
    assert (refused.head.status, refused.head.reason, refused.length) == (416, "Range Not Satisfiable", 0)
    assert fields_of(refused) == {"etag": '"1"', "content-range": "bytes */1000", "content-length": "0"}


@pytest.mark.row("RANGE-02", "RANGE-22")
def test_one_part_is_a_206_with_its_position() -> None:
    entry = stored(TEXT, ("Content-Digest", "x"), ("Repr-Digest", "y"))
    response = served(request(("Range", "bytes=2-4")), entry)
    assert (response.head.status, response.length) == (206, 3)
    assert fields_of(response) == {
        "content-type": "text/plain",
        "repr-digest": "y",
        "content-range": "bytes 2-4/1000",
        "content-length": "3",
    }


@pytest.mark.row("RANGE-08")
@pytest.mark.parametrize("content_type", [(TEXT,), ()])
def test_several_parts_are_multipart_byteranges(content_type: tuple[tuple[str, str], ...]) -> None:
    response = served(request(("Range", "bytes=900-901,0-0")), stored(*content_type))
    type_line = "Content-Type: text/plain\r\n" if content_type else ""
    boundary = f"part-of-{'0' * 32}"
    texts = [each.decode() for each in response.content if isinstance(each, bytes)]
    assert texts == [
        f"\r\n--{boundary}\r\n{type_line}Content-Range: bytes 900-901/1000\r\n\r\n",
        f"\r\n--{boundary}\r\n{type_line}Content-Range: bytes 0-0/1000\r\n\r\n",
        f"\r\n--{boundary}--\r\n",
    ]
    assert fields_of(response) == {
        "content-type": f"multipart/byteranges; boundary={boundary}",
        "content-length": str(sum(map(len, texts)) + 3),
    }


@pytest.mark.row("STATUS-35")
def test_the_first_status_rule_that_applies_decides() -> None:
    rules = (
        AnswerRule(AnswerStatus.ORIGIN, host=glob("*.example"), path=glob("/b/*")),
        AnswerRule(AnswerStatus.AUTO, path=glob("/x")),
    )
    policy = CachePolicy(
        presentation=Presentation(status=AnswerStatus.ALWAYS, status_rules=rules, clients=(ClientRule("any client"),))
    )
    assert status_of_changed_200(request(), Fields(), policy) == (200, None)
    assert status_of_changed_200(replace(request(), host="b.test"), Fields(), policy) == (203, None)
    assert status_of_changed_200(replace(request(), target="/c"), Fields(), policy) == (203, None)
    assert status_of_changed_200(replace(request(), target="/x?y"), Fields(), policy) == (200, "any client")


@pytest.mark.row("STATUS-35")
def test_a_client_rule_applies_only_if_all_its_conditions_hold() -> None:
    rule = ClientRule("x", method="GET", path=glob("/b/*"), fetch_dest=frozenset({"video"}))
    policy = CachePolicy(presentation=Presentation(clients=(rule,)))
    video = request(("Sec-Fetch-Dest", "video"))
    assert status_of_changed_200(video, Fields(), policy) == (200, "x")
    for other in (request(), replace(video, method="HEAD"), replace(video, target="/c")):
        assert status_of_changed_200(other, Fields(), policy) == (203, None)


def test_path_conditions_are_those_of_the_rules_that_have_a_path() -> None:
    status_rules = (
        AnswerRule(AnswerStatus.ORIGIN, host=glob("b.example")),
        AnswerRule(AnswerStatus.AUTO, path=glob("/x")),
    )
    clients = (ClientRule("any client"), ClientRule("some path", path=glob("/*.zip")))
    policy = CachePolicy(presentation=Presentation(status_rules=status_rules, clients=clients))
    fulfilled = [
        [bool(condition(target)) for condition in path_conditions(policy)]
        for target in ("/a", "/x?y", "/x/y", "/a.zip", "/a?b.zip")
    ]
    assert fulfilled == [[False, False], [True, False], [False, False], [False, True], [False, True]]


@pytest.mark.row("STATUS-17")
def test_only_a_200_to_get_or_head_is_annotated() -> None:
    rules = (AnnotationRule(set=(("X", "1"),)), AnnotationRule(host=glob("b.test"), set=(("Y", "1"),)))
    policy = CachePolicy(presentation=Presentation(annotations=rules))
    for method, status, expected in (("GET", 200, 203), ("HEAD", 200, 203), ("PUT", 200, 200), ("GET", 201, 201)):
        response = relayed(request(method=method), Response(status, "", Fields((DATE,))), None, policy, NOW)
        assert (response.head.status, "x" in response.head.fields) == (expected, expected == 203)
        assert "y" not in response.head.fields
        assert response.has_content == (method != "HEAD")


def test_an_annotation_that_the_response_already_has_changes_nothing() -> None:
    policy = CachePolicy(presentation=Presentation(annotations=(AnnotationRule(set=(("X", "1"),)),)))
    fields = Fields((("X", "1"), DATE))
    response = relayed(request(), Response(200, "OK", fields), None, policy, NOW)
    assert (response.head.status, response.head.fields.lines[:2]) == (200, fields.lines)


@pytest.mark.row("STATUS-33", "META-14", "META-16")
def test_an_error_of_the_proxys_own_has_its_reason_in_content_and_proxy_status() -> None:
    response = error_response(504, Refused.OFFLINE, 'no "a\\b"\tthere \xe9', POLICY, NOW, error="dns_error")
    assert response.head.status == 504
    assert response.content == 'no "a\\b"\tthere \xe9\nreason: offline\n'.encode()
    assert dict(response.head.fields) == {
        "Date": NOW_DATE,
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(response.content)),
        "Cache-Control": "no-store",
        "Proxy-Status": 'secondhand; error=dns_error; details="no \\"a\\\\b\\" there ?"',
    }
    parameters = (("alert-id", 40), ("alert-message", 'a "b"'))
    detailed = error_response(
        502, Refused.OFFLINE, "no", POLICY, NOW, error="tls_alert_received", parameters=parameters
    )
    assert detailed.head.fields.get("proxy-status") == (
        'secondhand; error=tls_alert_received; alert-id=40; alert-message="a \\"b\\""; details="no"'
    )
    without_error = error_response(504, Refused.OFFLINE, "no", POLICY, NOW)
    assert "error" not in str(without_error.head.fields.get("proxy-status"))
