"""`secondhand purge`: delete stored responses, or mark them as stale, in running proxies too."""

from __future__ import annotations

import getpass
import os
import shlex
import time
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption, PrivateOption, StoreOption, load_shared_or_private
from addon.cli.store import open_store
from addon.cli.terminal import print_json, print_line, print_note
from addon.config.settings import Settings
from addon.config.units import size_text
from addon.pipeline.purge_command import described
from addon.pipeline.purge_log import PurgeLog
from addon.pipeline.purge_orders import PurgeOrder, order_of
from addon.runtime.control import GUARD_INTERVAL
from addon.runtime.control_client import running_proxies
from addon.runtime.exit_codes import NOT_FOUND
from cache.stores.disk.directory import is_no_store
from cache.stores.disk.store import DiskStore
from cache.stores.memory import MemoryStore

type _Result = dict[str, object]


def purge(
    url: Annotated[str | None, typer.Argument(metavar="URL", help="A URL, with all its variants.")] = None,
    url_option: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="The same.", show_default=False)
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(metavar="PREFIX", help="All URLs that begin like this; or a path on any host, as /blog/."),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="All URLs, or paths if it begins with /, that match; with * and ?."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(metavar="HOST", help="All URLs of a host, or of HOST:PORT.", show_default=False),
    ] = None,
    site: Annotated[str | None, typer.Option(metavar="HOST", help="All hosts of the site that has this host.")] = None,
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="All responses with a cache tag.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All URLs.")] = False,
    soft: Annotated[bool, typer.Option("--soft", help="Do not delete: send copies while they are validated.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print how many copies and bytes.")] = False,
    config: ConfigOption = None,
    store: StoreOption = None,
    private: PrivateOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete stored responses, in running proxies, too."""
    texts = {"prefix": prefix, "pattern": pattern, "host": host, "site": site, "tag": tag}
    urls = [each for each in (url, url_option) if each is not None]
    arguments: _Result = {name: value for name, value in texts.items() if value is not None}
    arguments |= {"url": urls[0]} if urls else {}
    arguments |= {"all": True} if everything else {}
    if len(arguments) + len(urls[1:]) != 1:
        names = ", ".join(f"--{name}" for name in texts)
        raise typer.BadParameter(f"expected exactly one of a URL, {names} and --all")
    arguments |= {"soft": soft, "dry_run": dry_run, "by": f"the user {_user()}"}
    settings = load_shared_or_private(config, store, private=private).settings
    if site is None:  # the sites of a running proxy are those of its own settings
        _order(arguments, settings)
    result = _purge_in_proxies(settings, arguments) or _purge_in_store(settings, _order(arguments, settings))
    if as_json:
        print_json(result)
    else:
        print_line(_sentence(result, soft=soft, dry_run=dry_run))
    if dry_run and result["copies"] and (command := _listing_command(arguments)):
        print_note(f"this lists them: {command}")
    if not result["copies"]:
        raise typer.Exit(NOT_FOUND)


def _order(arguments: _Result, settings: Settings) -> PurgeOrder:
    """Return the order, which is checked here too: mistakes in it are wrong usage."""
    try:
        return order_of(arguments, settings.policy(), [site.hosts for site in settings.sites])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _sentence(result: _Result, *, soft: bool, dry_run: bool) -> str:
    copies = f"{result['copies']} {'copy' if result['copies'] == 1 else 'copies'}"
    if dry_run:
        return f"{copies}, {size_text(int(str(result.get('size', 0))))}, would be purged"
    return f"{copies} {'marked as stale' if soft else 'deleted'}"


def _listing_command(arguments: _Result) -> str | None:
    """Return the command that lists what a purge covers, or None if no command lists exactly that."""
    match arguments:
        case {"tag": str(tag)}:
            return f"secondhand ls --tag {shlex.quote(tag)}"
        case {"host": str(host)}:
            return f"secondhand ls --host {shlex.quote(host)}"
        case {"all": True}:
            return "secondhand ls"
    return None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container, the user may have no name
        return str(os.getuid())


def _purge_in_store(settings: Settings, order: PurgeOrder) -> _Result:
    """Purge the store itself, since no proxy is running."""
    with open_store(settings) as opened:
        extent = opened.measure(order.scopes) if order.dry_run else opened.purge(order.scopes)
        if isinstance(opened, DiskStore):
            opened.delete_purged()
        if not isinstance(opened, MemoryStore):  # else there is no store
            settings.store.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            PurgeLog(settings.purge.log_file(settings.store.directory), time.time).note(order, extent)
    return described(order, extent)


def _purge_in_proxies(settings: Settings, arguments: _Result) -> _Result | None:
    """Have the running proxies of this store purge. Return what they did, together, or None if none runs."""
    directory = settings.store.directory
    proxies = running_proxies(directory)
    if not proxies and settings.store.kind == "disk" and is_no_store(directory):
        time.sleep(2 * GUARD_INTERVAL)  # a proxy whose directory was removed makes its socket again in this time
        proxies = running_proxies(directory)
    # a purge is true for all proxies on one store, and counts what they have stored just now
    shares = [bool(proxy.ask("commit").get("is_shared")) for proxy in proxies]
    on_disk = [proxy for proxy, is_shared in zip(proxies, shares, strict=True) if is_shared]
    in_memory = [proxy for proxy, is_shared in zip(proxies, shares, strict=True) if not is_shared]
    results = [proxy.ask("purge", **arguments) for proxy in (*on_disk[:1], *in_memory)]
    if not results:
        return None
    numbers = {
        name: sum(int(str(result[name])) for result in results if name in result)
        for name in ("copies", "deleted", "size")
        if any(name in result for result in results)
    }
    return results[0] | numbers
