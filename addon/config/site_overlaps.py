"""Checks all `[[site]]` tables together: which of them answers for a host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from addon.config.errors import ConfigError, Fault
from addon.config.site import SiteSettings
from cache.http.host_table import ANY_HOST, WILDCARD, HostTable


def refuse_overlaps(sites: Sequence[SiteSettings], edge: str, source: str) -> None:
    """Raise ConfigError if two tables have the same host, or if there are sites and an `edge`.

    Args:
        sites: The tables.
        edge: The value of the setting `edge`.
        source: Where the tables come from.
    """
    if sites and edge:
        problem = f'found [[site]] and edge = "{edge}", expected one of them: edge is the short form of a single site'
        raise ConfigError(Fault(source, "site", problem))
    first: dict[str, int] = {}
    faults = []
    for number, site in enumerate(sites, 1):
        for host in site.hosts:
            before = first.setdefault(host, number)
            if before != number:
                problem = f'found "{host}", which site#{before}.hosts has already, expected each host in one site'
                faults.append(Fault(source, f"site#{number}.hosts", problem))
    if faults:
        raise ConfigError(*faults)


def overlaps(sites: Sequence[SiteSettings]) -> Iterator[str]:
    """Return a sentence for each host that several patterns match: which site answers for it."""
    patterns = [(host, number) for number, site in enumerate(sites, 1) for host in site.hosts if host != ANY_HOST]
    wildcards = HostTable((host, (host, number)) for host, number in patterns if host.startswith(WILDCARD))
    for host, number in patterns:
        wider = wildcards.find(host.removeprefix(WILDCARD))
        if wider is None:
            continue
        pattern, other = wider
        if other == number:
            yield f"site#{number}: {host} is not needed, since the same site has {pattern}"
        else:
            yield f"site#{number} answers for {host}, although {pattern} of site#{other} matches it, too"
