"""The table `[traces]`: where spans are sent (OpenTelemetry)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from addon.config.model import Section


def _endpoint(value: str) -> str:
    if not value:
        return value
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError('the URL of a collector, like "http://127.0.0.1:4318/v1/traces"')
    if not _has_exporter():
        raise ValueError('"", since traces need the extra: pip install "secondhand[otel]"')
    return value


def _has_exporter() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ImportError:  # a package above it is missing
        return False


class TracesSettings(Section):
    """The table `[traces]`."""

    endpoint: Annotated[str, AfterValidator(_endpoint)] = ""
    sample: float = Field(default=1.0, ge=0, le=1)
