"""mitmproxy is imported once, here, where its own use of deprecated names is not our failure."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import addon.server  # noqa: F401 - for what it imports
