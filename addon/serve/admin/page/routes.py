"""The files of the page, by their paths. They have no secrets and need no token; all data comes from the admin API."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from addon.serve.admin.page.address import FOLDER

_INDEX = "index.html"

_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",  # previews of stored images, which the page itself makes
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",  # so no text can become HTML or a script,
        "trusted-types 'none'",  # and nothing can say that some text may
    )
)

_FIELDS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_FILES = {each.name: each.read_bytes() for each in files(__package__).joinpath("static").iterdir()}

PATHS = frozenset({FOLDER, *(FOLDER + name for name in _FILES)})
"""The paths of all files of the page."""


def page_routes() -> list[BaseRoute]:
    """Return the routes of all files."""
    return [_route(FOLDER, _INDEX), *(_route(FOLDER + name, name) for name in _FILES)]


def _route(path: str, name: str) -> Route:
    content, media_type = _FILES[name], _MEDIA_TYPES[name[name.rindex(".") :]]

    async def answer(_request: Request) -> Response:
        return Response(content, headers=_FIELDS, media_type=media_type)

    return Route(path, answer)
