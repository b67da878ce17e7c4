"""The script that `mitmdump -s` and `mitmweb -s` load. mitmproxy takes the addon from `addons`."""

import sys
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).absolute().parent

# mitmproxy puts a script's folder first into sys.path, where our modules would hide others of the same name
sys.path[:] = [entry for entry in sys.path if Path(entry).absolute() != FOLDER]

# PYTHONPATH may name a project with an `addon` or a `cache` of its own. So our packages are imported from their folder;
# modules inside them are found by the packages from then on.
sys.path.insert(0, str(FOLDER.parent))
packages = [import_module(name) for name in ("addon", "cache")]
sys.path.remove(str(FOLDER.parent))

for package in packages:
    if Path(package.__file__ or "").parents[1] != FOLDER.parent:  # another script of this mitmproxy was loaded before
        message = f"expected secondhand's package {package.__name__}, found {package.__file__}: load this script first"
        raise ImportError(message)

addons = [import_module("addon.frontend.mitm.embedded").Embedded()]
