"""Import mitmproxy once, with the deprecation warnings of its own code ignored: pytest turns warnings into errors."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import addon.server  # noqa: F401 - it imports mitmproxy
