"""The cache inside another mitmproxy: its start and its end, and its options while it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from mitmproxy import ctx, exceptions
from mitmproxy.addons import proxyserver
from mitmproxy.hooks import RunningHook
from mitmproxy.test import taddons

from addon.frontend.mitm.embedded import Embedded
from addon.recordings.library import RecordingNotFoundError
from cache.policy.operator_rules import AnswerStatus, Mode


@pytest.fixture
def _stored_here(default_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECONDHAND_STORE__PATH", str(tmp_path / "store"))


pytestmark = pytest.mark.usefixtures("_stored_here")


def run(scenario: Callable[[Embedded, taddons.context], Awaitable[None]]) -> None:
    """Run a scenario with the addon in a mitmproxy that runs."""

    async def whole() -> None:
        embedded = Embedded()
        with taddons.context(proxyserver.Proxyserver(), embedded) as mitmproxy:
            embedded.running()
            with suppress(RecordingNotFoundError):
                await embedded.service()
            await scenario(embedded, mitmproxy)
            if closed := embedded.done():
                await closed

    asyncio.run(whole())


def test_a_recording_that_cannot_be_replayed_fails_each_use_at_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Regression: the first failure was reported, and every later request waited for ever."""
    monkeypatch.setenv("SECONDHAND_RECORDINGS__REPLAY", "missing")

    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        for _ in range(2):
            with pytest.raises(RecordingNotFoundError):
                await asyncio.wait_for(embedded.service(), 60)

    run(scenario)

    (record,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert "missing" in record.getMessage()
    assert record.exc_info is None


def test_options_apply_while_mitmproxy_runs() -> None:
    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        mitmproxy.options.update(secondhand_mode="offline", secondhand_answer="origin")
        policy = (await embedded.service()).policy
        assert (policy.network.mode, policy.presentation.status) == (Mode.OFFLINE, AnswerStatus.ORIGIN)

        mitmproxy.options.update(secondhand_mode="", secondhand_answer="")
        policy = (await embedded.service()).policy
        assert (policy.network.mode, policy.presentation.status) == (Mode.AUTO, AnswerStatus.AUTO)

    run(scenario)


def test_an_offline_cache_that_is_off_leaves_mitmproxys_options_alone() -> None:
    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        await embedded.service()
        mitmproxy.options.update(secondhand_mode="offline")
        assert mitmproxy.options.connection_strategy == "lazy"

        mitmproxy.options.update(secondhand=False)

        assert mitmproxy.options.connection_strategy == "eager"

    run(scenario)


def test_of_options_with_one_bad_value_none_applies() -> None:
    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        with pytest.raises(exceptions.OptionsError, match="mitmproxy option secondhand_answer"):
            mitmproxy.options.update(secondhand_mode="offline", secondhand_answer="sometimes")

        policy = (await embedded.service()).policy
        assert (policy.network.mode, policy.presentation.status) == (Mode.AUTO, AnswerStatus.AUTO)
        assert (mitmproxy.options.secondhand_mode, mitmproxy.options.secondhand_answer) == ("", "")

    run(scenario)


def test_the_option_for_the_mode_wins_over_an_earlier_command() -> None:
    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        service = await embedded.service()
        await service.modes.handle({"mode": "offline"})

        mitmproxy.options.update(secondhand_mode="online")

        assert service.policy.network.mode is Mode.ONLINE

    run(scenario)


def test_another_store_is_used_from_then_on(tmp_path: Path) -> None:
    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        assert (await embedded.service()).settings.store.directory == tmp_path / "store"

        mitmproxy.options.update(secondhand_store=str(tmp_path / "other"))

        service = await embedded.service()
        assert (service.settings.store.directory, service.store_problem) == (tmp_path / "other", None)

    run(scenario)


def test_a_store_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")

    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        before = await embedded.service()

        with pytest.raises(exceptions.OptionsError, match="cannot be used"):
            mitmproxy.options.update(secondhand_store=str(tmp_path / "file"))

        assert await embedded.service() is before

    run(scenario)


def test_a_script_with_bad_options_logs_them_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        mitmproxy.options._options["secondhand_answer"].set("sometimes")  # as mitmproxy does before it loads a script

        embedded.configure(set(mitmproxy.options.keys()))

    run(scenario)

    (record,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert "mitmproxy option secondhand_answer" in record.getMessage()
    assert record.exc_info is None


def test_a_second_one_says_so_and_does_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        second = Embedded()

        mitmproxy.master.addons.add(second)
        second.configure(set(mitmproxy.options.keys()))

        second.running()
        assert second.done() is None
        assert "loaded twice" in caplog.text
        await embedded.service()

    run(scenario)


def test_mitmproxys_later_addons_start_before_the_cache_is_open() -> None:
    """Regression: a client that connected in between made mitmproxy end, since its TLS addon was not ready."""

    class Later:
        def running(self) -> None:
            with pytest.raises(exceptions.CommandError, match="not open yet"):
                ctx.master.commands.execute("secondhand.stats")
            started.append(self)

    started: list[Later] = []

    async def whole() -> None:
        embedded = Embedded()
        with taddons.context(proxyserver.Proxyserver(), embedded, Later()) as mitmproxy:
            embedded.configure({"secondhand_mode"})
            await mitmproxy.master.addons.trigger_event(RunningHook())

            assert started
            mitmproxy.master.commands.execute("secondhand.stats")
            if closed := embedded.done():
                await closed

    asyncio.run(whole())


def test_an_addon_that_was_removed_can_be_added_again() -> None:
    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        before = await embedded.service()

        mitmproxy.master.addons.remove(embedded)
        mitmproxy.master.addons.add(embedded)
        embedded.running()

        assert await embedded.service() is not before

    run(scenario)


def test_the_end_waits_for_the_store_of_an_addon_that_was_removed_before() -> None:
    """Regression: a store whose addon had been added again at once was left open at the end."""

    async def scenario(embedded: Embedded, mitmproxy: taddons.context) -> None:
        before = asyncio.all_tasks()
        for _ in range(2):
            mitmproxy.master.addons.remove(embedded)
            mitmproxy.master.addons.add(embedded)
            embedded.running()

        ended = embedded.done()

        assert ended
        await ended
        assert asyncio.all_tasks() <= before

    run(scenario)
