"""Gates: requests that an edge refuses before the cache is asked. Nothing of them is stored or forwarded."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from addon.frontend.gateway.passwords import RETRY_AFTER, Passwords
from addon.frontend.gateway.request_rates import RequestRates
from cache.http.host_table import MAX_NAME
from cache.http.messages import Request, host_in_uri
from cache.policy.reasons import Refused
from cache.policy.site_rules import BasicAuth, Effects, Rate, Redirect

_VISIBLE = string.ascii_letters + string.digits + string.punctuation


@dataclass(frozen=True, slots=True)
class Refusal:
    """The refusal of a request: its reason, status and fields."""

    status: int
    reason: Refused
    sentence: str
    fields: tuple[tuple[str, str], ...] = ()
    """Further fields of the response."""
    error: str = "http_request_denied"
    """The error type (RFC 9209 §2.3)."""
    unchecked: BasicAuth | None = None
    """The users among whom the client's name and password have not been looked for yet."""


TOO_MANY_PASSWORDS = Refusal(
    503,
    Refused.PASSWORDS,
    "Too many names and passwords wait to be checked. Try again later.",
    (("Retry-After", str(RETRY_AFTER)),),
)
"""The refusal of a request whose name and password could not be checked."""


def unknown_host(host: str) -> Refusal:
    """Return the refusal of a request for a host that no site of the edge has."""
    sentence = f"This server has no site for the host {host[:MAX_NAME]}."
    return Refusal(421, Refused.UNKNOWN_HOST, sentence, error="destination_not_found")  # RFC 9110 §15.5.20


def other_certificate(host: str) -> Refusal:
    """Return the refusal of a request for a host that the certificate of its connection is not for."""
    sentence = f"This connection is for another site, and its certificate is not for the host {host[:MAX_NAME]}."
    return Refusal(421, Refused.SERVER_NAME, sentence, error="destination_not_found")


def purge_request() -> Refusal:
    """Return the refusal of a request to purge, as long as it is not known whether its client may."""
    return Refusal(403, Refused.PURGE, "This client may not purge copies.")


def redirect_to(url: str, status: int = 308) -> Refusal:
    """Return the redirect to another URL."""
    return Refusal(status, Refused.REDIRECT, f"See {url}", (("Location", url),))


class Gates:
    """The checks that can refuse a request."""

    def __init__(self, rates: RequestRates, passwords: Passwords) -> None:
        self._rates = rates
        self.passwords = passwords

    def admits(self, rate: Rate, address: str) -> bool:
        """Count a request from a client's address; return whether it is allowed."""
        return not self._rates.wait(rate, address)

    def refusal(
        self, request: Request, readings: Sequence[Effects], length: int | None, address: str
    ) -> Refusal | None:
        """Return why a request is refused, or None. It is counted once by each rate that the readings have.

        Args:
            request: The request as received.
            readings: What the rules say about it, for each way in which its path may be read.
            length: Bytes of its content; None if that is not declared.
            address: The client's address.
        """
        for effects in readings:
            if effects.redirect is not None and (redirected := _redirected(request, effects.redirect)):
                return redirected
        authorization = request.fields.get("authorization")
        auths = {auth for effects in readings if (auth := effects.basic_auth) is not None and auth.users_file}
        are_right = {auth: self.passwords.are_right(auth.users_file, authorization) for auth in auths}
        # a request whose password is not known yet is read again, and counted then
        if refused := self._too_many(readings, address, count=None not in are_right.values()):
            return refused
        for effects in readings:
            if effects.methods is not None and request.method not in effects.methods:
                return _not_allowed(request.method, effects.methods)
            if effects.basic_auth in are_right and not (is_right := are_right[effects.basic_auth]):
                return _without_password(effects.basic_auth, is_known=is_right is not None)
            if effects.max_body is not None and (too_large := _too_large(effects.max_body, length)):
                return too_large
        return None

    def _too_many(self, readings: Sequence[Effects], address: str, *, count: bool) -> Refusal | None:
        """Return why a request is one too many, or None; unless it is, each different rate counts it with `count`."""
        rates = {effects.rate for effects in readings if effects.rate is not None}
        wait = max((self._rates.wait(rate, address, count=False) for rate in rates), default=0.0)
        if wait:
            sentence = "This client has sent more requests than this site allows."
            return Refusal(429, Refused.RATE, sentence, (("Retry-After", str(math.ceil(wait))),))  # RFC 6585 §4
        if count:
            for rate in rates:
                self._rates.wait(rate, address)
        return None


def _not_allowed(method: str, allowed: Sequence[str]) -> Refusal:
    sentence = f"The method {method} is not allowed here."
    return Refusal(405, Refused.METHOD_NOT_ALLOWED, sentence, (("Allow", ", ".join(allowed)),))


def _without_password(auth: BasicAuth, *, is_known: bool) -> Refusal:
    challenge = ("WWW-Authenticate", f'Basic realm="{auth.realm}", charset="UTF-8"')  # RFC 7617 §2
    sentence = "This part of the site asks for a name and a password."
    return Refusal(401, Refused.CREDENTIALS, sentence, (challenge,), unchecked=None if is_known else auth)


def _redirected(request: Request, redirect: Redirect) -> Refusal | None:
    """Return the redirect of a request, or None if it would lead to the same URL."""
    host, target = host_in_uri(request.host), quote(request.target, safe=_VISIBLE, encoding="latin-1")
    location = redirect.to.format(host=host, target=target, path=target.partition("?")[0])
    if location == f"{request.origin}{target}":
        return None
    return redirect_to(location, redirect.status)


def _too_large(allowed: int, length: int | None) -> Refusal | None:
    if length is None:  # RFC 9110 §15.5.12
        return Refusal(411, Refused.CONTENT_TOO_LARGE, "A request with content has to declare its length here.")
    if length <= allowed:
        return None
    return Refusal(413, Refused.CONTENT_TOO_LARGE, f"Content of more than {allowed} bytes is not allowed here.")
