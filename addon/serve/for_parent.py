"""The private proxy of `secondhand run` and `secondhand doctor`: a child process of theirs.

The parent process holds the other end of standard input. So the proxy also ends when the parent is killed.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import replace

from addon.config.load import Configuration
from addon.config.private_store import configure_private
from addon.config.settings import Settings
from addon.programs.run.private_proxy import SHUTDOWN_TIMEOUT, PrivateOptions
from addon.runtime.signals import operator_signals
from addon.serve.failures import message_and_exit_code
from addon.serve.inherited_sockets import InheritedSockets, inherited_socket
from addon.serve.messages import print_error
from addon.serve.start import serve
from cache.policy.operator_rules import Mode


def main(options: str) -> int:
    """Run the proxy until standard input ends; `options` are those of PrivateOptions. Return the exit code."""
    operator_signals.catch()
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    try:
        return _serve(PrivateOptions.from_line(options))
    except Exception as error:  # of any kind: those that people cannot run into are raised again
        if (expected := message_and_exit_code(error)) is None:
            raise
        message, exit_code = expected
        print_error(message)
        return exit_code


def _serve(options: PrivateOptions) -> int:
    inherited = InheritedSockets() if options.listen_on is None else inherited_socket(options.listen_on)
    listening: dict[str, object] = {
        "listen": inherited.listen or "127.0.0.1:0",
        "listen_tls": "",
        "workers": 1,
        "admin": {"listen": "off"},
        "drain_timeout": SHUTDOWN_TIMEOUT / 2,  # the rest is for the store to be written
        "cache": {"mode": Mode.OFFLINE if options.offline else Mode.AUTO},
    }

    def load() -> Configuration:
        configuration = configure_private(
            options.config,
            options.store,
            options.profile,
            record=options.record,
            replay=options.replay,
            overrides=listening,
        )
        return replace(configuration, settings=_adapted(configuration.settings, options))

    return serve(load().settings, load, inherited=inherited, lasting=False)


def _stop_at_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _adapted(settings: Settings, options: PrivateOptions) -> Settings:
    """Return the settings with the CAs of the command, and with a log that says what went wrong while it ran."""
    log = settings.log.model_copy(update={"level": "debug" if settings.log.level == "debug" else "info"})
    origin = settings.origin
    if options.origin_ca_file:
        origin = origin.model_copy(update={"ca_files": (*origin.ca_files, options.origin_ca_file)})
    return settings.model_copy(update={"log": log, "origin": origin})
