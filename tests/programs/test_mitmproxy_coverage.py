"""Every option of mitmproxy is in a row of a table that compares it with and without the cache, or has its reason."""

from __future__ import annotations

import asyncio

from mitmproxy import options
from mitmproxy.tools.console.master import ConsoleMaster
from mitmproxy.tools.dump import DumpMaster
from mitmproxy.tools.web.master import WebMaster

from tests.programs import test_mitmproxy_connections, test_mitmproxy_options, test_mitmproxy_replays

ROWS = (
    *test_mitmproxy_options.CASES,
    *test_mitmproxy_connections.TLS,
    *test_mitmproxy_connections.CONNECTIONS,
    *test_mitmproxy_replays.CASES,
)

ELSEWHERE = {
    "client_certs": "test_mitmproxy_ways_out.py",
    "client_replay": "test_mitmproxy_replays.py",
    "client_replay_concurrency": "test_mitmproxy_replays.py",
    "confdir": "mitmproxy_runs.py sets it for every row",
    "hardump": "test_mitmproxy_replays.py",
    "http_connect_send_host_header": "test_mitmproxy_ways_out.py",
    "intercept": "test_mitmproxy_scripts.py",
    "intercept_active": "test_mitmproxy_scripts.py",
    "listen_host": "mitmproxy_runs.py sets it for every row",
    "listen_port": "mitmproxy_runs.py sets it for every row",
    "onboarding_host": "test_mitmproxy_scripts.py",
    "readfile_filter": "test_mitmproxy_replays.py",
    "rfile": "test_mitmproxy_replays.py",
    "save_stream_file": "mitmproxy_runs.py sets it for every row",
    "scripts": "test_mitmproxy_scripts.py",
    "server": "test_mitmproxy_replays.py",
    "ssl_insecure": "test_mitmproxy_ways_out.py",
    "ssl_verify_upstream_trusted_ca": "mitmproxy_runs.py sets it for every row",
    "tls_version_client_max": "test_mitmproxy_connections.py",
    "tls_version_client_min": "test_mitmproxy_connections.py",
    "tls_version_server_max": "test_mitmproxy_connections.py",
    "tls_version_server_min": "test_mitmproxy_connections.py",
    "upstream_auth": "test_mitmproxy_ways_out.py",
    "web_columns": "test_mitmweb.py",
}
"""Options that a test shows which is no row of a table."""

OF_THE_DISPLAY = "it concerns only what mitmproxy displays"
OF_THE_SIGNER = "it names a CA key that is known to be compromised, which no test should sign with"

WITHOUT_TRAFFIC = {
    "command_history": OF_THE_DISPLAY,
    "content_view_lines_cutoff": OF_THE_DISPLAY,
    "emudhra": OF_THE_SIGNER,
    "emudhra_old": OF_THE_SIGNER,
    "export_preserve_original_ip": "it concerns only the text of exported commands",
    "protobuf_definitions": OF_THE_DISPLAY,
    "server_replay_nopop": "deprecated: mitmproxy ends when it is set",
}
"""Options without a row, each with the reason."""

DISPLAYS = ("console_", "view_", "web_")
"""Beginnings of the names of options that concern only what mitmproxy displays."""


def _options() -> set[str]:
    async def collect() -> set[str]:
        found: set[str] = set()
        for kind in (ConsoleMaster, DumpMaster, WebMaster):
            master = kind(options.Options())
            found |= set(master.options.keys())
        return found

    return asyncio.run(collect())


def test_every_option_is_compared_or_has_a_reason() -> None:
    compared = " ".join(" ".join((row.name, *row.options)) for row in ROWS)

    missing = {
        name
        for name in _options()
        if name not in compared.replace("-", "_")
        and name not in ELSEWHERE
        and name not in WITHOUT_TRAFFIC
        and not name.startswith(DISPLAYS)
    }

    assert not missing
