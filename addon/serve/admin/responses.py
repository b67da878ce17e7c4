"""Responses of the admin listener: JSON, and problems (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from starlette.responses import Response

NO_FIELDS: Mapping[str, str] = MappingProxyType({})


FIELDS_OF_ALL = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
)
"""Fields of every response."""


def json_response(content: object, status: int = 200) -> Response:
    """Return a response with a value as JSON."""
    return _response(content, status, "application/json")


def problem(status: int, detail: str, fields: Mapping[str, str] = NO_FIELDS) -> Response:
    """Return an error, with a sentence that says what is wrong, and more fields."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return _response(content, status, "application/problem+json", fields)


def _response(content: object, status: int, media_type: str, fields: Mapping[str, str] = NO_FIELDS) -> Response:
    return Response(f"{json.dumps(content)}\n", status, dict(fields), media_type)
