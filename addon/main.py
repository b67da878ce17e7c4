"""The script that `mitmdump -s` and `mitmweb -s` load. mitmproxy takes the addon from `addons`."""

import sys
from pathlib import Path

# mitmproxy puts a script's folder first into sys.path, where our modules would hide others of the same name
sys.path[:] = [entry for entry in sys.path if Path(entry).absolute() != Path(__file__).absolute().parent]

from addon.frontend.mitm.embedded import Embedded  # noqa: E402 - the import needs the sys.path that is set above

addons = [Embedded()]
