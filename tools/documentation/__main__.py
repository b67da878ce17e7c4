"""Builds the documentation site: `make docs`. A warning is an error."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.documentation.build import build
from tools.documentation.source import ROOT

if __name__ == "__main__":
    site = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/documentation"
    code = build(site)
    print(f"the site begins at {site / 'html/index.html'}" if code == 0 else "the site has mistakes, see above")
    sys.exit(code)
