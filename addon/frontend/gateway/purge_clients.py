"""The clients that may purge over HTTP: those with the token, and those of allowed networks. All others are refused."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from addon.config.purge import PurgeSettings
from addon.config.trusted_proxies import TrustedProxies
from addon.frontend.gateway.purge_requests import order_in
from addon.pipeline.error_replies import ErrorReplies
from addon.pipeline.purge_command import Purges, described
from addon.pipeline.reply import Reply
from addon.runtime.token_file import TokenFile, bearer_token
from cache.http.fields import imf_date
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Refused
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

_TOKEN_FIELDS = ("fastly-key", "x-purge-token")


class PurgeClients:
    """Answers the requests of clients to purge."""

    def __init__(
        self,
        purges: Purges,
        policy: Callable[[], CachePolicy],
        clock: Callable[[], float],
        store: Path,
    ) -> None:
        """Carry out purges by `purges`.

        Args:
            purges: Purges the store.
            policy: Returns the policy in force.
            clock: Returns seconds since the epoch.
            store: The directory of the store.
        """
        self._purges = purges
        self._policy = policy
        self._clock = clock
        self._store = store
        self.use(PurgeSettings(), ())

    def use(self, settings: PurgeSettings, trusted_proxies: Iterable[str]) -> None:
        """Accept the clients that these settings name; `trusted_proxies` are addresses and networks."""
        self._allowed = TrustedProxies(settings.allow)
        self._proxies = TrustedProxies(trusted_proxies)
        self._token = TokenFile(settings.token(self._store))

    def make_token(self) -> None:
        """Make the file with the token, unless it has one. Without it, only the allowed networks may purge."""
        try:
            self._token.make()
        except OSError as error:
            logger.warning("there is no token for purges over HTTP: %s: %s", self._token.path, error.strerror)

    async def answer(self, request: Request, address: str, ports: Iterable[int], errors: ErrorReplies) -> Reply | None:
        """Purge as a request says, and return the reply, or None if its client may not purge.

        Args:
            request: The request, as received.
            address: The address of its client.
            ports: The ports by which clients reach the edge.
            errors: Makes errors.
        """
        by = self._admitted(request.fields, address)
        if by is None:
            return None
        try:
            order = order_in(request, ports, self._policy(), by)
        except ValueError as error:
            return errors.malformed_request(f"This purge is not understood: {error}")
        try:
            extent = await self._purges.carry_out(order)
        except StoreError as error:
            logger.warning("a purge of %s failed: %s", by, error)
            sentence = "Nothing was purged: the store cannot be written at the moment."
            return errors.error(503, Refused.PURGE, sentence, "proxy_internal_error", fields=(("Retry-After", "5"),))
        return self._done({"status": "ok", **described(order, extent)})

    def _admitted(self, fields: Fields, address: str) -> str | None:
        """Return who the client is, for the log, or None if it may not purge."""
        # a proxy that does not tell whom a request is from has its own address: that request may be anybody's
        if address in self._allowed and address not in self._proxies:
            return address
        wanted = self._token.read()
        sent = [*(fields.get(name) or "" for name in _TOKEN_FIELDS), bearer_token(fields.get("authorization") or "")]
        if wanted is not None and any(hmac.compare_digest(each.encode(), wanted.encode()) for each in sent):
            return f"{address} with the token"
        return None

    def _done(self, result: dict[str, object]) -> Reply:
        content = f"{json.dumps(result)}\n".encode()
        fields = Fields(
            (
                ("Date", imf_date(self._clock())),
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(content))),
                ("Cache-Control", "no-store"),
            )
        )
        return Reply(Response(200, "OK", fields), content)
