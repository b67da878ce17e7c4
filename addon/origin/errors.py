"""Why an origin could not be asked, or did not answer whole: proxy error types (RFC 9209 §2.3)."""

from __future__ import annotations

from enum import StrEnum


class FailureKind(StrEnum):
    """Proxy error types; the values go into Proxy-Status as they are."""

    DNS_ERROR = "dns_error"
    """The name could not be resolved."""
    DESTINATION_UNAVAILABLE = "destination_unavailable"
    """The next hop cannot be used, for a reason that has no name of its own."""
    DESTINATION_IP_PROHIBITED = "destination_ip_prohibited"
    """Not for strangers to have this proxy go to."""
    DESTINATION_IP_UNROUTABLE = "destination_ip_unroutable"
    """There is no route to the next hop: the link is down."""
    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_TERMINATED = "connection_terminated"
    """Closed before the header section was complete."""
    CONNECTION_TIMEOUT = "connection_timeout"
    """Not connected in time, TLS and an upstream proxy's CONNECT included."""
    CONNECTION_READ_TIMEOUT = "connection_read_timeout"
    """Silent for too long, before the first octet or between two."""
    CONNECTION_WRITE_TIMEOUT = "connection_write_timeout"
    """Took nothing of the request's content for too long."""
    CONNECTION_LIMIT_REACHED = "connection_limit_reached"
    """As many connections to the host as allowed, none of which became free in time."""
    TLS_PROTOCOL_ERROR = "tls_protocol_error"
    TLS_CERTIFICATE_ERROR = "tls_certificate_error"
    TLS_ALERT_RECEIVED = "tls_alert_received"
    HTTP_REQUEST_ERROR = "http_request_error"
    """The request's content did not come whole."""
    HTTP_RESPONSE_INCOMPLETE = "http_response_incomplete"
    """The body ended short."""
    HTTP_RESPONSE_HEADER_SECTION_SIZE = "http_response_header_section_size"
    HTTP_RESPONSE_HEADER_SIZE = "http_response_header_size"
    """One field line is too long."""
    HTTP_RESPONSE_TRAILER_SECTION_SIZE = "http_response_trailer_section_size"
    HTTP_PROTOCOL_ERROR = "http_protocol_error"
    """A malformed head or false framing."""
    PROXY_CONFIGURATION_ERROR = "proxy_configuration_error"
    """The upstream proxy refused to connect us: credentials or its rules."""
    PROXY_INTERNAL_ERROR = "proxy_internal_error"
    """This client is closed."""


class OriginFailure(Exception):
    """No answer, or only part of one.

    Attributes:
        kind: The proxy error type.
        detail: One sentence: what failed, and where.
        disconnected: True where no complete header section came because the origin could not be reached.
    """

    def __init__(self, kind: FailureKind, detail: str, *, disconnected: bool = False) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.disconnected = disconnected
