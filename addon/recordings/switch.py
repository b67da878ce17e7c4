"""Puts a running proxy on a recording, to make it or to replay it, and back on its own store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from addon.recordings.draining_responder import DrainingResponder
from addon.recordings.library import PinnedStore, RecordingError, RecordingLibrary
from addon.runtime.control import Handler
from cache.policy.recordings import recording_policy, replaying_policy
from cache.stores.tiered.store import TieredStore

if TYPE_CHECKING:
    from addon.service import Lane, Service

LAST_OCTETS = 30.0
"""Seconds that the end of a recording waits for what is on its way into it; later it still gets there."""

Activity = Literal["record", "replay"]


class RecordingSwitch:
    """What a service answers from: its own store, or a recording."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._library = RecordingLibrary(service.settings.library)
        self._turn = asyncio.Lock()
        self._doing: Activity | None = None
        self._name = ""
        self._ending: set[asyncio.Task[None]] = set()

    async def start(self, doing: Activity, name: str) -> None:
        """Make or replay a recording from now on; one that exists is added to. Raises StoreError."""
        path = self._library.existing(name) if doing == "replay" else self._library.path(name)
        async with self._turn:
            await self._put_back()
            policy = self._service.home.policy
            policy = recording_policy(policy, name) if doing == "record" else replaying_policy(policy, name)
            policy = replace(policy, keying=replace(policy.keying, post_rules=self._service.settings.replay.rules()))
            pinned, memory = await asyncio.to_thread(PinnedStore, path), self._service.settings.memory
            store = TieredStore(pinned, memory.store_size, memory.max_object)
            self._service.take(self._service.lane_on(store, policy, responder=DrainingResponder))
            self._doing, self._name = doing, name

    async def stop(self) -> str:
        """Go back to the service's own store. Return the name of the recording that ends; empty if there was none."""
        async with self._turn:
            name = self._name
            await self._put_back()
            return name

    async def _put_back(self) -> None:
        if self._doing is None:
            return
        ending = asyncio.get_running_loop().create_task(_end(self._service.lane))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        self._service.take(self._service.home)
        # whoever looks into a recording that has ended finds all of it; a replay just goes on for whom it answers
        patience = LAST_OCTETS if self._doing == "record" else 0.0
        self._doing, self._name = None, ""
        self._service.go_by(self._service.policy)  # what was missing before may be fetched now
        await asyncio.wait([ending], timeout=patience)

    async def close(self) -> None:
        """Go back, and wait for nobody any longer."""
        await self.stop()
        for ending in self._ending:
            ending.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)

    # ---- what the command line may ask

    def handlers(self) -> dict[str, Handler]:
        """Return what answers the control commands."""
        return {"record": self._record, "replay": self._replay, "recording": self._recording}

    async def _record(self, arguments: Mapping[str, object]) -> dict[str, object]:
        return await self._asked("record", arguments)

    async def _replay(self, arguments: Mapping[str, object]) -> dict[str, object]:
        return await self._asked("replay", arguments)

    async def _asked(self, doing: Activity, arguments: Mapping[str, object]) -> dict[str, object]:
        match dict(arguments):
            case {"name": str(name)}:
                try:
                    await self.start(doing, name)
                except RecordingError as error:
                    raise ValueError(str(error)) from error
                return {"name": name}
            case {"stop": True}:
                if self._doing != doing:
                    return {"name": ""}
                return {"name": await self.stop()}
        raise ValueError('expected "name" or "stop"')

    async def _recording(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        return {"doing": self._doing, "name": self._name}


async def _end(lane: Lane) -> None:
    """Close a lane as soon as nobody is answered from it any more."""
    try:
        if isinstance(lane.responder, DrainingResponder):
            await lane.responder.settled()
    finally:
        await lane.close()
