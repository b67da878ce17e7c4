"""What an operator can set, checked and frozen. `addon.config.load` reads it; here is what it means.

A validator's ValueError says what was expected; the message around it is made in `addon.config.errors`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, Strict

from addon.config.addresses import is_loopback, own_authorities, targets
from addon.config.annotations import Annotation
from addon.config.cache import CacheSettings
from addon.config.clients import SHIPPED, RegularExpression, Token, read_clients
from addon.config.offline import OfflineSettings
from addon.config.origin import ExistingFile, OriginSettings
from addon.config.recordings import Recordings, Replay
from addon.config.section import Section
from addon.config.store import MemorySettings, StoreSettings
from cache.http.messages import DEFAULT_PORTS
from cache.policy.cache_policy import (
    CachePolicy,
    FreshnessPolicy,
    Identity,
    KeyPolicy,
    NetworkPolicy,
    Presentation,
    RequestPolicy,
    StoringPolicy,
)
from cache.policy.rules import AnswerRule, AnswerStatus, Reach, glob

if TYPE_CHECKING:
    from addon.origin import OriginOptions

_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\s:\[\]]+):(?P<port>[0-9]{1,5})")

_ORIGIN = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(:[0-9]{1,5})?/?")


def _listen(value: str) -> str:
    match = _LISTEN.fullmatch(value)
    if not match or int(match["port"]) > 65_535:
        raise ValueError('HOST:PORT, like "127.0.0.1:8080" or "[::1]:8080"')
    return value


def _edge(value: str) -> str:
    if value and not _ORIGIN.fullmatch(value):
        raise ValueError('an origin like "http://127.0.0.1:8000" or "https://app.example", or nothing')
    return value


# settings files say these as strings, which strict enums would refuse
AnswerStatusName = Annotated[AnswerStatus, Strict(strict=False)]


class Rule(Section):
    """One `[[answer.rules]]` table."""

    status: AnswerStatusName
    host: str = "*"
    path: str = "*"
    user_agent: RegularExpression = ""

    def rule(self) -> AnswerRule:
        """Return the rule as the cache takes it."""
        return AnswerRule(self.status, glob(self.host), glob(self.path), re.compile(self.user_agent))


class Answer(Section):
    """What is said on an answer from a copy."""

    status: AnswerStatusName = AnswerStatus.AUTO
    clients: ExistingFile = ""
    name: Token = "secondhand"
    cache_status: bool = True
    memento: bool = False
    rules: Annotated[tuple[Rule, ...], Strict(strict=False)] = ()

    @property
    def client_list(self) -> Path:
        """The file that lists the clients which cannot take a 203."""
        return Path(self.clients).expanduser() if self.clients else SHIPPED


class Tls(Section):
    """Which certificate authority answers for the sites a client visits."""

    directory: str = "~/.mitmproxy"
    leave_alone: Annotated[tuple[str, ...], Strict(strict=False)] = ()

    @property
    def ca_directory(self) -> Path:
        """The directory that holds the authority's key and certificate."""
        return Path(self.directory).expanduser().absolute()


class LimitSettings(Section):
    """What one client may take of the proxy."""

    connections_per_client: int = Field(default=1000, ge=0)


