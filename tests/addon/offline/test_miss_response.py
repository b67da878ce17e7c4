"""The response to a request that misses offline, and the miss queue."""

from __future__ import annotations

import asyncio
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from addon.config.private_profile import PROFILE
from addon.config.private_store import private_directory
from addon.config.settings import Settings
from addon.offline.miss_queue import MAX_QUEUED, MissQueue, is_done, queueable
from addon.offline.miss_response import preferred_media_type, remedy
from addon.offline.wanted import Wanted
from addon.service import Service
from cache.http.messages import Fields
from cache.policy.cache_policy import CachePolicy, NetworkPolicy
from cache.policy.operator_rules import Mode, glob
from cache.rules.key import request_for
from tests.addon.offline.running_service import with_service
from tests.fixtures.raw_origin import RawOrigin, endless


def settings(folder: Path, **tables: object) -> Settings:
    """Return settings with the store in a folder."""
    return Settings.model_validate({"store": {"path": str(folder)}, "origin": {"proxy": "none"}, **tables})


async def fetch(service: Service, uri: str, *fields: tuple[str, str]) -> tuple[str, str]:
    """Send a request; return Content-Type and content of the response."""
    reply = await service.active.current.responder.respond(request_for(uri, Fields(fields)))
    assert isinstance(reply.content, bytes)
    assert reply.head.fields.get("content-length") == str(len(reply.content))
    return reply.head.fields.get("content-type") or "", reply.content.decode()


def test_the_response_promises_no_copy_of_what_was_too_large(tmp_path: Path) -> None:
    tables = {"max_object": 1, "path": str(tmp_path)}

    async def first(service: Service) -> None:
        async with RawOrigin(endless) as origin:
            urls.append(f"http://127.0.0.1:{origin.port}/large")
            reply = await service.active.current.responder.respond(request_for(urls[0]))
            if not isinstance(reply.content, bytes):
                await reply.content.close()

    async def later(service: Service) -> None:
        await service.modes.handle({"mode": "offline"})
        _, text = await fetch(service, urls[0])
        assert "was too large to keep" in text
        assert "This command fetches it" not in text
        assert service.queue is not None
        assert service.queue.all() == []

    urls: list[str] = []
    with_service(Settings.model_validate({"store": tables, "origin": {"proxy": "none"}}), first)
    with_service(Settings.model_validate({"store": tables, "origin": {"proxy": "none"}}), later)


def test_the_response_names_similar_urls_and_the_command_that_fetches(tmp_path: Path) -> None:
    async def scenario(service: Service) -> None:
        async with RawOrigin(endless) as origin:
            base = f"http://127.0.0.1:{origin.port}"
            for target in ("/a/one", "/a/two", "/b", "/a/one/more"):
                await service.active.current.responder.respond(request_for(base + target))
        await service.modes.handle({"mode": "offline"})
        content_type, text = await fetch(service, f"{base}/a/onf")
        assert content_type == "text/plain; charset=utf-8"
        assert text.splitlines() == [
            f"This proxy is offline, and no stored response may answer GET {base}/a/onf.",
            "Similar URLs that are stored:",
            f"  {base}/a/one",
            f"This command fetches it when there is a network: secondhand auto --store {tmp_path}"
            f" && secondhand queue run --store {tmp_path} --profile dev",
            "reason: offline",
        ]
        content_type, text = await fetch(service, f"{base}/c", ("Accept", "application/json"))
        assert content_type == "application/json"
        content = json.loads(text)
        assert (content["url"], content["method"], content["nearest"]) == (f"{base}/c", "GET", [])
        content_type, text = await fetch(
            service, f"{base}/<c>", ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        )
        assert content_type == "text/html; charset=utf-8"
        assert "/&lt;c&gt;" in text
        assert "<c>" not in text

    with_service(settings(tmp_path, profile="dev", offline={"keep_unfresh": True}), scenario)


QUEUE_RUN = "secondhand queue run"


@pytest.mark.parametrize(
    ("mode", "hosts", "queue", "lasting", "command"),
    [
        (Mode.AUTO, {}, False, True, QUEUE_RUN),
        (Mode.OFFLINE, {}, False, True, f"secondhand auto && {QUEUE_RUN}"),
        (Mode.OFFLINE, {}, True, True, "secondhand auto"),  # the proxy itself fetches the queue once it is online
        (Mode.OFFLINE, {}, False, False, QUEUE_RUN),  # the proxy of `run` ends with its command
        (Mode.AUTO, {"a.test": Mode.OFFLINE}, False, True, f"secondhand auto a.test && {QUEUE_RUN}"),
        (Mode.OFFLINE, {"a.test": Mode.AUTO}, False, True, QUEUE_RUN),
    ],
)
def test_a_proxy_that_was_switched_offline_must_be_switched_back_first(
    mode: Mode, hosts: dict[str, Mode], queue: bool, lasting: bool, command: str
) -> None:
    policy = CachePolicy(
        network=NetworkPolicy(mode=mode, host_modes=tuple((glob(host), each) for host, each in hosts.items()))
    )
    assert remedy(Settings.model_validate({"offline": {"queue": queue}}), policy, "a.test", lasting=lasting) == command


