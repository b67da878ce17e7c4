"""The cache's own HTTP/1.1 client: asks origins, over pooled connections.

One file an idea: `options`, `failure`, the request head (`request`), its `content` and how that is sent (`upload`), one
response (`exchange`), the `deadline` of each step, the `connection` that carries them, the `pool`, upstream proxies
(`proxy`), connecting (`dial`), and the `client` that joins them.
"""

from addon.origin.client import OriginAnswer, OriginClient
from addon.origin.content import RequestContent
from addon.origin.errors import FailureKind, OriginFailure
from addon.origin.options import OriginOptions

__all__ = ["FailureKind", "OriginAnswer", "OriginClient", "OriginFailure", "OriginOptions", "RequestContent"]
