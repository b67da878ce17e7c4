"""The TLS alerts by which an origin ends a connection, and the sentences about them."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass

from cache.answer.responses import ErrorParameters

ALERTS = {
    "unexpected_message": 10,
    "bad_record_mac": 20,
    "decryption_failed": 21,
    "record_overflow": 22,
    "decompression_failure": 30,
    "handshake_failure": 40,
    "no_certificate": 41,
    "bad_certificate": 42,
    "unsupported_certificate": 43,
    "certificate_revoked": 44,
    "certificate_expired": 45,
    "certificate_unknown": 46,
    "illegal_parameter": 47,
    "unknown_ca": 48,
    "access_denied": 49,
    "decode_error": 50,
    "decrypt_error": 51,
    "export_restriction": 60,
    "protocol_version": 70,
    "insufficient_security": 71,
    "internal_error": 80,
    "inappropriate_fallback": 86,
    "user_cancelled": 90,
    "no_renegotiation": 100,
    "missing_extension": 109,
    "unsupported_extension": 110,
    "certificate_unobtainable": 111,
    "unrecognized_name": 112,
    "bad_certificate_status_response": 113,
    "bad_certificate_hash_value": 114,
    "unknown_psk_identity": 115,
    "certificate_required": 116,
    "no_application_protocol": 120,
}
"""The registered alerts (RFC 8446 §6 and the IANA registry), by the names that OpenSSL gives them."""

_EXPLANATIONS = {
    "bad_certificate": "it does not accept the certificate of origin.client_certificate",
    "certificate_required": "it asks for a client certificate: see origin.client_certificate",
    "no_application_protocol": "it speaks no HTTP that it was offered (HTTP/2 is not, if origin.http2 is never)",
    "protocol_version": "it speaks no version of TLS that this proxy speaks",
    "unknown_ca": "it does not know the CA of the certificate of origin.client_certificate",
    "unrecognized_name": "it serves no host of this name",
}

_OPENSSL_TEXT = re.compile("(?:sslv3|tlsv1|tlsv13|ssl/tls) (?:alert )?([a-z ]+)")
"""OpenSSL's text for an alert: `tlsv1 alert no application protocol`, `tlsv1 unrecognized name`."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that the peer sent."""

    name: str
    number: int

    @property
    def predicate(self) -> str:
        """Return the end of a sentence that begins with the peer."""
        explanation = _EXPLANATIONS.get(self.name)
        return f"sent the TLS alert {self.name} ({self.number})" + (f": {explanation}" if explanation else "")

    @property
    def parameters(self) -> ErrorParameters:
        """Return the parameters of the error for Proxy-Status (RFC 9209 §2.3.15)."""
        return ("alert-id", self.number), ("alert-message", self.name)


def received_alert(error: BaseException | None) -> Alert | None:
    """Return the alert that an error of a TLS connection reports, or None if it has another cause."""
    match = _OPENSSL_TEXT.fullmatch(tls_problem(error)) if isinstance(error, ssl.SSLError) else None
    name = match[1].replace(" ", "_") if match else ""
    return Alert(name, ALERTS[name]) if name in ALERTS else None


def tls_problem(error: ssl.SSLError) -> str:
    """Return what OpenSSL says about an error, in words."""
    # Python's `reason` has names for older errors only
    return re.sub(r"^\[[^]]*] | \(_ssl\.c:\d+\)$", "", str(error.args[-1] if error.args else error))
