"""Puts a running proxy on a recording, to make or to replay it, and back on its own store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from addon.config.settings import Settings
from addon.pipeline.active_pipeline import ActivePipeline, with_state_of
from addon.pipeline.pipeline import Pipeline
from addon.recordings.diff_command import DiffCommand
from addon.recordings.draining_responder import DrainingResponder
from addon.recordings.library import PinnedStore, RecordingError, RecordingLibrary
from addon.runtime.background_tasks import BackgroundTasks
from addon.runtime.control import Handler
from cache.policy.cache_policy import CachePolicy
from cache.policy.recordings import recording_policy, replaying_policy
from cache.stores.base import ResponseStore, StoreError
from cache.stores.tiered.store import TieredStore

DRAIN_TIMEOUT = 30.0
"""Seconds that the end of a recording waits for responses on their way into it; later ones are still stored."""

Activity = Literal["record", "replay"]


class RecordingSwitch:
    """Switches a proxy between its own store and recordings."""

    def __init__(
        self,
        settings: Settings,
        active: ActivePipeline,
        make_pipeline: Callable[[ResponseStore, CachePolicy], Pipeline],
    ) -> None:
        """Switch `active` to pipelines that `make_pipeline` makes, with a DrainingResponder each."""
        self._settings = settings
        self._active = active
        self._make_pipeline = make_pipeline
        self._library = RecordingLibrary(settings.library)
        self._turn = asyncio.Lock()
        self._activity: Activity | None = None
        self._name = ""
        self._draining = BackgroundTasks()
        self._diff = DiffCommand(self._library, lambda: active.policy, self._live_pipeline)

    async def start(self, activity: Activity, name: str) -> None:
        """Make or replay a recording from now on; making an existing one adds to it. Raises StoreError."""
        path = self._library.existing(name) if activity == "replay" else self._library.path(name)
        async with self._turn:
            await self._switch_back()
            policy = self._policy(activity, name)
            memory = self._settings.memory
            store = TieredStore(await asyncio.to_thread(PinnedStore, path), memory.store_size, memory.max_object)
            self._active.switch_to(self._make_pipeline(store, policy))
            self._activity, self._name = activity, name

    def _policy(self, activity: Activity, name: str) -> CachePolicy:
        policy = self._active.own.policy
        if activity == "record":
            return recording_policy(policy, name)
        policy = replaying_policy(policy, name)
        return replace(policy, keying=replace(policy.keying, post_rules=self._settings.replay.rules()))

    def _live_pipeline(self, store: ResponseStore) -> Pipeline:
        """Return a pipeline that records what origins answer now, to be compared with a recording."""
        return self._make_pipeline(store, self._policy("record", "live"))

    def reload(self, settings: Settings) -> None:
        """Use other settings, also for the recording under way; its policy follows from the proxy's own one."""
        self._settings = settings
        if self._activity is not None:
            fetcher = self._active.current.fetcher
            fetcher.use_policy(with_state_of(self._policy(self._activity, self._name), fetcher.policy))

    async def stop(self) -> str:
        """Switch back to the proxy's own store. Return the name of the recording that ends, empty if there is none."""
        async with self._turn:
            name = self._name
            await self._switch_back()
            return name

    async def _switch_back(self) -> None:
        if self._activity is None:
            return
        draining = self._draining.begin(_drain(self._active.current))
        # a finished recording is to be complete; a replay only goes on for the clients that it is answering
        timeout = DRAIN_TIMEOUT if self._activity == "record" else 0.0
        self._activity, self._name = None, ""
        self._active.switch_to(self._active.own)
        await asyncio.wait([draining], timeout=timeout)

    async def close(self) -> None:
        """Switch back without waiting for responses under way."""
        await self.stop()
        await self._draining.close()

    # ---- control commands

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers of the control commands about recordings."""
        return {
            "diff": self._diff.handle,
            "record": self._record,
            "recording": self._recording,
            "recordings": self._recordings,
            "replay": self._replay,
        }

    async def _record(self, arguments: Mapping[str, object]) -> dict[str, object]:
        return await self._start_or_stop("record", arguments)

    async def _replay(self, arguments: Mapping[str, object]) -> dict[str, object]:
        return await self._start_or_stop("replay", arguments)

    async def _start_or_stop(self, activity: Activity, arguments: Mapping[str, object]) -> dict[str, object]:
        match dict(arguments):
            case {"name": str(name)}:
                try:
                    await self.start(activity, name)
                except RecordingError as error:
                    raise ValueError(str(error)) from error
                return {"name": name}
            case {"stop": True}:
                if self._activity != activity:
                    return {"name": ""}
                return {"name": await self.stop()}
        raise ValueError('expected "name" or "stop"')

    async def _recording(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        return {"doing": self._activity, "name": self._name}

    async def _recordings(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        """Return the recordings, and which of them is being made or replayed."""
        try:
            recordings = await asyncio.to_thread(self._library.described)
        except StoreError as error:
            raise ValueError(str(error)) from error
        return {"doing": self._activity, "name": self._name, "recordings": recordings}


async def _drain(pipeline: Pipeline) -> None:
    """Close a pipeline once it answers no client any more."""
    try:
        if isinstance(pipeline.responder, DrainingResponder):
            await pipeline.responder.settled()
    finally:
        await pipeline.close()
