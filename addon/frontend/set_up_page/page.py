"""The set-up page of one proxy: the requests that it answers, and the responses. An edge has none."""

from __future__ import annotations

import logging
import re
from functools import cached_property
from pathlib import Path

from addon.config.addresses import UNSPECIFIED_ADDRESSES, own_authorities
from addon.config.settings import Settings
from addon.config.trusted_proxies import parsed_address
from addon.frontend.set_up_page.certificate_files import CertificateFile, certificate_files
from addon.frontend.set_up_page.code import CodesForClients
from addon.frontend.set_up_page.document import POLICY, set_up_document
from addon.pipeline.error_replies import ErrorReplies
from addon.pipeline.reply import Reply
from addon.programs.trust.ca import CaCertificate, ca_certificate
from cache.http.messages import Fields, normalised_host
from cache.policy.reasons import Refused

logger = logging.getLogger(__name__)

HOSTS = frozenset({"mitm.it", "secondhand.internal"})
"""Hosts whose requests are answered here and go nowhere. mitmproxy has the first; no public host has the second."""

PATHS = frozenset({"/", "/cert/pem", "/cert/cer", "/cert/der", "/cert/p12"})

UNKNOWN_HOST = "ADDRESS-OF-THE-PROXY"
"""Stands in lines for a proxy that listens on all addresses: which of them the client has used is not known."""

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+)(?::([0-9]{1,5}))?")
FieldLines = tuple[tuple[str, str], ...]
"""Names and values of fields."""

_METHODS = ("GET", "HEAD")
_HTTP_PORT = 80

_GUARDS = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),  # other sites must not find the proxy by loading from it
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", POLICY),
)


class SetUpPage:
    """The page of one proxy.

    Attributes:
        port: The port on which clients reach the proxy. Set when it listens.
    """

    def __init__(self, directory: Path, host: str, port: int) -> None:
        """Show the certificate of the CA in `directory`, for a proxy that listens at `host` and `port`."""
        self._directory = directory
        self._host = host
        self._codes = CodesForClients()
        self.port = port

    def is_own(self, fields: Fields) -> bool:
        """Return whether a request that names no other target in its first line asks for this page, by its fields.

        A page on the web can have its own name resolve to this machine (DNS rebinding), and would read the certificate,
        by which it knew its visitors again. It cannot do so for addresses, nor for names that it has no say about.
        """
        match = _AUTHORITY.fullmatch(fields.get("host") or "")
        if match is None or "via" in fields:  # with Via, a proxy has sent it, perhaps this one to itself
            return False
        host = normalised_host(match[1].strip("[]"))
        is_own_name = host in HOSTS or host == "localhost" or f"{host}:0" in self._own_names
        return is_own_name or parsed_address(host) is not None

    @cached_property
    def _own_names(self) -> frozenset[str]:
        return own_authorities(self._host, 0)

    def reply(self, errors: ErrorReplies, method: str, path: str, authority: str | None = None) -> Reply:
        """Return the response to a request. Content is left out for HEAD.

        Args:
            errors: Makes the response.
            method: The method of the request.
            path: Its path, perhaps with a query.
            authority: The Host by which the client has reached the proxy itself; None if it asked for one of HOSTS.
        """
        path = path.partition("?")[0]
        if method not in _METHODS:
            allow = (("Allow", ", ".join(_METHODS)),)
            sentence = "The set-up page of this proxy answers GET and HEAD."
            return errors.error(405, Refused.SET_UP_PAGE, sentence, "http_request_denied", fields=allow)
        if path not in PATHS:
            return errors.error(404, Refused.SET_UP_PAGE, "The set-up page is at /.", "http_request_denied")
        try:
            content, fields = self._content(path, authority)
        except OSError as error:
            logger.warning("the set-up page cannot be shown: %s", error)
            sentence = "The certificate of this proxy cannot be read."
            return errors.error(500, Refused.SET_UP_PAGE, sentence, "proxy_internal_error")
        return errors.set_up_page(content, (*fields, *_GUARDS), head_only=method == "HEAD")

    def _content(self, path: str, authority: str | None) -> tuple[bytes, FieldLines]:
        """Return the page or a file, and the fields that describe it. Raises OSError if the CA cannot be read."""
        if path == "/":
            host, port = self._address(authority)
            code = None if host == UNKNOWN_HOST else self._codes.code(self._host, host, port)
            content = set_up_document(self._files, self._ca.fingerprint, host, port, code)
            return content, (("Content-Type", "text/html; charset=utf-8"),)
        file = self._files[path]
        disposition = f'attachment; filename="{file.name}"'
        return file.content, (("Content-Type", file.media_type), ("Content-Disposition", disposition))

    @cached_property
    def _ca(self) -> CaCertificate:
        return ca_certificate(self._directory)

    @cached_property
    def _files(self) -> dict[str, CertificateFile]:
        return certificate_files(self._ca.pem)

    def _address(self, authority: str | None) -> tuple[str, int]:
        """Return host and port by which the client reaches the proxy."""
        match = _AUTHORITY.fullmatch(authority or "")
        if match is not None:
            return match[1].strip("[]"), int(match[2] or _HTTP_PORT)
        return (UNKNOWN_HOST if self._host in UNSPECIFIED_ADDRESSES else self._host), self.port


def set_up_page_of(settings: Settings) -> SetUpPage | None:
    """Return the set-up page; None for an edge, whose paths are all those of its origins."""
    return None if settings.is_edge else SetUpPage(settings.ca_directory, *settings.address)
