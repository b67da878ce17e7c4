"""Admits requests to the admin listener: by their Host, their Origin and their token.

Web pages in a browser on this machine can send requests to it, and a page whose host name is made to resolve to this
machine even sees the responses. Host and Origin tell such requests apart; no page knows the token.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from addon.runtime.token_file import TokenFile, bearer_token

PUBLIC_PATHS = frozenset({"/healthz", "/readyz"})
"""Paths that need neither a token nor a known host: a probe sends no token, and asks by the address of its target."""

METRICS_PATH = "/metrics"

_LOOPBACK_NAMES = frozenset({"127.0.0.1", "[::1]", "localhost"})


class Access:
    """Judges request heads. Field names are in lower case."""

    def __init__(
        self,
        token: TokenFile,
        hosts: Iterable[str],
        *,
        page: Collection[str] = (),
        metrics_without_token: bool = False,
    ) -> None:
        """Admit requests with a token.

        Args:
            token: The token.
            hosts: Names of the listener, besides those of the loopback interface.
            page: Paths of the files of the page. A browser has no token when it asks for them, and they tell nothing.
            metrics_without_token: The metrics need no token, and no known host.
        """
        self._token = token
        self._page = page
        self._metrics_without_token = metrics_without_token
        self._hosts = _LOOPBACK_NAMES | frozenset(hosts)

    def refusal(self, path: str, fields: Mapping[str, str]) -> tuple[int, str] | None:
        """Return the status and the reason with which a request is refused, or None."""
        if path in PUBLIC_PATHS or (path == METRICS_PATH and self._may_have_metrics(fields)):
            return None
        authority = fields.get("host", "").lower()
        if _host_of(authority) not in self._hosts:
            return 403, "The field Host names no host of this listener; the setting admin.hosts can add it."
        origin = fields.get("origin")
        if origin is not None and origin.lower() not in (f"http://{authority}", f"https://{authority}"):
            return 403, "The request comes from a page of another origin."
        of_page = path in self._page
        opened = of_page and fields.get("sec-fetch-mode") == "navigate"  # by a link; and no page can frame this one
        if not opened and fields.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "The request comes from a page of another site."
        if not of_page and not self._has_token(fields):
            return 401, "The field Authorization does not have the token: Bearer, a space, and the token."
        return None

    def _may_have_metrics(self, fields: Mapping[str, str]) -> bool:
        # Prometheus asks by the address of its target; a web page does not know the token
        return self._metrics_without_token or self._has_token(fields)

    def _has_token(self, fields: Mapping[str, str]) -> bool:
        return self._token.is_token(bearer_token(fields.get("authorization", "")))


def _host_of(authority: str) -> str:
    """Return the host of an authority, without its port."""
    host, colon, port = authority.rpartition(":")
    return host if colon and (port.isdecimal() and port.isascii()) else authority
