"""Each operation of the admin API, over HTTP, with one process and with several."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import quote

import pytest

from addon.runtime.control import Handler
from addon.serve.admin.operations import OPERATIONS
from tests.fixtures.admin_client import AdminClient, store, visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.until import wait_until
from tests.fixtures.web_origin import Origin


def test_the_status_is_that_of_the_command_line(running: Proxy, api: AdminClient) -> None:
    told = api.get("/status").json
    (shown,) = json.loads(running.run("status", "--json"))["proxies"]
    assert told.keys() == shown.keys()
    assert [worker["pid"] for worker in told["workers"]] == [worker["pid"] for worker in shown["workers"]]
    assert told["admin"] == f"http://{api.host}:{api.port}"
    assert api.get("/sites").json == {"sites": []}


def test_entries_are_listed_in_parts_and_shown_in_full(running: Proxy, api: AdminClient, origin: Origin) -> None:
    urls = [serve_page(origin, f"/entries/{number}", b"x" * (number + 1)) for number in range(5)]
    for url in urls:
        store(running, url)
    first = api.get("/entries?pattern=*/entries/*&limit=2").json
    assert [each["url"] for each in first["entries"]] == urls[:2]
    rest = api.get(f"/entries?pattern=*/entries/*&limit=3&after={first['next']}").json
    assert [each["url"] for each in rest["entries"]] == urls[2:]
    largest = api.get("/entries?pattern=/entries/&sort=size&limit=1").json
    assert [each["size"] for each in largest["entries"]] == [5]
    second = api.get(f"/entries?pattern=/entries/&sort=size&limit=1&after={quote(largest['next'])}")
    assert [each["size"] for each in second.json["entries"]] == [4]
    refused = api.get("/entries?sort=size&after=http://a.example/")
    assert "expected the `next` of a list in the same order" in refused.json["detail"]
    assert json.loads(running.run("ls", "*/entries/*", "--json"))[0]["sha256"] == first["entries"][0]["sha256"]
    shown = api.get(f"/show?url={urls[0]}").json
    (by_command,) = json.loads(running.run("show", urls[0], "--json"))
    (variant,) = shown["variants"]
    assert variant.keys() == by_command.keys()
    assert variant["definitive"] == by_command["definitive"]
    assert [each["current"] for each in shown["captures"]] == [True]


def test_the_response_to_a_request_is_explained(running: Proxy, api: AdminClient, origin: Origin) -> None:
    url = serve_page(origin, "/why")
    store(running, url)
    assert api.get(f"/why?url={url}").json["decision"] == "hit"
    asked = api.get(f"/why?url={url}&header=Cache-Control:+no-cache&header=Accept:+*/*").json
    assert (asked["decision"], asked["reason"]) == ("forward", "request-no-cache")
    assert api.get(f"/why?url={url}&method=POST").json["decision"] == "forward"


def test_counters_are_the_sums_of_all_processes(running: Proxy, api: AdminClient, origin: Origin) -> None:
    url = serve_page(origin, "/stats")
    before = api.get("/stats").json
    for _ in range(20):
        visit(running, url)
    after = api.get("/stats").json
    assert after["counters"]["requests"] - before["counters"]["requests"] == 20
    assert after["counters"]["hits"] > before["counters"]["hits"]
    assert after["contents"]["entries"] > before["contents"]["entries"]
    assert after["hosts"].keys() == {f"localhost:{origin.port}"}
    fetched = after["origin_times"][f"localhost:{origin.port}"]
    assert fetched["exchanges"] == after["counters"]["origin.fetches"]
    assert 0 < fetched["median"] <= fetched["slow"]


def test_a_purge_is_that_of_the_command_line_and_is_logged(running: Proxy, api: AdminClient, origin: Origin) -> None:
    url = serve_page(origin, "/purge")
    store(running, url)
    measured = api.send("POST", "/purge", {"url": url, "dry_run": True})
    assert measured.json == {"copies": 1, "deleted": 0, "soft": False, "dry_run": True, "size": 5}
    assert api.send("POST", "/purge", {"url": url, "soft": True}).json["copies"] == 1
    assert api.get("/entries?pattern=*/purge").json["entries"][0]["state"] == "stale"
    assert api.send("POST", "/purge", {"prefix": url}).json["deleted"] == 1
    assert api.get(f"/show?url={url}").json["variants"] == []
    lines = [json.loads(line) for line in (running.folder / "store" / "purges.log").read_text().splitlines()]
    assert [(line["by"], line["what"]) for line in lines[-3:]] == [
        ("admin API, 127.0.0.1", f"url {url}"),
        ("admin API, 127.0.0.1", f"url {url}"),
        ("admin API, 127.0.0.1", f"prefix {url}"),
    ]


def test_the_mode_of_all_processes_is_switched(running: Proxy, api: AdminClient, origin: Origin) -> None:
    url = serve_page(origin, "/modes", fields={"Cache-Control": "no-store"})
    assert api.send("PUT", "/modes", {"mode": "offline", "host": "local*"}).json["hosts"] == {"local*": "offline"}
    assert {visit(running, url) for _ in range(8)} == {504}
    assert api.get("/missing").json["urls"] == [url]
    assert api.send("PUT", "/modes", {"mode": "auto"}).json["hosts"] == {}
    assert visit(running, url) == 200
    assert api.get("/modes").json["mode"] == "auto"


def test_what_is_not_stored_is_told_by_reason_and_host(running: Proxy, api: AdminClient, origin: Origin) -> None:
    url = serve_page(origin, "/private", fields={"Cache-Control": "private", "Expires": "soon"})
    for _ in range(3):
        visit(running, url)
    told = {each["reason"]: each for each in api.get("/not-stored").json["reasons"]}
    assert told["private"]["responses"] == 3
    assert told["private"]["hosts"] == {f"localhost:{origin.port}": 3}
    assert told["private"]["sentence"] == "the origin says private"
    assert told["private"]["remedy"].startswith("the origin leaves out private")
    assert told["private"]["example"]["url"] == url
    assert "not a date: it counts as the past" in [each["sentence"] for each in told["private"]["example"]["findings"]]
    numbers = [each["responses"] for each in told.values()]
    assert numbers == sorted(numbers, reverse=True)


def test_recordings_are_made_replayed_and_listed(running: Proxy, api: AdminClient, origin: Origin) -> None:
    url = serve_page(origin, "/recorded", b"recorded")
    assert api.get("/recordings").json == {"doing": None, "name": "", "recordings": []}
    assert api.send("PUT", "/recordings", {"doing": "record", "name": "first"}).json["doing"] == "record"
    visit(running, url)
    ended = api.send("PUT", "/recordings", {"doing": "record"}).json
    assert ended["doing"] is None
    ((name, responses),) = [(each["name"], each["responses"]) for each in ended["recordings"]]
    assert (name, responses) == ("first", 1)
    assert api.send("PUT", "/recordings", {"doing": "replay", "name": "first"}).json["name"] == "first"
    assert api.get("/modes").json["recording"] == "first"
    assert api.send("PUT", "/recordings", {"doing": "replay"}).json["doing"] is None
    missing = api.send("PUT", "/recordings", {"doing": "replay", "name": "second"})
    assert missing.status == 409
    assert "existing recordings: first" in missing.json["detail"]


def test_the_settings_are_those_in_force(running: Proxy, api: AdminClient) -> None:
    settings = api.get("/config").json["settings"]
    assert settings["store"]["path"] == str(running.folder / "store")
    assert settings["admin"]["listen"] == f"127.0.0.1:{api.port}"
    assert settings["memory"]["max_size"] == 256 << 20  # that of all processes together


def test_the_latest_exchanges_of_all_processes_are_listed(running: Proxy, api: AdminClient, origin: Origin) -> None:
    urls = [serve_page(origin, f"/exchanges/{number}") for number in range(6)]
    for count, url in enumerate(urls, 1):
        visit(running, url)
        # an exchange is noted after its response was sent, and the next one may be sent earlier, by another process
        wait_until(lambda count=count: len(listed(api)) >= count)
    told = listed(api)
    assert [each["url"] for each in told] == urls
    assert {each["decision"] for each in told} == {"uri-miss"}
    assert len(api.get("/exchanges?limit=2").json["exchanges"]) == 2


def listed(api: AdminClient) -> list[dict[str, object]]:
    """Return the latest exchanges without those of other tests."""
    return [each for each in api.get("/exchanges").json["exchanges"] if "/exchanges/" in each["url"]]


WRONG_METHODS = (
    *(("POST", "/status", "GET, HEAD"), ("DELETE", "/entries", "GET, HEAD"), ("GET", "/purge", "POST")),
    *(("POST", "/modes", "GET, HEAD, PUT"), ("OPTIONS", "/purge", "POST"), ("PURGE", "/why", "GET, HEAD")),
)


@pytest.mark.parametrize(("method", "path", "allowed"), WRONG_METHODS)
def test_a_wrong_method_is_refused_with_those_that_are_allowed(
    method: str, path: str, allowed: str, admin: AdminClient
) -> None:
    refused = admin.ask(method, path, admin.authorization)
    assert refused.status == 405
    assert sorted(refused.fields["allow"].split(", ")) == allowed.split(", ")


WRONG_ARGUMENTS = (
    ("/purge", "[]", 422, "Input should be an object"),
    ("/purge", "{", 422, "Invalid JSON"),
    ("/purge", "", 422, "Invalid JSON"),
    ("/purge", '{"all": true, "force": true}', 422, "force: Extra inputs are not permitted"),
    ("/purge", "{}", 422, "expected exactly one of url, prefix"),
    ("/purge", '{"all": true, "host": "a"}', 422, "found host, all"),
    ("/purge", '{"all": false}', 422, "all: Input should be True"),
    ("/purge", '{"url": null}', 422, "url: expected a value in place of null"),
    ("/purge", '{"url": "ftp://a.example/"}', 422, "url: expected a URL in ASCII"),
    ("/purge", '{"host": "a.example:"}', 422, "host: expected a host like"),
    ("/purge", '{"tags": []}', 422, "tags: List should have at least 1 item"),
    ("/purge", '{"all": true, "soft": "yes"}', 422, "soft: Input should be a valid boolean"),
    ("/purge", '{"url": "http://a.example/", "by": "somebody else"}', 422, "by: Extra inputs are not permitted"),
    ("/purge", '{"site": "a.example"}', 409, "expected a host of a site"),
    ("/recordings", '{"doing": "replay", "name": "../up"}', 422, "name: expected a name of letters"),
    ("/modes", '{"mode": "replay"}', 422, "mode: Input should be 'online', 'auto' or 'offline'"),
    ("/modes", '{"mode": "auto", "host": "http://a/"}', 422, "host: expected the name of a host"),
)


@pytest.mark.parametrize(("path", "content", "status", "said"), WRONG_ARGUMENTS)
def test_what_is_wrong_with_an_argument_is_said(
    path: str, content: str, status: int, said: str, admin: AdminClient
) -> None:
    fields = {**admin.authorization, "Content-Type": "application/json"}
    refused = admin.ask("POST" if path == "/purge" else "PUT", path, fields, content.encode())
    assert refused.status == status
    assert said in refused.json["detail"]


def test_an_unknown_or_repeated_query_is_refused(admin: AdminClient) -> None:
    assert "limit: Input should be less than" in admin.get("/entries?limit=1001").json["detail"]
    assert "page: Extra inputs are not permitted" in admin.get("/entries?page=2").json["detail"]
    assert admin.get("/show?url=http://a/&url=http://b/").status == 422
    assert admin.get("/status?x").status == 422


def test_content_is_json_and_not_too_large(admin: AdminClient) -> None:
    simple = {**admin.authorization, "Content-Type": "text/plain"}  # which a page may send anywhere
    assert admin.ask("POST", "/purge", simple, b'{"all": true}').status == 415
    assert admin.ask("POST", "/purge", admin.authorization, b'{"all": true}').status == 415
    large = json.dumps({"url": "http://a.example/" + "a" * (4 << 20)}).encode()
    fields = {**admin.authorization, "Content-Type": "application/json; charset=utf-8"}
    assert admin.ask("POST", "/purge", fields, large).status == 413


def test_every_response_may_not_be_stored_or_taken_for_another_type(admin: AdminClient) -> None:
    for answer in (
        admin.get("/status"),
        admin.get("/nothing"),
        admin.ask("GET", "/status"),
        admin.ask("GET", "/healthz"),
        admin.send("POST", "/purge", {}),
        admin.ask("GET", f"/{'a' * 200_000}"),
    ):
        assert answer.fields["cache-control"] == "no-store"
        assert answer.fields["x-content-type-options"] == "nosniff"
        assert answer.fields["content-type"] in ("application/json", "application/problem+json")
        assert "date" in answer.fields


def test_the_beginning_of_a_stored_content_is_shown(running: Proxy, api: AdminClient, origin: Origin) -> None:
    url = serve_page(
        origin, "/previewed", b"<b>content</b>", {"Cache-Control": "max-age=60", "Content-Type": "text/html"}
    )
    store(running, url)
    digest = api.get(f"/show?url={url}").json["variants"][0]["sha256"]
    found = api.get(f"/preview?url={url}&sha256={digest}")
    assert found.json == {"media_type": "text/html", "text": "<b>content</b>", "image": None, "note": ""}
    assert found.fields["content-type"] == "application/json"
    other = api.get(f"/preview?url={url}&sha256={'0' * 64}")
    assert (other.status, other.json["detail"]) == (409, f"no content with the SHA-256 {'0' * 64} is stored for {url}")
    assert "expected a SHA-256 in lower-case hexadecimal" in api.get(f"/preview?url={url}&sha256=x").json["detail"]


def test_the_counts_over_time_have_each_response(running: Proxy, api: AdminClient, origin: Origin) -> None:
    url = serve_page(origin, "/series", b"x" * 1000)
    before, earlier = _sums(api), len(origin.requests_for("/series"))
    for _ in range(4):
        assert visit(running, url) in (200, 203)
    after = _sums(api)
    added = {name: after[name] - before.get(name, 0) for name in after}
    fetched = len(origin.requests_for("/series")) - earlier
    assert added["hit"] + added["miss"] == 4
    assert added["stale"] == added["validated"] == added["bypass"] == added["error"] == 0
    # each process misses it once at most; one that waited for the fetch of the other sends the content of its copy
    assert fetched <= added["miss"] <= 2
    assert added["bytes_from_copies"] == 1000 * (4 - fetched)
    assert added["bytes_from_origins"] == 1000 * fetched
    assert {name: api.get(f"/series?range={name}").json["step"] for name in ("1h", "24h", "30d")} == {
        "1h": 60,
        "24h": 300,
        "30d": 3600,
    }
    assert api.get("/series?range=2h").status == 422


def _sums(api: AdminClient) -> dict[str, int]:
    """Return the sums of all points of the last 30 days."""
    points = api.get("/series?range=30d").json["points"]
    return {name: sum(point[name] for point in points) for name in points[0] if name != "at"}


def test_all_else_is_told_while_the_store_cannot_be_read() -> None:
    def told(**reply: object) -> Handler:
        async def handle(_arguments: Mapping[str, object]) -> dict[str, object]:
            return reply

        return handle

    async def contents(_arguments: Mapping[str, object]) -> dict[str, object]:
        raise ValueError("the engine does not answer")

    commands = {
        "summary": told(since=1.0, hosts={}),
        "contents": contents,
        "store": told(state="failing"),
        "stats": told(requests=5),
        "failed-hosts": told(distrusted={}),
        "origin-times": told(),
    }
    (stats,) = [each for each in OPERATIONS if each.path == "/stats"]

    async def asking() -> Mapping[str, object]:
        return await stats.run(commands, {})

    found = asyncio.run(asking())
    assert (found["contents"], found["counters"]) == (None, {"requests": 5})
