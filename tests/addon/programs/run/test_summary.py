"""The summary of a run: the line for people, the exit code for CI, and the saved log."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.programs.run.direct_connections import read_direct_connections
from addon.programs.run.private_log import has_warnings, save_log
from addon.programs.run.summary import Snapshot, Summary, without_requests
from cache.answer.cache_status import Handling
from cache.policy.reasons import Forwarded


def test_the_line_counts_what_happened_between_two_snapshots() -> None:
    before = Snapshot.of({"requests": 5, "hits": 5, "answers.hit": 5}, ["http://a.test/before"])
    counted = {
        "requests": 8,
        "hits": 6,
        "hits.stale": 1,
        "stale": 1,
        "answers.hit": 6,
        "answers.uri-miss": 1,
        "origin.fetches": 2,
        "octets.from_copy": 2048,
        "refused.offline": 1,
        "milliseconds.saved": 1250,
    }
    after = Snapshot.of(counted, ["http://a.test/before", "http://a.test/x"])
    assert Summary.between(before, after).line() == (
        "3 requests, 1 from copies (1 stale), 1 fetched, 2 KiB saved, 1.2 s saved, 1 MISSING: http://a.test/x"
    )


def test_the_line_names_what_was_too_large_to_keep() -> None:
    counted = {"requests": 2, "answers.uri-miss": 2, "not_stored.too-large": 1}
    after = Snapshot.of(counted, [], too_large=["http://a.test/old (7 GiB)", "http://a.test/x (3 GiB)"])
    summary = Summary.between(Snapshot.of({}, [], too_large=["http://a.test/old (7 GiB)"]), after)
    assert summary.line().endswith(", 1 too large to keep: http://a.test/x (3 GiB)")


@pytest.mark.parametrize(
    ("counters", "offline", "max_misses", "code"),
    [
        ({"requests": 1, "hits": 1}, True, None, None),
        ({"refused.offline": 1}, True, None, 120),
        ({"refused.offline": 1}, True, 1, None),
        ({"origin.fetches": 1}, True, None, 120),
        ({"stale": 1}, False, None, 121),
        ({"refused.replay": 1}, True, None, 120),
        ({"misses.uri-miss": 1, "misses.bypass": 1}, False, 1, 122),
        ({"misses.uri-miss": 1, "misses.bypass": 1}, False, 2, None),
        ({"misses.uri-miss": 1, "misses.bypass": 1}, False, None, None),
        ({"refused.fetch-failed": 1}, False, 0, 122),
        ({"answers.method": 1, "origin.fetches": 1}, False, 0, None),
    ],
)
def test_each_violation_of_a_ci_rule_has_its_exit_code(
    counters: dict[str, int], offline: bool, max_misses: int | None, code: int | None
) -> None:
    violation = Summary(counters).ci_violation(offline=offline, max_misses=max_misses)
    assert (violation[0] if violation else None) == code


def test_failures_are_counted_by_kind() -> None:
    counted = {
        "requests": 3,
        "refused.fetch-failed": 2,
        "failures.tls_certificate_error": 2,
        "not_stored.store-failed": 1,
        "tls_failures": 1,
    }
    summary = Summary(counted)
    assert summary.has_failures
    assert summary.line().endswith(
        "2 failed (2 tls_certificate_error), 1 not stored: the store failed, 1 failed in TLS between program and proxy"
    )
    assert not Summary({"requests": 1, "hits": 1}).has_failures


def test_a_host_whose_certificate_is_not_accepted_is_told_from_one_that_is_not_reached() -> None:
    before = Snapshot.of({}, [], {"before.test": 1, "again.test": 1})
    counted = {"requests": 1, "refused.fetch-failed": 1, "failures.dns_error": 1}
    after = Snapshot.of(counted, [], {"before.test": 1, "again.test": 2, "new.test": 1}, {"https://gone.test": 1})
    line = Summary.between(before, after).line()
    assert "1 failed (1 dns_error; not reached: https://gone.test)" in line
    assert "the certificate for again.test new.test was not trusted by a program, or it has pinned another" in line


@pytest.mark.parametrize(
    "counted", [{"distrusted": 1}, {"tls_failures": 1}, {"passed_through": 1}, {"refused.malformed-request": 1}]
)
def test_a_program_that_came_to_the_proxy_without_a_request_has_not_ignored_it(counted: dict[str, int]) -> None:
    assert not Summary(counted).is_empty
    assert Summary({"requests": 0, "stored": 0}).is_empty
    assert not Summary({}, distrusted=["a.test"]).is_empty


def test_connections_around_the_proxy_are_counted(tmp_path: Path) -> None:
    (tmp_path / "direct").write_text("db.test:5432\nb.test:443\ndb.test:5432\n")
    summary = Summary.between(Snapshot(), Snapshot(), read_direct_connections(tmp_path / "direct"))
    assert not summary.is_empty
    assert summary.line().endswith(
        "3 connections attempted around the proxy (--strict lets none through): db.test:5432 b.test:443"
    )
    assert read_direct_connections(tmp_path / "none") == ()


def test_a_log_is_saved_for_its_owner_only_and_searched_for_warnings(tmp_path: Path) -> None:
    warning = "2026-01-01 00:00:00,000 WARNING cache.stores.full_disk: the disk is full"
    assert has_warnings(f"2026-01-01 00:00:00,000 INFO addon.fetcher: WARNING signs\n{warning}")
    assert not has_warnings("2026-01-01 00:00:00,000 INFO addon.fetcher: WARNING signs")
    save_log("before", tmp_path)
    path = save_log(warning, tmp_path)
    assert path.read_text() == f"{warning}\n"
    assert (path.stat().st_mode & 0o777, list(tmp_path.iterdir())) == (0o600, [path])


def test_misses_are_counted_by_kind() -> None:
    violation = Summary({"misses.stale": 2, "refused.fetch-failed": 1}).ci_violation(offline=False, max_misses=0)
    assert violation == (122, "3 misses, 0 allowed: 2 stale, 1 fetch-failed")


@pytest.mark.parametrize(
    ("handling", "is_miss"),
    [
        (Handling(hit=True, ttl=5), False),
        (Handling(fwd=Forwarded.URI_MISS, fwd_status=200, stored=True), True),
        (Handling(fwd=Forwarded.URI_MISS, fwd_status=304), True),  # the client validated its own stored response
        (Handling(fwd=Forwarded.VARY_MISS, fwd_status=200), True),
        (Handling(fwd=Forwarded.BYPASS, fwd_status=200), True),
        (Handling(fwd=Forwarded.PARTIAL, fwd_status=206), True),
        (Handling(fwd=Forwarded.STALE, fwd_status=200), True),
        (Handling(fwd=Forwarded.STALE, fwd_status=304), False),
        (Handling(fwd=Forwarded.REQUEST, fwd_status=200), True),
        (Handling(fwd=Forwarded.REQUEST, fwd_status=304), False),
        (Handling(fwd=Forwarded.METHOD, fwd_status=200), False),
        (Handling(fwd=Forwarded.URI_MISS, fwd_status=200, collapsed=True), False),
    ],
)
def test_a_miss_needs_content_from_the_origin(handling: Handling, is_miss: bool) -> None:
    assert handling.is_miss == is_miss


def test_malformed_replies_of_a_proxy_are_ignored() -> None:
    assert Snapshot.of({"requests": "many"}, None) == Snapshot()


@pytest.mark.parametrize(
    ("arguments", "localhost", "told"),
    [
        (["http://127.0.0.1:8000/a"], False, ": requests for this machine go around it, except with --proxy-localhost"),
        (["--url=http://u:p@LOCALHOST"], False, ": requests for this machine go around it, except with --proxy-local"),
        (["https://[::1]/"], False, ": requests for this machine go around it, except with --proxy-localhost"),
        (["http://localhost.example/"], False, "variables, or sent them to this machine (see --proxy-localhost)"),
        (["http://127.0.0.1:8000/a"], True, ": it needed none, or ignores the proxy variables"),
    ],
)
def test_the_reasons_for_a_command_without_requests(arguments: list[str], localhost: bool, told: str) -> None:
    assert told in without_requests(["curl", *arguments], localhost=localhost)
