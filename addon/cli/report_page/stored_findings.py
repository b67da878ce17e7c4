"""Mistakes in the caching fields of stored responses, counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from addon.cli.store import open_store
from addon.config.settings import Settings
from addon.origin.lint import CheckedResponse, Finding, own_findings
from cache.http.messages import Received
from cache.policy.cache_policy import CachePolicy
from cache.rules.coded_forms import is_form
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore

MAX_CHECKED = 5_000
"""Stored responses that are checked; the report must not take long for a large store."""

MAX_HOSTS = 3
"""Hosts that a row names, those with the most responses."""


@dataclass(frozen=True, slots=True)
class CountedFinding:
    """One kind of finding."""

    finding: Finding
    responses: int
    hosts: tuple[str, ...]
    """The hosts with the most of these responses, at most MAX_HOSTS."""


@dataclass(frozen=True, slots=True)
class StoredFindings:
    """The findings about all responses that were checked."""

    checked: int
    """The number of these responses."""
    found: Sequence[CountedFinding]
    """Those with the most responses first."""


def stored_findings(settings: Settings) -> StoredFindings:
    """Check stored responses, at most MAX_CHECKED. Raises StoreError."""
    if settings.store.kind != "disk":
        return StoredFindings(0, ())
    with open_store(settings) as store:
        return _counted(store, settings.policy())


def _counted(store: ResponseStore, policy: CachePolicy) -> StoredFindings:
    hosts: dict[Finding, Counter[str]] = defaultdict(Counter)
    checked = 0
    for entry in islice((entry for entry in store.entries() if not is_form(entry)), MAX_CHECKED):
        checked += 1
        for finding in dict.fromkeys(own_findings(_examined(entry), policy)):
            hosts[finding][urlsplit(entry.key).netloc] += 1
    found = [
        CountedFinding(finding, counted.total(), tuple(host for host, _ in counted.most_common(MAX_HOSTS)))
        for finding, counted in hosts.items()
    ]
    return StoredFindings(checked, sorted(found, key=lambda each: -each.responses))


def _examined(entry: StoredResponse) -> CheckedResponse:
    return CheckedResponse(Received(entry.head, entry.request_time, entry.response_time))
