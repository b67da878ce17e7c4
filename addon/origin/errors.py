"""The reasons why an origin gave no response or an incomplete one: proxy error types (RFC 9209 §2.3)."""

from __future__ import annotations

from enum import StrEnum

from cache.answer.responses import ErrorParameters


class FailureKind(StrEnum):
    """Proxy error types. Their values are sent in Proxy-Status."""

    DNS_ERROR = "dns_error"
    """The name could not be resolved."""
    DNS_TIMEOUT = "dns_timeout"
    """The name servers did not answer in time."""
    DESTINATION_UNAVAILABLE = "destination_unavailable"
    """The next hop cannot be used, for a reason without an error type of its own."""
    DESTINATION_IP_PROHIBITED = "destination_ip_prohibited"
    """The address is a refused target (`origin.refused_targets`)."""
    DESTINATION_IP_UNROUTABLE = "destination_ip_unroutable"
    """There is no route to the next hop: the network is down."""
    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_TERMINATED = "connection_terminated"
    """Closed before the header section was complete."""
    CONNECTION_TIMEOUT = "connection_timeout"
    """Not connected in time, TLS and an upstream proxy's CONNECT included."""
    CONNECTION_READ_TIMEOUT = "connection_read_timeout"
    """The origin sent nothing for too long, before the first byte or between two bytes."""
    CONNECTION_WRITE_TIMEOUT = "connection_write_timeout"
    """The origin accepted no part of the request's content for too long."""
    CONNECTION_LIMIT_REACHED = "connection_limit_reached"
    """All allowed connections to the host were in use, and none became free in time."""
    TLS_PROTOCOL_ERROR = "tls_protocol_error"
    TLS_CERTIFICATE_ERROR = "tls_certificate_error"
    TLS_ALERT_RECEIVED = "tls_alert_received"
    HTTP_REQUEST_ERROR = "http_request_error"
    """The request's content, as received from the client, was incomplete or too long."""
    HTTP_RESPONSE_INCOMPLETE = "http_response_incomplete"
    """The connection ended before the body was complete."""
    HTTP_RESPONSE_HEADER_SECTION_SIZE = "http_response_header_section_size"
    HTTP_RESPONSE_HEADER_SIZE = "http_response_header_size"
    """One field line is too long."""
    HTTP_RESPONSE_TRAILER_SECTION_SIZE = "http_response_trailer_section_size"
    HTTP_PROTOCOL_ERROR = "http_protocol_error"
    """The head or the framing is malformed."""
    PROXY_CONFIGURATION_ERROR = "proxy_configuration_error"
    """The upstream proxy refused the CONNECT: wrong credentials, or its own rules."""
    PROXY_INTERNAL_ERROR = "proxy_internal_error"
    """The origin client is closed."""


class OriginFailure(Exception):
    """The origin gave no response, or only a part of one.

    Attributes:
        kind: The proxy error type.
        detail: One sentence for people that says what failed, and at which host.
        disconnected: No complete header section came, because the origin could not be reached.
        unprocessed: The origin has said that it did nothing for the request: it may be sent again, whatever its method.
        wants_http1: The origin wants the request over HTTP/1.1.
        others_up: It was at one origin of a site of which another one is up.
        parameters: More about the failure, for machines: names and values that RFC 9209 §2.3 has for its kind.
    """

    def __init__(
        self,
        kind: FailureKind,
        detail: str,
        *,
        disconnected: bool = False,
        unprocessed: bool = False,
        wants_http1: bool = False,
        parameters: ErrorParameters = (),
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.disconnected = disconnected
        self.unprocessed = unprocessed
        self.wants_http1 = wants_http1
        self.others_up = False
        self.parameters = parameters


def shutdown_failure() -> OriginFailure:
    """Return the failure of a request that comes after `close`."""
    return OriginFailure(FailureKind.PROXY_INTERNAL_ERROR, "The proxy is shutting down.")
