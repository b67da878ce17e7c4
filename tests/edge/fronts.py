"""The fronts of an application: secondhand in each of its places, and nginx for comparison."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.edge.browser import HOST, browser
from tests.edge.servers import server
from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import Proxy
from tests.programs.installed_programs import program

GRPC_PATH = "/test.Service/"
"""Below this path, nginx speaks gRPC."""


@dataclass(frozen=True)
class Certificates:
    """The CA that browsers trust, and a certificate of the applications with its key."""

    ca: Path
    server: Path


@dataclass(frozen=True)
class Front:
    """A server that browsers connect to."""

    scheme: str
    port: int
    certificates: Certificates
    proxy: Proxy | None = None
    """The secondhand in it, if there is one."""

    def browser(self) -> httpx.Client:
        """Return the browser of one more person."""
        return browser(self.scheme, self.port, self.certificates.ca)

    @property
    def url(self) -> str:
        """The URL by which browsers reach the application."""
        return f"{self.scheme}://{HOST}"


@contextmanager
def bare(folder: Path, application: str, certificates: Certificates) -> Iterator[Front]:
    """Run secondhand alone, without TLS."""
    with _secondhand(folder, application) as proxy:
        yield Front("http", proxy.port, certificates, proxy)


@contextmanager
def behind_nginx(folder: Path, application: str, certificates: Certificates) -> Iterator[Front]:
    """Run secondhand behind an nginx that has the certificate."""
    with (
        _secondhand(folder, application, 'trusted_proxies = ["127.0.0.1"]') as proxy,
        nginx(folder, proxy.url, certificates, scheme="https") as front,
    ):
        yield Front("https", front.port, certificates, proxy)


@contextmanager
def with_tls(folder: Path, application: str, certificates: Certificates) -> Iterator[Front]:
    """Run secondhand alone, with the certificate."""
    port, file = free_port(), certificates.server
    with _secondhand(
        folder, application, f'listen_tls = "127.0.0.1:{port}"', tls=f'{{ cert = "{file}", key = "{file}" }}'
    ) as proxy:
        yield Front("https", port, certificates, proxy)


PLACES = {"bare": bare, "with TLS": with_tls, "behind nginx with TLS": behind_nginx}
"""The places of secondhand, by their names in the tests."""


@contextmanager
def _secondhand(folder: Path, application: str, *lines: str, tls: str = "") -> Iterator[Proxy]:
    """Run secondhand as the edge of a site, with more lines in its settings, and a certificate of the site."""
    site = [f'hosts = ["{HOST}"]', f'origins = ["{application}"]', *([f"tls = {tls}"] if tls else [])]
    settings = folder / "secondhand.toml"
    settings.write_text("\n".join([*lines, "[[site]]", *site, ""]))
    command = ("secondhand", "serve", "--config", str(settings))
    with Proxy(folder, command=command, settings={"ORIGIN__PROXY": "none"}) as proxy:
        yield proxy


@contextmanager
def nginx(
    folder: Path, target: str, certificates: Certificates, *, scheme: str, cache: bool = False
) -> Iterator[Front]:
    """Run an nginx as a reverse proxy of a target, with a cache or without."""
    port = free_port()
    configuration = folder / f"nginx-{port}.conf"
    configuration.write_text(
        NGINX.format(
            temporary="".join(
                f"  {each}_temp_path {folder}/{each}-{port};\n"
                for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            ),
            folder=folder,
            port=port,
            options=" ssl http2" if scheme == "https" else "",
            certificate=certificates.server,
            target=target,
            grpc=target.replace("http:", "grpc:"),
            grpc_path=GRPC_PATH,
            cache="copies" if cache else "off",
        )
    )
    with server(folder, port, program("nginx"), "-c", configuration):
        yield Front(scheme, port, certificates)


@contextmanager
def nginx_in_its_place(
    folder: Path, application: str, certificates: Certificates, scheme: str
) -> Iterator[dict[str, Front]]:
    """Run two nginx in the place of secondhand, one with a cache and one without."""
    with ExitStack() as running:
        yield {
            name: running.enter_context(nginx(folder, application, certificates, scheme=scheme, cache=cache))
            for name, cache in (("without a cache", False), ("with a cache", True))
        }


NGINX = """
daemon off;
master_process off;
pid {folder}/nginx-{port}.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
{temporary}
  proxy_cache_path {folder}/copies-{port} keys_zone=copies:1m;
  map $http_upgrade $kept_connection {{ default upgrade; "" ""; }}
  server {{
    listen 127.0.0.1:{port}{options};
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    client_max_body_size 0;
    location / {{
      proxy_pass {target};
      proxy_redirect off;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_cache {cache};
      proxy_cache_key $scheme$http_host$request_uri;
      proxy_set_header Host $http_host;
      proxy_set_header Connection $kept_connection;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Port "";
      proxy_set_header X-Forwarded-Prefix "";
      proxy_set_header Forwarded "";
      add_header X-Cache $upstream_cache_status always;
    }}
    location {grpc_path} {{
      grpc_pass {grpc};
      grpc_set_header Host $host;
      grpc_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""