@pytest.mark.parametrize("mode", [Mode.ONLINE, Mode.AUTO, Mode.OFFLINE])
def test_the_command_goes_back_to_the_mode_of_the_settings(mode: Mode) -> None:
    expected = "online" if mode is Mode.ONLINE else "auto"
    policy = CachePolicy(network=NetworkPolicy(mode=Mode.OFFLINE))
    command = remedy(Settings.model_validate({"cache": {"mode": mode}}), policy, "a.test", lasting=True)
    assert command == f"secondhand {expected} && {QUEUE_RUN}"


def test_the_command_for_the_store_of_run_has_the_private_option() -> None:
    private = settings(private_directory(Settings()), profile=PROFILE)
    assert remedy(private, CachePolicy(), "a.test", lasting=False) == f"{QUEUE_RUN} --private"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "text/plain"),
        ("*/*", "text/plain"),
        ("application/json", "application/json"),
        ("text/html;q=0.5, application/json;q=0.9", "application/json"),
        ("text/html, application/json;q=x", "text/html"),
    ],
)
def test_the_media_type_is_the_one_that_the_client_prefers(accept: str | None, media_type: str) -> None:
    assert preferred_media_type(accept) == media_type


# ---- the miss queue


@pytest.mark.parametrize(
    "field", [("Authorization", "Basic eDp5"), ("Cookie", "a=b"), ("X-Api-Key", "a"), ("Range", "bytes=0-1")]
)
def test_requests_with_credentials_or_a_range_are_not_queued(field: tuple[str, str]) -> None:
    assert queueable(request_for("http://a.test/", Fields((field,)))) is None


def test_a_request_for_a_web_socket_is_not_queued() -> None:
    offer = Fields((("Upgrade", "websocket"), ("Connection", "Upgrade")))
    assert queueable(request_for("http://a.test/chat", offer)) is None


def test_a_signed_url_is_not_queued() -> None:
    request = request_for("http://a.test/?v=1&Signature=s3cr3t")
    assert queueable(replace(request, cache_target="/?v=1")) is None
    assert queueable(request) is not None


def test_only_fields_that_select_a_variant_are_queued(tmp_path: Path) -> None:
    fields = Fields((("Accept", "text/html"), ("X-Note", "secret")))
    queue = MissQueue(tmp_path)
    wanted = queueable(request_for("http://a.test/", fields))
    assert wanted
    assert queue.add(wanted)
    assert queue.add(wanted)
    assert MissQueue(tmp_path).all() == [Wanted("http://a.test/", (("Accept", "text/html"),))]
    assert b"secret" not in (tmp_path / "queue.jsonl").read_bytes()
    assert stat.S_IMODE((tmp_path / "queue.jsonl").stat().st_mode) == 0o600


def test_the_queue_is_bounded_and_skips_invalid_lines(tmp_path: Path) -> None:
    (tmp_path / "queue.jsonl").write_bytes(b'{"uri": 1}\n\xff\n[]\n{"uri": "http://a.test/", "fields": []}\n')
    queue = MissQueue(tmp_path)
    assert queue.all() == [Wanted("http://a.test/")]
    lines = "".join(f'{{"uri": "http://a.test/{number}", "fields": []}}\n' for number in range(MAX_QUEUED))
    (tmp_path / "queue.jsonl").write_text(lines)
    assert not queue.add(Wanted("http://a.test/one-more"))


def test_unsafe_requests_are_refused_and_never_queued(tmp_path: Path) -> None:
    async def scenario(service: Service) -> None:
        for method in ("POST", "PUT", "DELETE"):
            request = replace(request_for("http://a.test/"), method=method)
            reply = await service.active.current.responder.respond(request)
            assert reply.head.status == 504
        assert not service.queue or not service.queue.all()

    with_service(settings(tmp_path, cache={"mode": "offline"}), scenario)


@pytest.mark.parametrize("is_fetched", [True, False])
def test_the_queue_is_fetched_after_switching_online_if_the_settings_say_so(tmp_path: Path, is_fetched: bool) -> None:
    async def scenario(service: Service) -> None:
        async with RawOrigin(endless) as origin:
            uri = f"http://127.0.0.1:{origin.port}/later"
            await fetch(service, uri)
            assert origin.connections == 0
            assert service.queue
            assert [wanted.uri for wanted in service.queue.all()] == [uri]
            await service.modes.handle({"mode": "auto"})
            while is_fetched and service.queue.all():
                await asyncio.sleep(0.01)
            assert bool(service.queue.all()) is not is_fetched
            assert service.counters.snapshot()["stored"] == is_fetched

    offline = {"queue": is_fetched, "keep_unfresh": True}
    with_service(settings(tmp_path, cache={"mode": "offline"}, offline=offline), scenario)


@pytest.mark.parametrize(
    ("status", "done"), [(200, False), (302, False), (404, True), (410, True), (403, False), (429, False), (502, False)]
)
def test_what_is_not_stored_leaves_the_queue_only_if_the_origin_refuses_it_for_good(status: int, done: bool) -> None:
    assert is_done(status, stored=False) is done
    assert is_done(status, stored=True)
