"""The cache's own HTTP/1.1 client: asks origins, over pooled connections.

One file an idea: `options`, `failure`, the request head (`request`), one response (`exchange`), the `connection` that
carries both, the `pool`, upstream proxies (`proxy`), connecting (`dial`), and the `client` that joins them.
"""

from addon.origin.client import Origin, OriginAnswer
from addon.origin.failure import FailureKind, OriginFailure
from addon.origin.options import OriginOptions

__all__ = ["FailureKind", "Origin", "OriginAnswer", "OriginFailure", "OriginOptions"]
