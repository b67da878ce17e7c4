"""All settings, checked and frozen, and the policy and options that follow from them. `addon.config.load` reads them.

A validator raises ValueError with the expected value as its text; `addon.config.errors` makes a whole message of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, Strict

from addon.config.access_format import checked_format
from addon.config.addresses import is_loopback, own_authorities, parse_targets
from addon.config.admin import AdminSettings
from addon.config.annotations import AnnotationSettings
from addon.config.cache import CacheSettings
from addon.config.clients import SHIPPED, read_clients
from addon.config.codings import CodingsSettings
from addon.config.http2 import Http2Settings
from addon.config.model import ExistingFile, PathText, RegularExpression, Section, Token
from addon.config.offline import OfflineSettings
from addon.config.origin import OriginSettings
from addon.config.purge import PurgeSettings
from addon.config.recordings import RecordingsSettings, ReplaySettings
from addon.config.site import SiteSettings, rule_table, site_for_any_host, transport_security
from addon.config.site_origins import origin_url
from addon.config.store import MemorySettings, StoreSettings
from addon.config.traces import TracesSettings
from addon.config.trusted_proxies import nobody, trusted_proxy, with_proxies
from addon.config.units import PositiveSeconds, PositiveSize, Seconds
from addon.config.user_folders import ca_directory, expanded
from addon.config.workers import Workers, usable_cores
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
from cache.policy.operator_rules import AnswerRule, AnswerStatus, ClientReload, TargetRules, glob

if TYPE_CHECKING:
    from addon.origin import OriginOptions

_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\s:\[\]]+):(?P<port>[0-9]{1,5})")


def _listen(value: str) -> str:
    match = _LISTEN.fullmatch(value)
    if not match or int(match["port"]) > 65_535:
        raise ValueError('HOST:PORT, like "127.0.0.1:8080" or "[::1]:8080"')
    return value


def _listen_tls(value: str) -> str:
    if value and _listen(value).endswith(":0"):
        raise ValueError("a port from 1 to 65535")
    return value


def _edge(value: str) -> str:
    return origin_url(value) if value else value


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


# a settings file has strings, which strict enums would refuse
AnswerStatusName = Annotated[AnswerStatus, Strict(strict=False)]


class AnswerRuleSettings(Section):
    """One `[[answer.rules]]` table."""

    status: AnswerStatusName
    host: str = "*"
    path: str = "*"
    user_agent: RegularExpression = ""

    def rule(self) -> AnswerRule:
        """Return the rule in the form that the cache policy has."""
        return AnswerRule(self.status, glob(self.host), glob(self.path), re.compile(self.user_agent))


class AnswerSettings(Section):
    """The table `[answer]`: the status and the fields that mark a response from the cache."""

    status: AnswerStatusName = AnswerStatus.AUTO
    clients: ExistingFile = ""
    name: Token = "secondhand"
    cache_status: bool = True
    memento: bool = False
    request_id: bool = False
    server_timing: bool = False
    rules: Annotated[tuple[AnswerRuleSettings, ...], Strict(strict=False)] = ()

    @property
    def own_fields(self) -> tuple[str, ...]:
        """The fields of origins in whose place clients get others."""
        return ("x-request-id",) if self.request_id else ()

    @property
    def client_list(self) -> Path:
        """The file that lists the clients which break on status 203."""
        return expanded(self.clients) if self.clients else SHIPPED


class TlsSettings(Section):
    """The table `[tls]`: the CA that signs certificates for clients, and the hosts that are not intercepted."""

    directory: PathText = ""
    leave_alone: Annotated[tuple[str, ...], Strict(strict=False)] = ()


class LimitSettings(Section):
    """The table `[limits]`: how much of the proxy one client may use, and how large the heads of messages may be."""

    connections_per_client: int = Field(default=1000, ge=0)
    max_head: PositiveSize = 65_536
    max_line: PositiveSize = 32_768
    tunnel_timeout: PositiveSeconds = 600


class LogSettings(Section):
    """The table `[log]`: what is logged, and where."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    access: PathText = ""
    access_format: Annotated[str, AfterValidator(checked_format)] = "common"
    queries: bool = False


