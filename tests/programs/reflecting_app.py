"""A WSGI application whose responses contain all that a request can change; with wsgiref: python reflecting_app.py.

It obeys the fields that many frameworks obey: X-Forwarded-Host and -Proto, X-HTTP-Method-Override, X-Original-URL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from wsgiref.simple_server import make_server
from wsgiref.util import application_uri

type StartResponse = Callable[[str, list[tuple[str, str]]], object]


def app(environ: dict[str, str], start_response: StartResponse) -> Iterable[bytes]:
    """Return the URL, the method and every field of the request, as the application sees them."""
    method = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", environ["REQUEST_METHOD"])
    path = environ.get("HTTP_X_ORIGINAL_URL", environ["PATH_INFO"])
    host = environ.get("HTTP_X_FORWARDED_HOST", environ["HTTP_HOST"])
    scheme = environ.get("HTTP_X_FORWARDED_PROTO", environ["wsgi.url_scheme"])
    lines = [f"{method} {scheme}://{host}{path}", application_uri(environ), environ["SCRIPT_NAME"]]
    lines += [f"{name}: {environ[name]}" for name in sorted(environ) if name.startswith("HTTP_")]
    content = "\n".join(lines).encode()
    start_response("200 OK", [("Cache-Control", "max-age=600"), ("Content-Length", str(len(content)))])
    return [content]


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
