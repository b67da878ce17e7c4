"""Notices origins of an edge that seem to send nothing compressed because of our Via, and says so once for each."""

from __future__ import annotations

import logging

from cache.http.messages import Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.gzip_proxied import may_withhold_gzip

logger = logging.getLogger(__name__)

MAX_NAMED = 256
"""Origins that are remembered; beyond it, no further one is looked at."""


class UncompressedOrigins:
    """The origins that were named in the log."""

    def __init__(self) -> None:
        self._named: set[str] = set()

    def note(self, sent: Request, response: Response, policy: CachePolicy) -> None:
        """Look at a response to a request as the origin got it."""
        identity = policy.identity
        if not (identity.gateway and identity.via) or sent.origin in self._named or len(self._named) >= MAX_NAMED:
            return
        if may_withhold_gzip(sent.fields, response):
            self._named.add(sent.origin)
            logger.warning(
                "The origin of %s sends text uncompressed, although gzip was asked for. If it compresses for others,"
                ' its nginx refuses requests with Via: set "gzip_proxied any" there, or origin.via = "off" here.'
                " `secondhand lint` finds out.",
                sent.origin,
            )
