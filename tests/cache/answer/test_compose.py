"""The form of answers: which fields each has, and which content (RFC 9110 §15)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.answer.cache_status import Handling
from cache.answer.compose import error_response, from_copy, relayed, status_of_changed_200
from cache.answer.responses import CopyResponse
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy, Presentation
from cache.policy.operator_rules import AnnotationRule, AnswerRule, AnswerStatus, ClientRule, glob
from cache.policy.reasons import Refused
from cache.rules.stored_response import StoredResponse

NOW = 1_795_435_200.0
"""Mon, 23 Nov 2026 12:00:00 GMT."""

POLICY = CachePolicy(presentation=Presentation(cache_status=False))
DATE = ("Date", "Mon, 23 Nov 2026 12:00:00 GMT")
KIND = ("Content-Type", "text/plain")
TAG = ("ETag", '"1"')
MODIFIED = ("Last-Modified", "Mon, 23 Nov 2026 11:00:00 GMT")


def stored(*lines: tuple[str, str], status: int = 200, length: int = 1000) -> StoredResponse:
    head = Response(status, "Fine", Fields((DATE, *lines)))
    return StoredResponse("0" * 32, "", "GET", "http://a.example/", head, NOW, NOW, NOW, length=length)


def asked(*lines: tuple[str, str], method: str = "GET") -> Request:
    return Request(method, "http", "a.example", 80, "/b/c?d", Fields(lines))


def answered(request: Request, entry: StoredResponse, policy: CachePolicy = POLICY) -> CopyResponse:
    return from_copy(request, entry, Handling(hit=True), policy, NOW)


def lines(answer: CopyResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.head.fields if name not in ("Date", "Via", "Age")}


@pytest.mark.row("STATUS-01", "META-18")
def test_a_whole() -> None:
    answer = answered(asked(), stored(KIND))
    assert (answer.head.status, answer.head.reason) == (203, "Non-Authoritative Information")
    assert lines(answer) == {"content-type": "text/plain", "accept-ranges": "bytes", "content-length": "1000"}
    assert answer.length == 1000
    assert lines(answered(asked(), stored(("Content-Length", "1000"))))["content-length"] == "1000"
    assert lines(answered(asked(), stored(("Content-Length", "9"))))["content-length"] == "1000"


@pytest.mark.row("STATUS-13", "STATUS-44", "STATUS-45")
def test_other_codes() -> None:
    answer = answered(asked(), stored(KIND, status=404))
    assert (answer.head.status, answer.head.reason, answer.length) == (404, "Fine", 1000)
    assert lines(answer) == {"content-type": "text/plain", "content-length": "1000"}
    assert lines(answered(asked(), stored(("Content-Length", "7"), status=204, length=0))) == {}
    assert lines(answered(asked(), stored(status=205, length=0))) == {"content-length": "0"}
    assert answered(asked(), stored(status=204)).length == 0


@pytest.mark.row("HEAD-01", "HEAD-02")
def test_head() -> None:
    answer = answered(asked(method="HEAD"), stored(KIND))
    assert (answer.head.status, answer.length, lines(answer)["content-length"]) == (203, 0, "1000")
    of_a_head = replace(stored(("Content-Length", "7"), length=0), method="HEAD")
    assert lines(answered(asked(method="HEAD"), of_a_head)) == {"content-length": "7"}


@pytest.mark.row("REVAL-27", "RANGE-06")
def test_what_describes_the_content_stays_out_of_a_304_and_a_416() -> None:
    unchanged = answered(asked(("If-None-Match", "*")), stored(KIND, TAG, MODIFIED, ("X", "1")))
    assert (unchanged.head.status, lines(unchanged)) == (304, {"etag": '"1"', "x": "1"})
    unchanged = answered(asked(("If-None-Match", "*")), stored(KIND, MODIFIED))
    assert lines(unchanged) == {"last-modified": MODIFIED[1]}
    outside = answered(asked(("Range", "bytes=1000-")), stored(KIND, TAG, MODIFIED))
    assert (outside.head.status, outside.head.reason, outside.length) == (416, "Range Not Satisfiable", 0)
    assert lines(outside) == {"etag": '"1"', "content-range": "bytes */1000", "content-length": "0"}


@pytest.mark.row("RANGE-02", "RANGE-22")
def test_one_part() -> None:
    answer = answered(asked(("Range", "bytes=2-4")), stored(KIND, ("Content-Digest", "x"), ("Repr-Digest", "y")))
    assert (answer.head.status, answer.length) == (206, 3)
    assert lines(answer) == {
        "content-type": "text/plain",
        "repr-digest": "y",
        "content-range": "bytes 2-4/1000",
        "content-length": "3",
    }


@pytest.mark.row("RANGE-08")
@pytest.mark.parametrize("kind", [(KIND,), ()])
def test_several_parts(kind: tuple[tuple[str, str], ...]) -> None:
    answer = answered(asked(("Range", "bytes=900-901,0-0")), stored(*kind))
    said = "Content-Type: text/plain\r\n" if kind else ""
    boundary = f"part-of-{'0' * 32}"
    texts = [each.decode() for each in answer.content if isinstance(each, bytes)]
    assert texts == [
        f"\r\n--{boundary}\r\n{said}Content-Range: bytes 900-901/1000\r\n\r\n",
        f"\r\n--{boundary}\r\n{said}Content-Range: bytes 0-0/1000\r\n\r\n",
        f"\r\n--{boundary}--\r\n",
    ]
    assert lines(answer) == {
        "content-type": f"multipart/byteranges; boundary={boundary}",
        "content-length": str(sum(map(len, texts)) + 3),
    }


@pytest.mark.row("STATUS-35")
def test_whose_rule_counts() -> None:
    rules = (
        AnswerRule(AnswerStatus.ORIGIN, host=glob("*.example"), path=glob("/b/*")),
        AnswerRule(AnswerStatus.AUTO, path=glob("/x")),
    )
    policy = CachePolicy(
        presentation=Presentation(status=AnswerStatus.ALWAYS, status_rules=rules, clients=(ClientRule("anybody"),))
    )
    assert status_of_changed_200(asked(), Fields(), policy) == (200, None)
    assert status_of_changed_200(replace(asked(), host="b.test"), Fields(), policy) == (203, None)
    assert status_of_changed_200(replace(asked(), target="/c"), Fields(), policy) == (203, None)
    assert status_of_changed_200(replace(asked(), target="/x?y"), Fields(), policy) == (200, "anybody")


@pytest.mark.row("STATUS-35")
def test_every_condition_of_a_client_must_hold() -> None:
    rule = ClientRule("x", method="GET", path=glob("/b/*"), fetch_dest=frozenset({"video"}))
    policy = CachePolicy(presentation=Presentation(clients=(rule,)))
    video = asked(("Sec-Fetch-Dest", "video"))
    assert status_of_changed_200(video, Fields(), policy) == (200, "x")
    for other in (asked(), replace(video, method="HEAD"), replace(video, target="/c")):
        assert status_of_changed_200(other, Fields(), policy) == (203, None)


@pytest.mark.row("STATUS-17")
def test_only_an_answer_to_get_or_head_is_annotated() -> None:
    rules = (AnnotationRule(set=(("X", "1"),)), AnnotationRule(host=glob("b.test"), set=(("Y", "1"),)))
    policy = CachePolicy(presentation=Presentation(annotations=rules))
    for method, status, code in (("GET", 200, 203), ("HEAD", 200, 203), ("PUT", 200, 200), ("GET", 201, 201)):
        answer = relayed(asked(method=method), Response(status, "", Fields((DATE,))), None, policy, NOW)
        assert (answer.head.status, "x" in answer.head.fields) == (code, code == 203)
        assert "y" not in answer.head.fields
        assert answer.has_content == (method != "HEAD")


def test_a_field_that_is_there_already_is_not_moved() -> None:
    policy = CachePolicy(presentation=Presentation(annotations=(AnnotationRule(set=(("X", "1"),)),)))
    fields = Fields((("X", "1"), DATE))
    answer = relayed(asked(), Response(200, "OK", fields), None, policy, NOW)
    assert (answer.head.status, answer.head.fields.lines[:2]) == (200, fields.lines)


@pytest.mark.row("STATUS-33", "META-14", "META-16")
def test_an_error_of_our_own() -> None:
    answer = error_response(504, Refused.OFFLINE, 'no "a\\b"\tthere \xe9', POLICY, NOW, error="dns_error")
    assert answer.head.status == 504
    assert answer.content == 'no "a\\b"\tthere \xe9\nreason: offline\n'.encode()
    assert dict(answer.head.fields) == {
        "Date": DATE[1],
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(answer.content)),
        "Cache-Control": "no-store",
        "Proxy-Status": 'secondhand; error=dns_error; details="no \\"a\\\\b\\" there ?"',
    }
    assert "error" not in str(error_response(504, Refused.OFFLINE, "no", POLICY, NOW).head.fields.get("proxy-status"))
