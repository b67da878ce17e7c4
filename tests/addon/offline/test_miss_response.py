"""What a client is told that finds nothing offline, and what becomes of it later."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from addon.config.private_store import PROFILE, private_directory
from addon.config.settings import Settings
from addon.offline.miss_queue import MOST, MissQueue, is_answered, wanted_by
from addon.offline.miss_response import preferred, remedy
from addon.offline.wanted import Wanted
from addon.service import Service
from cache.http.messages import Fields
from cache.policy.cache_policy import CachePolicy, NetworkPolicy
from cache.policy.rules import Mode, glob
from cache.rules.key import request_for
from tests.fixtures.raw_origin import RawOrigin, endless


def served(folder: Path, story: Callable[[Service], Awaitable[None]], **tables: object) -> None:
    """Let a story happen around a service that keeps everything in a folder."""
    settings = Settings.model_validate({"store": {"path": str(folder)}, "origin": {"proxy": "none"}, **tables})

    async def told() -> None:
        service = Service(settings)
        try:
            await story(service)
        finally:
            await service.close()

    asyncio.run(told())


async def asked(service: Service, uri: str, *fields: tuple[str, str]) -> tuple[str, str]:
    """Ask; return media type and content of the answer."""
    reply = await service.responder.respond(request_for(uri, Fields(fields)))
    assert isinstance(reply.content, bytes)
    assert reply.head.fields.get("content-length") == str(len(reply.content))
    return reply.head.fields.get("content-type") or "", reply.content.decode()


def test_the_answer_names_what_is_near_and_how_to_get_the_rest(tmp_path: Path) -> None:
    async def story(service: Service) -> None:
        async with RawOrigin(endless) as origin:
            base = f"http://127.0.0.1:{origin.port}"
            for target in ("/a/one", "/a/two", "/b", "/a/one/more"):
                await service.responder.respond(request_for(base + target))
        await service.modes.handle({"mode": "offline"})
        kind, text = await asked(service, f"{base}/a/onf")
        assert kind == "text/plain; charset=utf-8"
        assert text.splitlines() == [
            f"This proxy is offline, and no stored response may answer GET {base}/a/onf.",
            "Stored are, among others:",
            f"  {base}/a/one",
            f"  {base}/a/one/more",
            f"  {base}/a/two",
            f"Once there is a network, this fetches it: secondhand online --store {tmp_path}"
            f" && secondhand queue run --store {tmp_path} --profile dev",
            "reason: offline",
        ]
        kind, text = await asked(service, f"{base}/c", ("Accept", "application/json"))
        assert kind == "application/json"
        said = json.loads(text)
        assert (said["url"], said["method"], len(said["nearest"])) == (f"{base}/c", "GET", 3)
        kind, text = await asked(service, f"{base}/<c>", ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"))
        assert kind == "text/html; charset=utf-8"
        assert "/&lt;c&gt;" in text
        assert "<c>" not in text

    served(tmp_path, story, profile="dev", offline={"keep_unfresh": True})


QUEUE = "secondhand queue run"


@pytest.mark.parametrize(
    ("mode", "hosts", "queue", "lasting", "said"),
    [
        (Mode.AUTO, {}, False, True, QUEUE),
        (Mode.OFFLINE, {}, False, True, f"secondhand online && {QUEUE}"),
        (Mode.OFFLINE, {}, True, True, "secondhand online"),  # then the proxy fetches by itself
        (Mode.OFFLINE, {}, False, False, QUEUE),  # that of `run` is gone by then
        (Mode.AUTO, {"a.test": Mode.OFFLINE}, False, True, f"secondhand online a.test && {QUEUE}"),
        (Mode.OFFLINE, {"a.test": Mode.AUTO}, False, True, QUEUE),
    ],
)
def test_who_was_switched_offline_is_to_be_switched_back_first(
    mode: Mode, hosts: dict[str, Mode], queue: bool, lasting: bool, said: str
) -> None:
    settings = Settings.model_validate({"offline": {"queue": queue}})
    policy = CachePolicy(
        network=NetworkPolicy(mode=mode, host_modes=tuple((glob(host), each) for host, each in hosts.items()))
    )
    assert remedy(settings, policy, "a.test", lasting=lasting) == said


def test_the_store_of_run_is_called_private() -> None:
    settings = Settings.model_validate({"profile": PROFILE, "store": {"path": str(private_directory(Settings()))}})
    assert remedy(settings, CachePolicy(), "a.test", lasting=False) == f"{QUEUE} --private"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "text/plain"),
        ("*/*", "text/plain"),
        ("application/json", "application/json"),
        ("text/html;q=0.5, application/json;q=0.9", "application/json"),
        ("text/html, application/json;q=x", "text/html"),
    ],
)
def test_the_form_is_what_the_client_accepts(accept: str | None, form: str) -> None:
    assert preferred(accept) == form


# ---- the queue


@pytest.mark.parametrize(
    "fields", [("Authorization", "Basic eDp5"), ("Cookie", "a=b"), ("Range", "bytes=0-1")]
)  # fmt: skip
def test_what_is_somebodys_own_is_not_queued(fields: tuple[str, str]) -> None:
    assert wanted_by(request_for("http://a.test/", Fields((fields,)))) is None


def test_a_signed_url_is_not_queued() -> None:
    request = request_for("http://a.test/?v=1&Signature=s3cr3t")
    assert wanted_by(replace(request, keyed_as="/?v=1")) is None
    assert wanted_by(request) is not None


def test_only_fields_that_choose_a_variant_are_queued(tmp_path: Path) -> None:
    fields = Fields((("Accept", "text/html"), ("X-Token", "secret")))
    queue = MissQueue(tmp_path)
    wanted = wanted_by(request_for("http://a.test/", fields))
    assert wanted
    assert queue.add(wanted)
    assert queue.add(wanted)
    assert MissQueue(tmp_path).all() == [Wanted("http://a.test/", (("Accept", "text/html"),))]
    assert b"secret" not in (tmp_path / "queue.jsonl").read_bytes()
    assert stat.S_IMODE((tmp_path / "queue.jsonl").stat().st_mode) == 0o600


def test_the_queue_is_bounded_and_believes_nothing_on_disk(tmp_path: Path) -> None:
    (tmp_path / "queue.jsonl").write_bytes(b'{"uri": 1}\n\xff\n[]\n{"uri": "http://a.test/", "fields": []}\n')
    queue = MissQueue(tmp_path)
    assert queue.all() == [Wanted("http://a.test/")]
    lines = "".join(f'{{"uri": "http://a.test/{number}", "fields": []}}\n' for number in range(MOST))
    (tmp_path / "queue.jsonl").write_text(lines)
    assert not queue.add(Wanted("http://a.test/one-more"))


def test_unsafe_requests_are_refused_and_never_queued(tmp_path: Path) -> None:
    async def story(service: Service) -> None:
        request = request_for("http://a.test/")
        for method in ("POST", "PUT", "DELETE"):
            reply = await service.responder.respond(type(request)(method, "http", "a.test", 80, "/"))
            assert reply.head.status == 504
        assert not service.queue or not service.queue.all()

    served(tmp_path, story, cache={"mode": "offline"})


@pytest.mark.parametrize("on", [True, False])
def test_what_was_missing_is_fetched_when_origins_are_asked_again(tmp_path: Path, on: bool) -> None:
    async def story(service: Service) -> None:
        async with RawOrigin(endless) as origin:
            uri = f"http://127.0.0.1:{origin.port}/later"
            await asked(service, uri)
            assert origin.connections == 0
            assert service.queue
            assert [wanted.uri for wanted in service.queue.all()] == [uri]
            await service.modes.handle({"mode": "auto"})
            while on and service.queue.all():
                await asyncio.sleep(0.01)
            assert bool(service.queue.all()) is not on
            assert service.counters.snapshot()["stored"] == on

    served(tmp_path, story, cache={"mode": "offline"}, offline={"queue": on, "keep_unfresh": True})


@pytest.mark.parametrize(("status", "answered"), [(200, True), (203, True), (404, True), (502, False), (0, False)])
def test_what_an_origin_has_answered_leaves_the_queue(status: int, answered: bool) -> None:
    assert is_answered(status) is answered
