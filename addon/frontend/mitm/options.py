"""The options of the cache inside another mitmproxy (`--set`, config.yaml), and the settings that follow from them."""

from __future__ import annotations

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader

from addon.config.load import MITMPROXY, MITMPROXY_OPTIONS, Configuration, configure
from addon.config.user_folders import expanded

ON, FILE, REPLAY, MODE = "secondhand", "secondhand_config", "secondhand_replay", "secondhand_mode"
"""Names of options. Those that set a key of the settings file are in `MITMPROXY_OPTIONS`, too."""

COLUMNS = "web_columns"
"""mitmweb's own option."""

NAMES = frozenset({ON, FILE, REPLAY, *MITMPROXY_OPTIONS.values()})
"""The names of all options."""


def add_to(loader: Loader) -> None:
    """Add the options to mitmproxy."""
    loader.add_option(ON, bool, True, "secondhand: answer from the cache. When false, flows are left alone.")
    loader.add_option(FILE, str, "", "secondhand: the TOML file with its settings; empty means the usual places.")
    loader.add_option(REPLAY, bool, False, "secondhand: client replay may be answered from the cache, too.")
    loader.add_option(
        MODE, str, "", "secondhand: online, auto or offline, for all hosts; empty means as the settings file has it."
    )
    loader.add_option(
        "secondhand_store", str, "", "secondhand: the directory of the store; empty means as the settings file has it."
    )
    loader.add_option(
        "secondhand_answer",
        str,
        "",
        "secondhand: the status of a copy of a 200: always (203), origin (200), or auto (203 unless the client is known"
        " to fail on it); empty means as the settings file has it.",
    )


def is_on() -> bool:
    """Return whether the cache takes part in new flows."""
    return bool(ctx.options.secondhand)


def show_comments() -> None:
    """Let mitmweb's list of flows have the column of comments, unless its user has chosen the columns."""
    if COLUMNS in ctx.options and not ctx.options.has_changed(COLUMNS):
        ctx.options.update(**{COLUMNS: [*ctx.options.web_columns, "comment"]})


def answers_replays() -> bool:
    """Return whether requests of client replay may be answered from the cache."""
    return bool(ctx.options.secondhand_replay)


def configuration() -> Configuration:
    """Return the settings that the options name. Raises ConfigError."""
    overrides: dict[str, dict[str, str]] = {}
    for key, option in MITMPROXY_OPTIONS.items():
        if value := getattr(ctx.options, option):
            table, name = key.split(".")
            overrides[table] = {name: value}
    file = ctx.options.secondhand_config
    return configure(expanded(file) if file else None, overrides, overrides_from=MITMPROXY)
