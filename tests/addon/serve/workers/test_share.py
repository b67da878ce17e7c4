"""The settings of one of several workers."""

from __future__ import annotations

from addon.config.settings import Settings
from addon.serve.workers.share import share_of


def test_memory_is_divided_and_one_worker_fetches_the_queue() -> None:
    settings = Settings.model_validate(
        {"workers": 4, "memory": {"max_size": 4_000_000, "max_object": 2_000_000}, "offline": {"queue": True}}
    )
    shares = [share_of(settings, number) for number in range(4)]
    assert [each.memory.max_size for each in shares] == [1_000_000] * 4
    assert [each.memory.max_object for each in shares] == [1_000_000] * 4
    assert [each.offline.queue for each in shares] == [True, False, False, False]
    assert {each.store for each in shares} == {settings.store}
