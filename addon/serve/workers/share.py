"""The settings of one worker: its share of what the settings give to the whole proxy."""

from __future__ import annotations

from addon.config.settings import Settings


def share_of(settings: Settings, number: int) -> Settings:
    """Return the settings of the worker with this number; they are counted from 0."""
    workers, memory = settings.worker_count, settings.memory
    share = memory.max_size // workers
    return settings.model_copy(
        update={
            "memory": memory.model_copy(update={"max_size": share, "max_object": min(memory.max_object, share)}),
            # one worker fetches what was missing; the others note it in the same file
            "offline": settings.offline.model_copy(update={"queue": settings.offline.queue and number == 0}),
        }
    )
