"""Unkeyed fields: request fields by which servers and frameworks change a response, and which no cache key contains.

A client could have a response to such a field stored for all others (web cache poisoning, RFC 9111 §7.1). The lists
are those of public research on it (PortSwigger's Param Miner), without the fields that everyday clients send. Gateways
make names by a pattern, `X-Original-Host` or `X-Request-Path`, and any name of that pattern is an unkeyed field.

CGI, WSGI and similar interfaces do not tell `X_Forwarded_Host` from `X-Forwarded-Host`, so names are compared with
every character that is neither a letter nor a digit replaced by `-`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from cache.http.messages import Fields

# whose part of the request a gateway speaks of, and which part: X-Original-Url, Proxied-Host, X-Is-Https
_WHOSE = (
    "actual|app|backend|base|cdn|client|cluster|edge|external|forward|forwarded|frontend|gateway|http|https|is|lb"
    "|orig|original|origin|proxied|proxy|public|real|remote|request|server|site|source|ssl|target|tls|true|upstream"
    "|url|viewer|web"
)
_PART = (
    "authority|backend|domain|fqdn|host|host-?name|https|method|path|path-info|port|prefix|proto|protocol|query"
    "|query-string|scheme|server|server-name|ssl|subdomain|tls|upstream|uri|url"
    "|addr|address|client-?ip|ip|ips|ip-addr|ip-address"
)
_ABOUT_THE_REQUEST = re.compile(rf"(?:x-(?:(?:{_WHOSE})-)*|(?:(?:{_WHOSE})-)+)(?:{_PART})|(?:.*-)?override")

_TARGET = frozenset(
    # the host, scheme, port or path that the client has used, or is to be treated as having used
    "base-url context-path destination document-root document-uri front-end-https gateway-interface host-name https"
    " path-info path-translated proxy-request-fulluri query-string script-filename script-name script-uri script-url"
    " server-name server-software ssl surrogate-capability unencoded-url uri url x-context-path x-cf-url"
    " x-ning-request-uri x-orchestra-scheme x-rewrite x-script-name x-wap-profile xproxy".split()
)
_CLIENT = frozenset(
    # the client's address, name or country, as a gateway says; and HTTP_PROXY, which programs obey (httpoxy)
    "auth-type auth-user clientip cloudfront-viewer-country fastly-client-ip incap-client-ip proxy remote-ident"
    " remote-user x-auth-user x-azc-remote-addr x-client-cert x-client-verify x-custom-ip-authorization x-geoip-country"
    " x-proxyuser-ip x-user x-username".split()
)
_PREFIXES = (
    *(
        "cert-",
        "cf-",
        "forwarded-",
        "http-",
        "redirect-",
        "ssl-client-",
        "wl-proxy-",
        "wsgi-",
        "x-accel-",
        "x-amzn-remapped-",
        "x-appengine-",
        "x-arr-",
    ),
    *("x-auth-request-", "x-authenticated-", "x-envoy-", "x-forward-", "x-forwarded", "x-forwarder-", "x-http-"),
    *("x-invoke-", "x-matched-", "x-middleware-", "x-ms-client-principal", "x-nextjs-", "x-now-route-", "x-original"),
    *("x-originating-", "x-override-", "x-real-", "x-remote-", "x-rewrite-", "x-sendfile-", "x-ssl-", "x-tls-"),
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


@lru_cache(maxsize=1024)
def _is_unkeyed(name: str, method: str) -> bool:
    if name == _ONE_CLIENT or (name == "destination" and method in ("COPY", "MOVE")):  # RFC 4918 §10.3
        return False
    listed = name in _TARGET or name in _CLIENT or name.startswith(_PREFIXES)
    return listed or bool(_ABOUT_THE_REQUEST.fullmatch(name))


@lru_cache(maxsize=512)
def for_all_clients(fields: Fields) -> Fields:
    """Return the fields without those that name the client, since the response is for all clients.

    Every proxy in a chain adds X-Forwarded-For or Forwarded, so these must not keep a request from the cache.
    """
    return fields.without([name for name in fields.names() if folded(name) in (_ONE_CLIENT, "forwarded")])
