"""Settings that are read again while the proxy runs: all of them come into force, or none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from mitmproxy import exceptions

from addon.config.errors import ConfigError
from addon.config.load import Configuration
from addon.config.redaction import redaction
from addon.config.reload import ReadSettings, refuse_fixed
from addon.serve.front_end import access_log
from addon.serve.proxy import Proxy

if TYPE_CHECKING:
    from addon.frontend.mitm.serve.serving import MitmproxyServer

logger = logging.getLogger(__name__)


def reload(proxy: Proxy | MitmproxyServer, load: Callable[[], Configuration], in_force: ReadSettings) -> ReadSettings:
    """Read the settings again and use them, or log what is wrong with them and change nothing.

    `in_force` are those that the proxy uses. Returns those that it uses afterwards.
    """
    proxy.reopen_log()
    old = in_force.settings
    try:
        new = load()
        refuse_fixed(old, new)
        settings = new.settings
        read = ReadSettings.of(settings)
        proxy.reload(settings, access_log(settings) if settings.log != old.log else proxy.access_log)
        logging.getLogger().setLevel(settings.log.level.upper())
        redaction.shows_queries = settings.log.queries
    except (ConfigError, ValueError, OSError, exceptions.OptionsError) as error:
        for line in str(error).splitlines():
            logger.error("settings not reloaded: %s", line)
        return in_force
    logger.warning("settings reloaded: %s", read.changes_from(in_force))
    return read
