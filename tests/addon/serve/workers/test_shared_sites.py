"""One description of the origins for several workers."""

from __future__ import annotations

from addon.serve.workers.shared_sites import merged_sites


def origin(url: str, requests: int, problem: str = "") -> dict[str, object]:
    state = "down" if problem else "up"
    counted = {"requests": requests, "failures": 1, "in_flight": 2}
    last = {"last_problem": problem, "last_problem_age": 5.0 if problem else None}
    return {"url": url, "weight": 1, "state": state, "problem": problem, **counted, **last}


def test_requests_are_added_up_and_an_origin_is_down_if_one_worker_says_so() -> None:
    first = [{"hosts": ["a.example"], "origins": [origin("http://a", 1), origin("http://b", 2, "refused")]}]
    second = [{"hosts": ["a.example"], "origins": [origin("http://a", 10, "silent"), origin("http://b", 20)]}]
    [site] = merged_sites([first, second])
    assert site["hosts"] == ["a.example"]
    assert site["origins"] == [
        {**origin("http://a", 11, "silent"), "failures": 2, "in_flight": 4},
        {**origin("http://b", 22, "refused"), "failures": 2, "in_flight": 4},
    ]


def test_the_last_problem_is_the_latest_one_of_all_workers() -> None:
    def after(problem: str, seconds: float) -> list[dict[str, object]]:
        known = {**origin("http://a", 1), "last_problem": problem, "last_problem_age": seconds}
        return [{"hosts": ["a.example"], "origins": [known]}]

    [site] = merged_sites([after("refused", 9.0), after("silent", 3.0), after("reset", 6.0)])
    latest = {"last_problem": "silent", "last_problem_age": 3.0}
    assert site["origins"] == [{**origin("http://a", 3), "failures": 3, "in_flight": 6, **latest}]


def test_while_workers_have_different_settings_all_sites_are_shown() -> None:
    first = [{"hosts": ["a.example"], "origins": [origin("http://a", 1)]}]
    second = [{"hosts": ["a.example"], "origins": [origin("http://c", 5)]}, {"hosts": ["b.example"], "origins": []}]
    sites = merged_sites([first, second])
    assert sites == [
        {"hosts": ["a.example"], "origins": [origin("http://a", 1), origin("http://c", 5)]},
        {"hosts": ["b.example"], "origins": []},
    ]


def test_without_sites_there_is_nothing() -> None:
    assert merged_sites([[], []]) == []