class LogSettings(Section):
    """What is written down, and where."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    access: str = ""


class Settings(Section):
    """Everything an operator can set. Defaults are those of `config.example.toml`."""

    profile: str = ""
    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8080"
    edge: Annotated[str, AfterValidator(_edge)] = ""
    store: StoreSettings = StoreSettings()
    memory: MemorySettings = MemorySettings()
    answer: Answer = Answer()
    cache: CacheSettings = CacheSettings()
    offline: OfflineSettings = OfflineSettings()
    origin: OriginSettings = OriginSettings()
    tls: Tls = Tls()
    limits: LimitSettings = LimitSettings()
    recordings: Recordings = Recordings()
    replay: Replay = Replay()
    annotate: Annotated[tuple[Annotation, ...], Strict(strict=False)] = ()
    log: LogSettings = LogSettings()

    @property
    def address(self) -> tuple[str, int]:
        """The host (an IPv6 address without its brackets) and port to listen on."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def library(self) -> Path:
        """The directory of the recordings; beside the copies where none is named."""
        named = self.recordings.path
        return Path(named).expanduser().absolute() if named else self.store.directory / "recordings"

    @property
    def backend(self) -> tuple[str, str, int] | None:
        """Scheme, host and port of the one origin behind an edge; None for a forward proxy."""
        if not self.edge:
            return None
        parts = urlsplit(self.edge)
        return parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]

    @property
    def targeted_fields(self) -> tuple[str, ...]:
        """The targeted fields that apply: where nothing is set, an edge heeds CDN-Cache-Control (RFC 9213 §3)."""
        unset = "targeted_fields" not in self.cache.model_fields_set
        return ("cdn-cache-control",) if self.edge and unset else self.cache.targeted_fields

    @property
    def reach(self) -> Reach | None:
        """Where others may have this proxy go; None for an edge, and where only this machine can reach it."""
        origin = self.origin
        if self.edge or is_loopback(self.address[0]):
            return None
        return Reach(targets(origin.refused_targets), targets(origin.allowed_targets), frozenset(origin.connect_ports))

    def policy(self) -> CachePolicy:
        """Return what the rules of the cache go by. Raises ConfigError if the client list cannot be used."""
        answer, cache = self.answer, self.cache
        policy = CachePolicy(
            identity=Identity(name=answer.name, gateway=bool(self.edge)),
            requests=RequestPolicy(
                reach=self.reach,
                bypass_cookies=frozenset(cache.bypass_cookies),
                fetch_whole=cache.range_fetch == "full",
                client_reload=cache.client_reload,
                strict_host=cache.strict_host,
            ),
            presentation=Presentation(
                status=answer.status,
                status_rules=tuple(rule.rule() for rule in answer.rules),
                clients=tuple(client.rule() for client in read_clients(answer.client_list)),
                annotations=tuple(annotation.rule() for annotation in self.annotate),
                cache_status=answer.cache_status,
                memento=answer.memento,
                strip_targeted=cache.strip_targeted,
            ),
            storing=StoringPolicy(
                captures=self.store.captures,
                set_cookie=cache.set_cookie,
                client_certificate=bool(self.origin.client_certificate),
                content_type_match=cache.content_type_match,
                groups=cache.groups,
            ),
            network=NetworkPolicy(
                mode=cache.mode, host_modes=tuple((glob(each.host), each.mode) for each in cache.modes)
            ),
            freshness=FreshnessPolicy(
                lifetimes=tuple(each.rule() for each in cache.lifetimes),
                heuristic_max=int(cache.heuristic_max),
                heuristic_query=cache.heuristic_query,
                conservative_age=cache.age_formula == "conservative",
                max_stale_disconnected=int(cache.max_stale_disconnected),
                stale_on_5xx=cache.stale_on_5xx,
                s_maxage_allows_stale=cache.s_maxage_allows_stale,
            ),
            keying=KeyPolicy(
                partition=cache.partition,
                no_vary_search=cache.no_vary_search,
                vary_language_order=cache.vary_lang_order == "count",
            ),
            hosts=tuple(each.rule() for each in cache.hosts),
            targeted_fields=self.targeted_fields,
        )
        return self.offline.applied(policy, self.profile)

    def origin_options(self) -> OriginOptions:
        """Return how to reach origins."""
        from addon.origin import OriginOptions  # only a proxy needs it, a command line does not

        origin = self.origin
        return OriginOptions(
            connect_timeout=origin.connect_timeout,
            first_byte_timeout=origin.first_byte_timeout,
            between_bytes_timeout=origin.between_bytes_timeout,
            idle_timeout=origin.idle_timeout,
            max_connections=origin.max_connections,
            ca_files=tuple(str(Path(file).expanduser()) for file in origin.ca_files),
            client_certificate=str(Path(origin.client_certificate).expanduser()) if origin.client_certificate else "",
            reach=self.reach,
            proxy=origin.proxy,
            backend=self.backend,
            own_addresses=own_authorities(*self.address),
        )
