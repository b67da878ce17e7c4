"""The key `workers`: how many processes serve clients."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator

MAX_WORKERS = 256
"""More processes than a machine has cores only cost memory."""

CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""The processor time that a container may use, as microseconds in each period of microseconds."""


def _workers(value: object) -> int | Literal["auto"]:
    if value == "auto":
        return "auto"
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_WORKERS:
        return value
    raise ValueError(f'a number from 1 to {MAX_WORKERS}, or "auto"')


Workers = Annotated[int | Literal["auto"], BeforeValidator(_workers, json_schema_input_type=int | Literal["auto"])]


def usable_cores(quota: Path = CPU_QUOTA) -> int:
    """Return how many processor cores this process may use at a time, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        allowed, period = quota.read_text().split()
        cores = min(cores, math.ceil(int(allowed) / int(period)))
    except (OSError, ValueError):  # no container, or "max": no limit
        pass
    return max(cores, 1)
