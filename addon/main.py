"""What `mitmdump -s` and `mitmweb -s` load: `addons`, and nothing else."""

import sys
from pathlib import Path

# mitmproxy leaves a script's folder at the head of the path, where our modules would hide others of the same name
sys.path[:] = [entry for entry in sys.path if Path(entry).absolute() != Path(__file__).absolute().parent]

from addon.frontend.mitm.embedded import Embedded  # noqa: E402 - only now are names what they seem

addons = [Embedded()]
