"""Our own HTTP client for origins, with pooled connections.

How a request is sent: `client` (`OriginClient`) picks the pool of the request's origin, acquires a connection, sends
the request and returns the response (`OriginResponse` in `origin_response`).

- `options`: the settings; `errors`: the failures, by proxy error type (RFC 9209).
- `pool`: the connections to one origin; `dial`: opens them; `negotiation`: the protocol spoken on them; `proxy`: the
  route, direct or through an upstream proxy.
- `resolver`: the addresses of a host, from `hosts_file`, `name_servers` (`dns_answer`) or `system_names`;
  `watched_file`: their files.
- `destinations`: in which order addresses are tried, and which are refused.
- `connect_failures`, `tls_alerts`, `other_protocols`: what went wrong, told from errors and first bytes.
- `connection`: one connection of HTTP/1.1, which carries one exchange after the other; `reading`: how much it reads at
  a time; `time_limits`: how long each exchange may take; `deadline`: their timer.
- `exchange`: what client and connections of both protocols say to each other; `retries`: when a request is sent again.
- `request_head`: the bytes of a request head; `request_body`: a request's content, and its sender; `prepared_request`:
  a request whose head is encoded already.
- `response_reader`: reads one response into a `response_buffer`, by its `response_head` and perhaps a `chunked_body`;
  `head_cache`: response heads parsed before; `head_form`: what similar ones have in common.
- `web_socket`: the handshake of a WebSocket.
- `reachability`: the origins that do not answer, and when a request may try them again.
- `backends`: the sites of an edge, and which of their origins gets a request.
- `http2`: connections of HTTP/2; their frames, windows and faults are used for clients as well.
- `lint`: the checks of `secondhand lint` on an origin's response.
"""

from addon.origin.client import OriginClient
from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.options import OriginOptions
from addon.origin.origin_response import OriginResponse
from addon.origin.request_body import BrokenRequestBody, RequestContent

__all__ = [
    "BrokenRequestBody",
    "FailureKind",
    "OriginClient",
    "OriginFailure",
    "OriginOptions",
    "OriginResponse",
    "RequestContent",
]
