"""Imports mitmproxy once for the tests of the access log, which run a front end."""

import tests.addon.frontend.conftest  # noqa: F401 - imports mitmproxy
