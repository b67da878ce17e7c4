"""The control command `config`: the settings in force, without secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from addon.config.settings import Settings
from addon.config.shown_settings import shown_settings
from addon.runtime.control import Handler


def settings_handler(settings: Callable[[], Settings]) -> Handler:
    """Return the handler; `settings` returns the settings in force."""

    async def show(_arguments: Mapping[str, object]) -> dict[str, object]:
        return {"settings": shown_settings(settings())}

    return show