class Settings(Section):
    """All settings. Their defaults are those of `config.example.toml`."""

    profile: str = ""
    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8080"
    listen_tls: Annotated[str, AfterValidator(_listen_tls)] = ""
    edge: Annotated[str, AfterValidator(_edge)] = ""
    workers: Workers = 1
    trusted_proxies: Annotated[tuple[Annotated[str, AfterValidator(trusted_proxy)], ...], Strict(strict=False)] = ()
    proxy_protocol: Annotated[bool, AfterValidator(with_proxies)] = False
    forwarded_fields: Annotated[tuple[Literal["x-forwarded", "forwarded"], ...], Strict(strict=False)] = (
        "x-forwarded",
        "forwarded",
    )
    drain_timeout: Seconds = 30.0
    store: StoreSettings = StoreSettings()
    memory: MemorySettings = MemorySettings()
    answer: AnswerSettings = AnswerSettings()
    cache: CacheSettings = CacheSettings()
    codings: CodingsSettings = CodingsSettings()
    offline: OfflineSettings = OfflineSettings()
    origin: OriginSettings = OriginSettings()
    tls: TlsSettings = TlsSettings()
    limits: LimitSettings = LimitSettings()
    http2: Http2Settings = Http2Settings()
    recordings: RecordingsSettings = RecordingsSettings()
    replay: ReplaySettings = ReplaySettings()
    purge: PurgeSettings = PurgeSettings()
    admin: AdminSettings = AdminSettings()
    site: Annotated[tuple[SiteSettings, ...], Strict(strict=False)] = ()
    annotate: Annotated[tuple[AnnotationSettings, ...], Strict(strict=False)] = ()
    log: LogSettings = LogSettings()
    traces: TracesSettings = TracesSettings()

    @property
    def address(self) -> tuple[str, int]:
        """The host (an IPv6 address without brackets) and the port to listen on."""
        return _address(self.listen)

    @property
    def tls_address(self) -> tuple[str, int] | None:
        """The same for clients that use TLS with an edge; None if there is no such listener."""
        return _address(self.listen_tls) if self.listen_tls else None

    @property
    def worker_count(self) -> int:
        """The number of processes that serve clients."""
        return usable_cores() if self.workers == "auto" else self.workers

    @property
    def ca_directory(self) -> Path:
        """The directory of the CA's key and certificate."""
        named = self.tls.directory
        return expanded(named).absolute() if named else ca_directory(self.store.directory)

    @property
    def library(self) -> Path:
        """The directory of the recordings; by default in the directory of the store."""
        path = self.recordings.path
        return expanded(path).absolute() if path else self.store.directory / "recordings"

    @property
    def sites(self) -> tuple[SiteSettings, ...]:
        """The sites of an edge: those of `[[site]]`, or the one that `edge` stands for; none for a forward proxy."""
        return (site_for_any_host(self.edge),) if self.edge else self.site

    @property
    def is_edge(self) -> bool:
        """True for an edge, a gateway before the origins of its sites."""
        return bool(self.edge or self.site)

    @property
    def targeted_fields(self) -> tuple[str, ...]:
        """The targeted fields that apply; by default, CDN-Cache-Control in edge mode (RFC 9213 §3)."""
        unset = "targeted_fields" not in self.cache.model_fields_set
        return ("cdn-cache-control",) if self.is_edge and unset else self.cache.targeted_fields

    @property
    def client_reload(self) -> ClientReload:
        """The effect of a client's `no-cache`; by default, none at an edge while the copy is fresh."""
        unset = "client_reload" not in self.cache.model_fields_set
        return ClientReload.IGNORE_WHEN_FRESH if self.is_edge and unset else self.cache.client_reload

    @property
    def reach(self) -> TargetRules | None:
        """The limits on targets; None in edge mode, and for a proxy that only this machine can reach."""
        origin = self.origin
        if self.is_edge or is_loopback(self.address[0]):
            return None
        return TargetRules(
            parse_targets(origin.refused_targets),
            parse_targets(origin.allowed_targets),
            frozenset(origin.connect_ports),
        )

    def policy(self) -> CachePolicy:
        """Return the policy of the cache. Raises ConfigError if the client list is invalid."""
        answer, cache = self.answer, self.cache
        policy = CachePolicy(
            identity=Identity(
                name=answer.name,
                gateway=self.is_edge,
                via=self.origin.via == "on",
                forwarded=nobody(self.forwarded_fields),
            ),
            requests=RequestPolicy(
                reach=self.reach,
                admin_port=None if self.is_edge else self.admin.port,
                bypass_cookies=frozenset(cache.bypass_cookies),
                fetch_whole=cache.range_fetch == "full",
                client_reload=self.client_reload,
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
                transport_security=transport_security(self.site),
                stripped_fields=(*self.purge.stripped(is_edge=self.is_edge), *answer.own_fields),
                marks_responses=answer.request_id or answer.server_timing or bool(self.traces.endpoint),
            ),
            storing=StoringPolicy(
                captures=self.store.captures,
                set_cookie=cache.set_cookie,
                client_certificate=bool(self.origin.client_certificate),
                content_type_match=cache.content_type_match,
                groups=cache.groups,
                tag_fields=self.purge.tag_fields,
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
            codings=self.codings.policy(is_edge=self.is_edge),
            hosts=tuple(each.rule() for each in cache.hosts),
            site_rules=rule_table(self.sites),
            targeted_fields=self.targeted_fields,
        )
        return self.offline.applied(policy, self.profile)

    def origin_options(self) -> OriginOptions:
        """Return the options for connections to origins."""
        # slow to import, and most commands do not need it
        from addon.config.site_options import site_options
        from addon.origin import OriginOptions

        origin = self.origin
        return OriginOptions(
            resolve_timeout=origin.resolve_timeout,
            connect_timeout=origin.connect_timeout,
            first_byte_timeout=origin.first_byte_timeout,
            between_bytes_timeout=origin.between_bytes_timeout,
            min_rate=origin.min_rate,
            stream_timeout=origin.stream_timeout,
            idle_timeout=origin.idle_timeout,
            max_connections=origin.max_connections,
            http2=origin.http2 == "auto",
            max_head=self.limits.max_head,
            max_line=self.limits.max_line,
            lenient=tuple(map(glob, origin.lenient)),
            ca_files=tuple(str(expanded(file)) for file in origin.ca_files),
            client_certificate=str(expanded(origin.client_certificate)) if origin.client_certificate else "",
            reach=self.reach,
            admin_port=self.admin.port,
            proxy=origin.proxy,
            sites=site_options(self.sites, nobody(self.forwarded_fields), behind_proxies=bool(self.trusted_proxies)),
            own_addresses=own_authorities(*self.address),
        )
