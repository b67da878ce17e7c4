"""Scopes of purges: the stored responses that a purge covers. Each has a text, which a table of purges stores.

Some scopes are names: of all, of a host, of a URL, of a tag. A stored response knows its names, so that it can look
them up among any number of purges. All other scopes are conditions, which each stored response is compared with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache

import msgspec

from cache.http.fields import media_type
from cache.http.messages import host_in_uri, normalised_host
from cache.rules.stored_response import StoredResponse

ALL = "all"
"""The name of every stored response."""

TAG = "tag:"
"""The beginning of the name of a cache tag."""

_HOST, _URL, _WHERE, _SOFT = "host:", "url:", "where:", "soft "
_END = "\U0010ffff"
WILD = re.compile(r"[*?\[]")
"""A character that is not for itself in a pattern."""


def host_name(host: str) -> str:
    """Return the name of a host, given in any letter case, with or without brackets or a final dot."""
    return f"{_HOST}{normalised_host(host).strip('[]')}"


def url_name(key: str) -> str:
    """Return the name of all that is stored under a primary key."""
    return f"{_URL}{key}"


def tag_name(tag: str) -> str:
    """Return the name of a cache tag."""
    return f"{TAG}{tag}"


def names_of(key: str) -> tuple[str, ...]:
    """Return the names of what is stored under a primary key, apart from that of the key itself."""
    return _names_of_authority(authority_and_target(key)[0])


def all_names_of(key: str) -> tuple[str, ...]:
    """Return the names of what is stored under a primary key, with that of the key itself."""
    return (*names_of(key), url_name(key))


@lru_cache(maxsize=4096)
def _names_of_authority(authority: str) -> tuple[str, ...]:
    return ALL, host_name(host_of(authority))


def authority_and_target(key: str) -> tuple[str, str]:
    """Return the authority in a primary key, and what follows it."""
    authority, slash, rest = key.partition("://")[2].partition("/")
    return authority, slash + rest


def host_of(authority: str) -> str:
    """Return the host in an authority, an IPv6 address without its brackets."""
    return authority[1:].partition("]")[0] if authority[:1] == "[" else authority.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Scope:
    """All that has a name."""

    name: str
    soft: bool = False
    """The covered responses become stale, and are not deleted."""

    @property
    def text(self) -> str:
        """The text of the scope."""
        return f"{_SOFT}{self.name}" if self.soft else self.name

    @property
    def tag(self) -> str | None:
        """The cache tag, if the scope is one."""
        return self.name[len(TAG) :] if self.name.startswith(TAG) else None

    @property
    def key(self) -> str | None:
        """The primary key, if the scope is a URL."""
        return self.name[len(_URL) :] if self.name.startswith(_URL) else None

    @property
    def is_range(self) -> bool:
        """True if all keys in the key ranges are covered, and no others."""
        return self.tag is None

    @property
    def needs_entry(self) -> bool:
        """True if a stored response has to be looked at to say if it is covered: its key is not enough."""
        return self.tag is not None

    def may_cover(self, key: str) -> bool:
        """Return whether something under a key is covered, as far as the key says."""
        return self.needs_entry or self.name in all_names_of(key)

    def covers(self, entry: StoredResponse) -> bool:
        """Return whether a stored response is covered."""
        if self.tag is not None:
            return bool(self.tag) and self.tag in entry.tags.split("\n")
        return self.may_cover(entry.key)

    def key_ranges(self) -> tuple[tuple[str, str], ...]:
        """Return the ranges (first key, key after the last) of the keys that may be covered, in the order of text."""
        if self.key is not None:
            return ((self.key, f"{self.key}\0"),)
        if not self.name.startswith(_HOST):
            return (("", _END),)
        host = self.name[len(_HOST) :]
        authority = host_in_uri(host)
        # behind the name comes "/" or ":", and the next characters after these are "0" and ";"
        return tuple(
            (f"{scheme}://{authority}{first}", f"{scheme}://{authority}{next_one}")
            for scheme in ("http", "https")
            for first, next_one in (("/", "0"), (":", ";"))
        )


class Conditions(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Shell patterns (`*`, `?`, `[...]`); of each kind that is given, one has to match."""

    urls: tuple[str, ...] = ()
    """For the whole primary key."""
    hosts: tuple[str, ...] = ()
    """For the host without its port."""
    other_hosts: tuple[str, ...] = ()
    """Hosts that are not covered, although `hosts` match them."""
    targets: tuple[str, ...] = ()
    """For path and query."""
    types: tuple[str, ...] = ()
    """For the media type."""
    tags: tuple[str, ...] = ()
    """For one of the cache tags."""


