"""`secondhand page`: open the page of the running proxy in a browser."""

from __future__ import annotations

import html
import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit

import typer

from addon.cli.find_proxy import running_or_fail
from addon.cli.options import ConfigOption, StoreOption, load_configuration
from addon.cli.terminal import fail, print_line, print_note
from addon.runtime.exit_codes import FAILED
from addon.runtime.listen_address import proxy_url
from addon.runtime.token_file import TokenFile
from addon.serve.admin.page.address import FOLDER

OPENING = "admin-page.html"
"""The file in the directory of the store that leads a browser to the page."""


def page(
    print_url: Annotated[
        bool, typer.Option("--print-url", help="Only print its address. Who has the address controls the proxy.")
    ] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
) -> None:
    """Open the page of the running proxy in a browser.

    It shows what is cached and why, what is missing offline, and each request as it is answered.
    """
    directory, proxies = running_or_fail(config, store)
    place = proxies[0].ask("status").get("admin")  # an older version of the program has none
    url = _url(str(place or ""), load_configuration(config, store).settings.admin.token(directory))
    if print_url:
        print_line(url)
    elif not _has_browser() or not _open(directory / OPENING, url):
        print_note("there is no browser to open here; this is the address of the page")
        print_line(url)


def _url(place: str, file: Path) -> str:
    """Return the address of the page, with the token in a file. Ends the command if there is none."""
    if not place.startswith("http"):
        found = f"listens on {place}, which browsers cannot open" if place else "has no admin listener"
        fail(f'the proxy {found}: a setting like admin.listen = "127.0.0.1:0" changes that', FAILED)
    token = TokenFile(file).read()
    if token is None:
        fail(f"the token cannot be read: {file}", FAILED)
    address = urlsplit(place)
    return f"{proxy_url(str(address.hostname), address.port or 0)}{FOLDER}#token={quote(token, safe='')}"


def _has_browser() -> bool:
    """Return whether a browser with windows may be there; others, in a terminal, run no JavaScript."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _open(file: Path, url: str) -> bool:
    """Have a browser open a file that leads to the URL: other users of this machine can see arguments of programs."""
    file.unlink(missing_ok=True)
    leading = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={html.escape(url)}">'
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(f"{leading}<title>secondhand</title>\n")
    return webbrowser.open(file.as_uri())
