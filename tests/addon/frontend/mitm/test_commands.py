"""The commands of the cache inside another mitmproxy."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from mitmproxy import contentviews, exceptions
from mitmproxy.addons import proxyserver, view
from mitmproxy.command import Command
from mitmproxy.test import taddons, tflow, tutils

from addon.frontend.mitm.embedded import Embedded
from addon.frontend.mitm.notes import DECISION, KEY, REASON
from cache.stores.disk.store import DiskStore
from tests.fixtures.kept_copies import keep

URL = "http://address:22/path"
"""The URL of mitmproxy's flows for tests."""

Scenario = Callable[[Embedded, taddons.context], Awaitable[None]]


@pytest.fixture
def play(default_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Scenario], None]:
    """Run a scenario in a mitmproxy whose cache has a copy of the URL, and whose view has a flow for it."""
    monkeypatch.setenv("SECONDHAND_STORE__PATH", str(tmp_path))
    store = DiskStore(tmp_path, 1 << 24)
    keep(store, URL)
    store.close()

    def play(scenario: Scenario) -> None:
        async def whole() -> None:
            embedded, flows = Embedded(), view.View()
            with taddons.context(proxyserver.Proxyserver(), flows, embedded) as mitmproxy:
                await embedded.service()
                flow = tflow.tflow(req=tutils.treq(headers=((b"Via", b"1.1 secondhand-1"),)), resp=True)
                flow.metadata |= {DECISION: "miss", REASON: "no-store"}
                flows.add([flow])
                await scenario(embedded, mitmproxy)
                if closed := embedded.done():
                    await closed

        asyncio.run(whole())

    return play


@pytest.mark.parametrize("what", ["@focus", "@shown", "~u path", URL])
def test_why_explains_flows_and_urls(play: Callable[[Scenario], None], what: str) -> None:
    async def scenario(_: Embedded, mitmproxy: taddons.context) -> None:
        rows = mitmproxy.master.commands.call_strings("secondhand.why", [what])

        assert ["key", URL, "RFC 9111 §2"] in rows
        assert rows[-1][0] == "now it would be"
        of_the_flow = ["this flow was", "miss: no-store", "the response has no-store"]
        assert (rows[0][:2] == of_the_flow[:2]) == (what != URL)

    play(scenario)


def test_show_puts_the_origins_head_beside_the_clients(play: Callable[[Scenario], None]) -> None:
    async def scenario(_: Embedded, mitmproxy: taddons.context) -> None:
        rows = mitmproxy.master.commands.execute("secondhand.show @focus")

        assert ["", "FIELD", "ORIGIN SENT", "CLIENT GETS"] in rows
        assert "status" in [row[1] for row in rows]

    play(scenario)


def test_the_content_view_shows_the_same(play: Callable[[Scenario], None]) -> None:
    async def scenario(_: Embedded, mitmproxy: taddons.context) -> None:
        flow = tflow.tflow(resp=True)
        assert flow.response
        unknown = contentviews.prettify_message(flow.response, flow, "secondhand")
        assert unknown.text == "The cache took no part in this flow."

        flow.metadata[KEY] = URL

        shown = contentviews.prettify_message(flow.response, flow, "secondhand")
        table = [line for line in shown.text.splitlines() if "200 OK" in line or "ORIGIN SENT" in line]
        columns = [line.index(cell) for line, cell in zip(table, ("ORIGIN SENT", "200 OK"), strict=True)]
        assert columns[0] == columns[1]
        assert contentviews.prettify_message(flow.response, flow).view_name != "secondhand"

    play(scenario)


def test_purge_deletes_the_copies_of_flows(play: Callable[[Scenario], None], caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        caplog.set_level(logging.INFO)

        mitmproxy.master.commands.execute("secondhand.purge @all")

        async with asyncio.timeout(60):
            while "deleted" not in caplog.text:
                await asyncio.sleep(0.01)
        assert "1 copy deleted" in caplog.text
        assert not (await embedded.service()).store.candidates(URL)

    play(scenario)


def test_mode_switches_all_hosts_or_one_and_shows_the_modes(play: Callable[[Scenario], None]) -> None:
    async def scenario(_: Embedded, mitmproxy: taddons.context) -> None:
        commands = mitmproxy.master.commands
        commands.execute("secondhand.mode online a.test")
        await asyncio.sleep(0)
        assert commands.execute("secondhand.mode") == [["all hosts", "auto"], ["a.test", "online"]]

        assert commands.execute("secondhand.mode offline") == [["all hosts", "offline"]]

        assert mitmproxy.options.secondhand_mode == "offline"
        with pytest.raises(exceptions.CommandError, match="expected online, auto or offline"):
            commands.execute("secondhand.mode sometimes")

    play(scenario)


def test_stats_counts_the_copies(play: Callable[[Scenario], None]) -> None:
    async def scenario(_: Embedded, mitmproxy: taddons.context) -> None:
        rows = mitmproxy.master.commands.execute("secondhand.stats")

        assert ["entries", "1"] in rows
        assert ["hits", "0"] in rows

    play(scenario)


def test_other_addons_pass_flows_and_urls_as_they_are(play: Callable[[Scenario], None]) -> None:
    async def scenario(_: Embedded, mitmproxy: taddons.context) -> None:
        commands, flow = mitmproxy.master.commands, tflow.tflow()

        of_flow, of_url = commands.call("secondhand.show", flow), commands.call("secondhand.show", URL)

        assert of_flow == of_url
        assert commands.call("secondhand.show", [flow, URL]) == of_flow + of_url
        for wrong in (7, "no url"):
            with pytest.raises(exceptions.CommandError):
                commands.call("secondhand.show", wrong)

    play(scenario)


def test_a_cache_that_is_off_says_so(play: Callable[[Scenario], None]) -> None:
    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        await _closed(embedded)
        mitmproxy.options.secondhand = False

        with pytest.raises(exceptions.CommandError, match="secondhand=true"):
            mitmproxy.master.commands.execute("secondhand.stats")

    play(scenario)


def test_arguments_are_completed(play: Callable[[Scenario], None]) -> None:
    async def scenario(_: Embedded, mitmproxy: taddons.context) -> None:
        commands = mitmproxy.master.commands

        assert {"@focus", "@shown", "http://"} <= set(_completions(commands.commands["secondhand.purge"]))
        assert _completions(commands.commands["secondhand.mode"]) == ["online", "auto", "offline"]
        assert "secondhand.why what" in commands.commands["secondhand.why"].signature_help()

    play(scenario)


async def _closed(embedded: Embedded) -> None:
    if closed := embedded.done():
        await closed


def _completions(command: Command) -> list[str]:
    from mitmproxy.types import CommandTypes

    first = command.parameters[0]
    kind = CommandTypes.get(first.type)
    assert kind
    return list(kind.completion(command.manager, first.type, ""))
