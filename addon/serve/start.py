"""The start of the proxy: checks, the sockets for clients, and then one process or several."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace

from mitmproxy import exceptions

from addon.config.errors import ConfigError
from addon.config.load import Configuration
from addon.config.redaction import redaction
from addon.config.settings import Settings
from addon.frontend.mitm.serve.scripts_and_modes import ScriptsAndModes
from addon.runtime.event_loop import run
from addon.runtime.exit_codes import FAILED, WRONG_USAGE
from addon.runtime.temporary_files import use_for_temporary_files
from addon.serve.admin.sockets import admin_sockets, with_address
from addon.serve.front_end import known_certificates, tls_of
from addon.serve.inherited_sockets import InheritedSockets
from addon.serve.launch import Launch
from addon.serve.listening_sockets import CannotListen, close_all, sockets_for
from addon.serve.messages import print_error
from addon.serve.one_process import serve_in_this_process
from addon.serve.own_ca import make_ca
from addon.serve.process_limits import allow_many_connections

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

LOG_FORMAT_OF_WORKERS = "%(asctime)s [%(process)d] %(levelname)s %(name)s: %(message)s"
"""With several processes, each line tells which of them has written it."""


def serve(
    settings: Settings,
    load: Callable[[], Configuration],
    *,
    inherited: InheritedSockets | None = None,
    mitmproxy: ScriptsAndModes | None = None,
    lasting: bool = True,
) -> int:
    """Run the proxy until it is stopped.

    Args:
        settings: The operator's settings.
        load: Reads them again, at each SIGHUP. Raises ConfigError.
        inherited: Sockets that this process was given; they take the place of those that the settings name.
        mitmproxy: Listen with mitmproxy in place of our front end, with these scripts and modes.
        lasting: The proxy outlives a single command. Otherwise it tells the parent process where it is.

    Returns:
        The exit code: 0, 1 if it cannot run, 2 for invalid settings.
    """
    inherited = inherited or InheritedSockets()
    redaction.install()
    redaction.shows_queries = settings.log.queries
    log_format = LOG_FORMAT_OF_WORKERS if settings.worker_count > 1 else LOG_FORMAT
    logging.basicConfig(level=settings.log.level.upper(), format=log_format, stream=sys.stderr)
    logging.getLogger("hpack").setLevel(logging.WARNING)  # below, it logs fields with their values
    with ExitStack() as at_end:
        try:
            sockets = sockets_for(settings, inherited.sockets) if mitmproxy is None or mitmproxy.use_listen else []
            at_end.callback(close_all, sockets)
            admin = admin_sockets(settings, inherited.admin)
            at_end.callback(close_all, admin)
        except CannotListen as error:
            print_error(str(error))
            return FAILED
        asked = settings.admin.listen

        def load_again() -> Configuration:
            configuration = load()
            return replace(configuration, settings=with_address(configuration.settings, asked, admin))

        settings = with_address(settings, asked, admin)
        return _run(Launch(settings, load_again, sockets, admin, lasting=lasting, inherited=inherited), mitmproxy)


def _run(launch: Launch, mitmproxy: ScriptsAndModes | None) -> int:
    """Serve clients until the proxy is stopped. Return the exit code."""
    settings = launch.settings
    allow_many_connections()
    with suppress(OSError):  # without its store, the proxy may still serve
        use_for_temporary_files(lambda: settings.store.directory)
    try:
        make_ca(settings)
        if settings.worker_count > 1:
            tls_of(settings, known_certificates(), time.time)  # the workers that are forked share what it reads
            from addon.serve.workers.supervisor import supervise  # one process needs none

            return supervise(launch)
        if mitmproxy:
            close_all(launch.sockets)  # it binds its own
        return run(serve_in_this_process(launch, mitmproxy))
    except (ConfigError, ValueError, exceptions.OptionsError) as error:
        print_error(str(error))
        return WRONG_USAGE
