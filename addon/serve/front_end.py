"""The front end behind the public listener, built from the settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

from addon.config.errors import ConfigError, Fault
from addon.config.settings import Settings
from addon.config.user_folders import expanded
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.connections import Connections
from addon.frontend.exchange_marks import ExchangeMarks
from addon.frontend.frontend import Frontend
from addon.frontend.gateway.certificates import Certificates
from addon.frontend.gateway.purge_clients import PurgeClients
from addon.frontend.gateway.request_rates import RequestRates
from addon.frontend.gateway.site_tls import SiteTls
from addon.frontend.gateway.sites import Sites
from addon.frontend.gateway.unreadable_names import log_unreadable_names
from addon.frontend.http1.fast_path import FastPath
from addon.frontend.http1.handler import Handler
from addon.frontend.http1.recent_hits import RecentHits
from addon.frontend.http1.request_target import ForwardProxyTargets, GatewayTargets, RequestTargets
from addon.frontend.http2.connection import Http2Connection
from addon.frontend.http2.handler import Http2Handler
from addon.frontend.leaf_certificates import LeafContexts
from addon.frontend.listener import Listener
from addon.frontend.set_up_page.page import SetUpPage
from addon.runtime.access_log.file import AccessLog
from addon.runtime.access_log.line_format import LineFormat
from addon.runtime.recent_exchanges import RecentExchanges
from addon.service import Service
from cache.http.host_table import HostTable
from cache.policy.operator_rules import glob

if TYPE_CHECKING:
    from addon.runtime.traces import Traces


def listener_of(
    settings: Settings, service: Service, limits: ConnectionLimits, rates: RequestRates | None = None
) -> Listener:
    """Return the public listener, with the front end behind it.

    Args:
        settings: The operator's settings.
        service: The cache.
        limits: Limits on the connections of clients.
        rates: Counts the requests of clients, if other processes count them too.

    Raises:
        ConfigError: the access log cannot be written.
        ValueError: a file with users is malformed.
    """
    log = access_log(settings)
    fast_path = FastPath(service.active, service.counters, service.clock, settings.memory.hot_size, log)
    tls = tls_of(settings, known_certificates(), service.clock)

    def second_passed() -> None:
        fast_path.report_uses()
        fast_path.memory_files.drop_unused()
        if tls is not None:
            tls.second_passed()

    connections = Connections(limits, service.clock, log, each_second=second_passed)
    watch(connections, fast_path, service)
    if settings.admin.place:
        connections.recent = recent = RecentExchanges()
        fast_path.recent_hits = RecentHits(recent)
        service.commands["exchanges"] = recent.handle
    certificates = LeafContexts(settings.ca_directory)
    leave_alone = tuple(glob(host) for host in settings.tls.leave_alone)
    sites = Sites(settings.sites, service.policy.site_rules, tls_port=tls.port if tls else 0, rates=rates)
    sites.purge_clients = purge_clients_of(settings, service) if settings.is_edge else None
    frontend = Frontend(service, connections, certificates, leave_alone, sites, tls=tls)
    frontend.use_proxies(settings)
    http2 = Http2Handler(frontend, fast_path)
    targets = targets_of(settings, sites, frontend.page)
    return Listener(Handler(frontend, fast_path, partial(Http2Connection, http2)), targets)


def purge_clients_of(settings: Settings, service: Service) -> PurgeClients:
    """Return what answers the requests of clients to purge; the file with their token exists then."""
    clients = PurgeClients(service.purges, lambda: service.policy, service.clock, settings.store.directory)
    clients.use(settings.purge, settings.trusted_proxies)
    if settings.store.kind != "memory" and not settings.purge.token_file:
        clients.make_token()
    return clients


@cache
def known_certificates() -> Certificates:
    """Return the certificates that this process knows, and those that are forked from it."""
    log_unreadable_names()
    return Certificates()


def tls_of(settings: Settings, certificates: Certificates, clock: Callable[[], float]) -> SiteTls | None:
    """Return the TLS for clients of an edge, if there is a listener for it.

    Raises ConfigError if a certificate cannot be used.
    """
    return SiteTls(certificates, settings.sites, settings.tls_address[1], clock) if settings.tls_address else None


def targets_of(settings: Settings, sites: Sites, page: SetUpPage | None = None) -> RequestTargets:
    """Return how request targets on the listener are read. `sites` are those of an edge."""
    return GatewayTargets(sites) if settings.is_edge else ForwardProxyTargets(page)


def watch(connections: Connections, fast_path: FastPath, service: Service) -> None:
    """Count the responses of a front end for the metrics, with the names of sites."""
    name_and_mark(connections, service.settings)
    fast_path.site_of = connections.site_of
    connections.traces = traces_of(service.settings)
    connections.metrics = fast_path.metrics = service.metrics.responses
    service.metrics.add_source(fast_path.add_metrics)
    service.metrics.add_source(lambda samples: samples.add("connections", len(connections)))


def traces_of(settings: Settings) -> Traces | None:
    """Return what makes spans of requests, if the settings name a collector."""
    if not settings.traces.endpoint:
        return None
    from addon.runtime.traces import Traces  # it needs an extra, and is slow to import

    return Traces(settings.traces)


def name_and_mark(connections: Connections, settings: Settings) -> None:
    """Use the names of the settings' sites, and the fields of each response, from the next request on."""
    connections.site_names, connections.marks = site_names(settings), ExchangeMarks.of(settings.answer)


def site_names(settings: Settings) -> HostTable[str]:
    """Return the names of the sites of an edge by host: the first host pattern of each."""
    return HostTable((host, site.hosts[0]) for site in settings.sites for host in site.hosts)


def access_log(settings: Settings) -> AccessLog | None:
    """Return the access log that the settings name, if any. Raises ConfigError if it cannot be written."""
    if not settings.log.access:
        return None
    log = AccessLog(expanded(settings.log.access), LineFormat(settings.log.access_format))
    try:
        log.check()
    except OSError as error:
        problem = f'found "{settings.log.access}", expected a file that can be written: {error.strerror}'
        raise ConfigError(Fault("settings", "log.access", problem)) from None
    return log