@dataclass(frozen=True, slots=True)
class Where(Scope):
    """All that meets conditions. Make it with `where`."""

    conditions: Conditions = field(default_factory=Conditions)
    _compiled: _Compiled = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the patterns once: each response that is read is compared with them."""
        object.__setattr__(self, "_compiled", _Compiled(self.conditions))

    @property
    def is_range(self) -> bool:
        """True if all keys in the key ranges are covered, and no others."""
        return False

    @property
    def needs_entry(self) -> bool:
        """True if a stored response has to be looked at to say if it is covered: its key is not enough."""
        return bool(self.conditions.types or self.conditions.tags)

    def may_cover(self, key: str) -> bool:
        """Return whether something under a key is covered, as far as the key says."""
        wanted = self._compiled
        if wanted.urls is not None and wanted.urls.fullmatch(key) is None:
            return False
        authority, target = authority_and_target(key)
        host = host_of(authority)
        return (
            _matches(host, wanted.hosts)
            and not (wanted.other_hosts is not None and _matches(host, wanted.other_hosts))
            and _matches(target, wanted.targets)
        )

    def covers(self, entry: StoredResponse) -> bool:
        """Return whether a stored response is covered."""
        wanted = self._compiled
        if not self.may_cover(entry.key):
            return False
        if wanted.types and not _matches(media_type(entry.head.fields.get("content-type")), wanted.types):
            return False
        return not wanted.tags or any(_matches(tag, wanted.tags) for tag in entry.tags.split("\n") if tag)

    def key_ranges(self) -> tuple[tuple[str, str], ...]:
        """Return the ranges (first key, key after the last) of the keys that may be covered, in the order of text."""
        wanted = self.conditions
        if wanted.urls:
            starts = {WILD.split(each, maxsplit=1)[0] for each in wanted.urls}
            return tuple((start, f"{start}{_END}") for start in sorted(starts)) if len(starts) == 1 else (("", _END),)
        if wanted.hosts and not any(map(WILD.search, wanted.hosts)):
            return tuple(each for host in sorted(set(wanted.hosts)) for each in Scope(host_name(host)).key_ranges())
        return (("", _END),)


def where(conditions: Conditions, *, soft: bool = False) -> Where:
    """Return the scope of all that meets these conditions."""
    return Where(f"{_WHERE}{msgspec.json.encode(conditions).decode()}", soft, conditions)


def ranges_of(scopes: Sequence[Scope]) -> list[tuple[str, str]]:
    """Return ranges, as `Scope.key_ranges` does, in which all lies that these scopes may cover; none overlap."""
    return sorted(set(scopes[0].key_ranges())) if len(scopes) == 1 else [("", _END)]


def scope_of(text: str) -> Scope:
    """Return the scope with a text. One that cannot be read is everything, since it may be: nothing purged is used."""
    soft, name = text.startswith(_SOFT), text.removeprefix(_SOFT)
    if name.startswith(_WHERE):
        try:
            return Where(name, soft, msgspec.json.decode(name[len(_WHERE) :], type=Conditions))
        except msgspec.MsgspecError:
            return Scope(ALL, soft)
    return Scope(name if name.startswith((_HOST, _URL, TAG)) else ALL, soft)


def literal(text: str) -> str:
    """Return the pattern that matches a text alone."""
    return WILD.sub(lambda found: f"[{found[0]}]", text)


type _Pattern = re.Pattern[str] | None
"""One regular expression for all patterns of a kind; None if there are none, so that everything matches."""


def _matches(text: str, pattern: _Pattern) -> bool:
    return pattern is None or pattern.fullmatch(text) is not None


def _compiled(patterns: Sequence[str]) -> _Pattern:
    # `translate` makes atomic groups of what follows "*", so that a match takes linear time
    return re.compile("|".join(map(translate, patterns))) if patterns else None


class _Compiled:
    """Conditions whose patterns are compiled."""

    __slots__ = ("hosts", "other_hosts", "tags", "targets", "types", "urls")

    def __init__(self, conditions: Conditions) -> None:
        self.urls, self.targets = _compiled(conditions.urls), _compiled(conditions.targets)
        self.hosts, self.other_hosts = _compiled(conditions.hosts), _compiled(conditions.other_hosts)
        self.types, self.tags = _compiled(conditions.types), _compiled(conditions.tags)
