"""The failures of opening a connection, each told from the error that the system or OpenSSL reports."""

from __future__ import annotations

import errno
import ssl

from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.proxy import Route
from addon.origin.tls_alerts import received_alert, tls_problem

_UNROUTABLE_ERRORS = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})

_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
"""OpenSSL's reasons for an error when it reads bytes that are not TLS."""

_UNKNOWN_ISSUER = frozenset({18, 19, 20, 21})
"""OpenSSL's codes for a certificate whose issuer is not among the trusted CAs: openssl-verification-options(1)."""


def failure_of(error: OSError | UnicodeError, route: Route) -> OriginFailure:
    """Return the failure for an error that occurred while connecting to an origin."""
    match error:
        case ssl.SSLCertVerificationError():
            sentence = f"{route.authority} has no certificate to be trusted: {error.verify_message}"
            if error.verify_code in _UNKNOWN_ISSUER:
                sentence += " (the setting origin.ca_files names further CAs to trust)"
            return OriginFailure(FailureKind.TLS_CERTIFICATE_ERROR, sentence)
        case ssl.SSLEOFError() | ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return _unreachable(FailureKind.CONNECTION_TERMINATED, f"{route.subject} closed the new connection")
        case ssl.SSLError():
            return _tls_failure(error, route)
        case UnicodeError():  # from IDNA
            return _unreachable(FailureKind.DNS_ERROR, f"{route.subject} does not have a valid name")
        case ConnectionRefusedError():
            return _unreachable(FailureKind.CONNECTION_REFUSED, f"{route.subject} refused the connection")
        case OSError() if error.errno in _UNROUTABLE_ERRORS:
            return _unreachable(FailureKind.DESTINATION_IP_UNROUTABLE, f"There is no route to {route.where}")
    return _unreachable(FailureKind.DESTINATION_UNAVAILABLE, f"{route.subject} could not be reached: {error}")


def _tls_failure(error: ssl.SSLError, route: Route) -> OriginFailure:
    if alert := received_alert(error):
        sentence = f"{route.authority} {alert.predicate}"
        return OriginFailure(FailureKind.TLS_ALERT_RECEIVED, sentence, parameters=alert.parameters)
    problem = tls_problem(error)
    sentence = f"{route.authority} failed in the TLS handshake: {problem}"
    if error.reason in _NOT_TLS:
        sentence = f"{route.authority} does not speak TLS on this port, plain HTTP perhaps ({problem})"
    return OriginFailure(FailureKind.TLS_PROTOCOL_ERROR, sentence)


def _unreachable(kind: FailureKind, sentence: str) -> OriginFailure:
    return OriginFailure(kind, sentence, disconnected=True)
