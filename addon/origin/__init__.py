"""Our own HTTP client for origins, with pooled connections.

How a request is sent: `client` (`OriginClient`) picks the pool of the request's origin, leases a connection, sends the
request and returns the response (`OriginResponse`).

- `options`: the settings; `errors`: the failures, by proxy error type (RFC 9209).
- `pool`: the connections to one origin; `dial`: opens them; `proxy`: the route, direct or through an upstream proxy.
- `resolver`: the addresses of a host, from `hosts_file`, `name_servers` or `system_names`; `watched_file`: their files.
- `destinations`: in which order addresses are tried, and which are refused.
- `connect_failures`, `tls_alerts`, `other_protocols`: what went wrong, told from errors and first bytes.
- `connection`: one connection, which carries one exchange after the other; `time_limits`: how long each may take;
  `deadline`: their timer.
- `request_head`: the bytes of a request head; `request_body`: a request's content, and its sender.
- `response_reader`: reads one response into a `response_buffer`, by its `response_head` and perhaps a `chunked_body`;
  `head_cache`: response heads parsed before; `head_form`: what similar ones have in common.
- `reachability`: the origins that do not answer, and when a request may try them again.
- `http2`: frames, windows and faults of HTTP/2, used for clients as well.
- `lint`: the checks of `secondhand lint` on an origin's response.
"""

from addon.origin.client import OriginClient, OriginResponse
from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.options import OriginOptions
from addon.origin.request_body import RequestContent

__all__ = ["FailureKind", "OriginClient", "OriginFailure", "OriginOptions", "OriginResponse", "RequestContent"]
