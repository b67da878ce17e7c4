"""Unkeyed fields: request fields by which servers and frameworks change a response, and which no cache key contains.

A client could have a response to such a field stored for all others (web cache poisoning, RFC 9111 §7.1). The lists
are those of public research on it (PortSwigger's Param Miner), without the fields that everyday clients send.

CGI, WSGI and similar interfaces do not tell `X_Forwarded_Host` from `X-Forwarded-Host`, so names are compared with
every character that is neither a letter nor a digit replaced by `-`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from cache.http.messages import Fields

_TARGET = frozenset(
    # the host, scheme, port or path that the client has used, or is to be treated as having used
    "base-url context-path destination front-end-https host-name host-override http-host http-url https"
    " orig-path-info original-host path-info proxy-host proxy-port proxy-request-fulluri proxy-url query-string"
    " request-uri script-name server-name server-port surrogate-capability uri url x-backend-host x-base-path"
    " x-base-url x-cf-url x-context-path x-host x-host-name x-host-override x-hostname x-https x-ning-request-uri"
    " x-orchestra-scheme x-path x-path-info x-proto x-protocol x-proxy-host x-proxy-url x-request-uri"
    " x-request-url x-scheme x-script-name x-server-name x-server-port x-ssl x-subdomain x-uri x-url x-url-scheme"
    " x-wap-profile xproxy".split()
)
_METHOD = frozenset("method-override request-method x-method x-method-override".split())
_CLIENT = frozenset(
    # the client's address, name or country, as a gateway says; and HTTP_PROXY, which programs obey (httpoxy)
    "auth-user client-address client-host client-ip clientip cloudfront-viewer-country fastly-client-ip"
    " incap-client-ip proxy real-ip remote-addr remote-host remote-user true-client-ip x-auth-user"
    " x-azc-remote-addr x-client-cert x-client-host x-client-ip x-client-port x-client-scheme x-client-verify"
    " x-clientip x-cluster-client-ip x-custom-ip-authorization x-geoip-country x-ip x-proxyuser-ip"
    " x-true-client-ip x-true-ip x-user x-username".split()
)
_PREFIXES = (
    *("cert-", "cf-", "forwarded-", "ssl-client-", "x-accel-", "x-amzn-remapped-", "x-appengine-", "x-arr-"),
    *("x-auth-request-", "x-authenticated-", "x-envoy-", "x-forward-", "x-forwarded", "x-forwarder-", "x-http-"),
    *("x-invoke-", "x-matched-", "x-middleware-", "x-ms-client-principal", "x-nextjs-", "x-now-route-", "x-original"),
    *("x-originating-", "x-override-", "x-real-", "x-remote-", "x-rewrite-", "x-sendfile-", "x-ssl-"),
    *("x-vercel-forwarded-", "x-vercel-ip-", "x-webauth-"),
)
_ONE_CLIENT = "x-forwarded-for"
_FORWARDED_TARGET = re.compile(r"(?:^|[;,])\s*(?:host|proto)\s*=", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"[0-9A-Za-z-]+")
_NEITHER_LETTER_NOR_DIGIT = re.compile(r"[^0-9a-z]")


def folded(name: str) -> str:
    """Return a field name as CGI sees it, in lower case and with `-` for `_` (RFC 3875 §4.1.18)."""
    return _NEITHER_LETTER_NOR_DIGIT.sub("-", name.lower())


@lru_cache(maxsize=512)
def ambiguous_names(fields: Fields) -> frozenset[str]:
    """Return the names that CGI takes for others, like `x_forwarded_host`. nginx drops such fields as well."""
    return frozenset(name for name in fields.names() if not _PLAIN_NAME.fullmatch(name))


@lru_cache(maxsize=512)
def unkeyed_input(fields: Fields, method: str) -> frozenset[str]:
    """Return the names of request fields that change the response of some origins, but are in no cache key."""
    found = {name for name in fields.names() if _is_unkeyed(folded(name), method)}
    # other parameters of Forwarded, like `for`, do not change the target
    return frozenset(found | {"forwarded"} if _FORWARDED_TARGET.search(fields.get("forwarded") or "") else found)


def _is_unkeyed(name: str, method: str) -> bool:
    if name == _ONE_CLIENT or (name == "destination" and method in ("COPY", "MOVE")):  # RFC 4918 §10.3
        return False
    return name in _TARGET or name in _METHOD or name in _CLIENT or name.startswith(_PREFIXES)


@lru_cache(maxsize=512)
def for_all_clients(fields: Fields) -> Fields:
    """Return the fields without those that name the client, since the response is for all clients.

    Every proxy in a chain adds X-Forwarded-For or Forwarded, so these must not keep a request from the cache.
    """
    return fields.without([name for name in fields.names() if folded(name) in (_ONE_CLIENT, "forwarded")])
