"""Gates: requests that the rules of a site refuse before the cache is asked. Nothing of them is stored or forwarded."""

from __future__ import annotations

import math
import string
from dataclasses import dataclass
from urllib.parse import quote

from addon.frontend.gateway.passwords import Passwords
from addon.frontend.gateway.request_rates import RequestRates
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
    unchecked: BasicAuth | None = None
    """The users among whom the client's name and password have not been looked for yet."""


class Gates:
    """The checks that can refuse a request."""

    def __init__(self, rates: RequestRates, passwords: Passwords) -> None:
        self._rates = rates
        self.passwords = passwords

    def admits(self, rate: Rate, address: str) -> bool:
        """Count a request from a client's address; return whether it is allowed."""
        return not self._rates.wait(rate, address)

    def refusal(self, request: Request, effects: Effects, length: int | None, address: str) -> Refusal | None:
        """Return why a request is refused, or None.

        Args:
            request: The request as received.
            effects: What the rules say about it.
            length: Bytes of its content; None if that is not declared.
            address: The client's address.
        """
        if effects.redirect is not None and (redirected := _redirected(request, effects.redirect)):
            return redirected
        auth = effects.basic_auth if effects.basic_auth is not None and effects.basic_auth.users_file else None
        authorization = request.fields.get("authorization")
        is_right = True if auth is None else self.passwords.are_right(auth.users_file, authorization)
        # a request whose password is not known yet is read again, and counted then
        counts = is_right is not None
        if effects.rate is not None and (wait := self._rates.wait(effects.rate, address, count=counts)):
            sentence = "This client has sent more requests than this site allows."
            return Refusal(429, Refused.RATE, sentence, (("Retry-After", str(math.ceil(wait))),))  # RFC 6585 §4
        if effects.methods is not None and request.method not in effects.methods:
            sentence = f"The method {request.method} is not allowed here."
            return Refusal(405, Refused.METHOD_NOT_ALLOWED, sentence, (("Allow", ", ".join(effects.methods)),))
        if auth is not None and not is_right:
            return _without_password(auth, is_known=counts)
        return _too_large(effects.max_body, length) if effects.max_body is not None else None


def _without_password(auth: BasicAuth, *, is_known: bool) -> Refusal:
    challenge = ("WWW-Authenticate", f'Basic realm="{auth.realm}", charset="UTF-8"')  # RFC 7617 §2
    sentence = "This part of the site asks for a name and a password."
    return Refusal(401, Refused.CREDENTIALS, sentence, (challenge,), None if is_known else auth)


def _redirected(request: Request, redirect: Redirect) -> Refusal | None:
    """Return the redirect of a request, or None if it would lead to the same URL."""
    host, target = host_in_uri(request.host), quote(request.target, safe=_VISIBLE, encoding="latin-1")
    location = redirect.to.format(host=host, target=target, path=target.partition("?")[0])
    if location == f"{request.origin}{target}":
        return None
    return Refusal(redirect.status, Refused.REDIRECT, f"See {location}", (("Location", location),))


def _too_large(allowed: int, length: int | None) -> Refusal | None:
    if length is None:  # RFC 9110 §15.5.12
        return Refusal(411, Refused.CONTENT_TOO_LARGE, "A request with content has to declare its length here.")
    if length <= allowed:
        return None
    return Refusal(413, Refused.CONTENT_TOO_LARGE, f"Content of more than {allowed} bytes is not allowed here.")
