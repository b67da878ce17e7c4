"""Requests of flows inside another mitmproxy: what they are to the cache, and what mitmproxy sends for them."""

from __future__ import annotations

from dataclasses import replace

from mitmproxy import ctx, http
from mitmproxy.proxy.mode_specs import ReverseMode, UpstreamMode

from addon.frontend.mitm.messages import fields_of, has_content, joined_cookies, named_authority
from cache.http.field_table import FRAMING
from cache.http.messages import Fields, Request, normalised_authority

Destination = tuple[str, str, int]
"""Scheme, host and port to which mitmproxy sends a request."""

KEPT = FRAMING | {"connection", "upgrade", "trailer"}
"""Fields that mitmproxy frames messages by, or by which it hands a connection to another protocol."""


def destination_of(flow: http.HTTPFlow) -> Destination:
    """Return where mitmproxy sends a request."""
    return flow.request.scheme, flow.request.data.host, flow.request.data.port


def request_of_flow(flow: http.HTTPFlow, asked: Destination) -> Request:
    """Return the request of a flow, as other addons have left it. `asked` is where the client sent it."""
    message, client = flow.request, flow.client_conn
    fields = fields_of(message.headers)
    if message.is_http2 or message.is_http3:
        fields = joined_cookies(fields).replacing("Host", message.data.authority.decode("latin-1") or message.data.host)
    # one spelling: an origin's response may show it, and is stored for all of them
    named = fields.get("host")
    if named is not None and (spelled := normalised_authority(named, message.scheme)) != named:
        fields = fields.replacing("Host", spelled)
    request = Request(
        method=message.data.method.decode("latin-1"),
        scheme=message.scheme,
        host=message.data.host,
        port=message.data.port,
        target=message.data.path.decode("latin-1"),
        fields=fields,
        version=message.http_version,
        has_content=has_content(message),
        # another addon may send a request elsewhere than the client's TLS connection goes
        tls_name=client.sni if destination_of(flow) == asked else None,
    )
    return _as_addressed(request, flow)


def _as_addressed(request: Request, flow: http.HTTPFlow) -> Request:
    """Return the request with the host that the client named, if mitmproxy knows only an address or a backend."""
    client = flow.client_conn
    if isinstance(client.proxy_mode, ReverseMode):
        scheme = "https" if client.tls else "http"
        if not ctx.options.keep_host_header or (request.tls_name is None and client.sni) or len(ctx.options.mode) > 1:
            # under a name that the client chose, clients in the other modes would find this origin's responses
            return replace(request, tls_name=None)
        named = named_authority(request.fields.get("host"), scheme)
        return replace(request, scheme=scheme, host=named[0], port=named[1]) if named else request
    named = named_authority(request.fields.get("host"), request.scheme)
    # only a server with a certificate for this name can have sent the response; a certificate names no port
    if named and request.scheme == "https" and named == ((request.tls_name or "").lower(), request.port):
        return replace(request, host=named[0])
    return request


def send_as(flow: http.HTTPFlow, request: Request, upstream: Request) -> None:
    """Make a flow's request, which is `request` to the cache, the one that the engine sends upstream.

    Only what differs is changed. Fields that concern mitmproxy's own connections stay as they are.
    """
    headers, kept = flow.request.headers, set(KEPT)
    if isinstance(flow.client_conn.proxy_mode, UpstreamMode):
        kept.add("proxy-authorization")
    if flow.request.is_http2 or flow.request.is_http3:
        kept.add("te")  # RFC 9113 §8.2.2: an end-to-end field there
    before, after = _by_name(request.fields), _by_name(upstream.fields)
    for name in before.keys() - after.keys() - kept:
        headers.pop(name, None)
    content = flow.request.raw_content
    if content and "content-length" not in headers and "transfer-encoding" not in headers:
        # mitmproxy would send content that came over HTTP/2 without any framing (RFC 9112 §6.3)
        headers["content-length"] = str(len(content))
    for name in dict.fromkeys(name for name, _ in upstream.fields):
        if before.get(name.lower()) != after[name.lower()]:
            headers.set_all(name, list(after[name.lower()]))
    _name_host(flow.request, upstream.fields.get("host"))


def _name_host(message: http.Request, named: str | None) -> None:
    """Let a message name its host as the cache does, wherever it names it."""
    if named is None:
        return
    if message.data.authority:
        message.data.authority = named.encode("latin-1")
    if "host" in message.headers:  # over HTTP/2, a client may send both, and mitmproxy prefers this one over HTTP/1
        message.headers["host"] = named


def upstream_credentials(flow: http.HTTPFlow) -> tuple[tuple[str, str], ...]:
    """Return the fields by which a flow's request in clear text authenticates itself to an upstream proxy."""
    value = flow.request.headers.get("proxy-authorization")
    if value is None or flow.request.scheme != "http" or not isinstance(flow.client_conn.proxy_mode, UpstreamMode):
        return ()
    return (("Proxy-Authorization", value),)


def _by_name(fields: Fields) -> dict[str, tuple[str, ...]]:
    return {name: fields.all(name) for name in fields.names()}
