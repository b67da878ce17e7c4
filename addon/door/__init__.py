"""The fast lane: the proxy's public listener, in front of mitmproxy.

In the order in which a request meets them: `listener`, `conversation` (one connection), `request_head` (its octets),
`destination` (where it goes), `hot` and `pool` (answers that are ready), `answering` and `sending` (all others),
`upload` (content on its way in), `tunnel`, `pipe`, `certificates` and `tls` (CONNECT), `handover` (what mitmproxy does
better), `door` (what all of them share).
"""
