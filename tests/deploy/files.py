"""The files in `deploy/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def read_yaml(name: str) -> Any:
    """Return the content of a YAML file in `deploy/`."""
    return yaml.safe_load((DEPLOY / name).read_text())
