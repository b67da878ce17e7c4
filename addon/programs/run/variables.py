"""The variables that programs read to find a proxy and whom to trust, in the languages of shells."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from enum import StrEnum
from urllib.parse import urlsplit

from addon.programs.trust.files import STORE_PASSWORD, TrustFiles

LOOPBACK = "localhost,127.0.0.1,::1"

CA_FILES = (
    "SSL_CERT_FILE",  # OpenSSL and all that stands on it: Ruby, uv, Go, Nix, wget
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "npm_config_cafile",  # npm's own setting would otherwise be all that npm trusts
    "YARN_HTTPS_CA_FILE_PATH",
    "DENO_CERT",
    "GIT_SSL_CAINFO",
    "CARGO_HTTP_CAINFO",
    "BUNDLE_SSL_CA_CERT",
    "AWS_CA_BUNDLE",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "HTTPLIB2_CA_CERTS",
    "NIX_SSL_CERT_FILE",
    "PERL_LWP_SSL_CA_FILE",
)
"""Variables that name a file of certificate authorities."""


class Shell(StrEnum):
    """The shells whose language is spoken."""

    BASH = "bash"
    FISH = "fish"
    POWERSHELL = "powershell"


def variables(proxy: str, trust: TrustFiles, environ: Mapping[str, str], *, localhost: bool = False) -> dict[str, str]:
    """Return the variables that send programs to a proxy.

    Args:
        proxy: Its URL, `http://HOST:PORT`.
        trust: The files that let programs trust it.
        environ: The environment so far; options of Java and Node in it are kept.
        localhost: Send requests for this machine there too.
    """
    direct = "" if localhost else LOOPBACK
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
    return {
        **proxies,
        "NO_PROXY": direct,
        "no_proxy": direct,
        **dict.fromkeys(CA_FILES, str(trust.bundle)),
        "CARGO_HTTP_PROXY": proxy,
        "npm_config_proxy": proxy,
        "npm_config_https_proxy": proxy,
        "npm_config_noproxy": direct,
        "YARN_HTTP_PROXY": proxy,
        "YARN_HTTPS_PROXY": proxy,
        # Node's own switch; the preload does its work on releases that do not know it yet
        "NODE_USE_ENV_PROXY": "1",
        "NODE_OPTIONS": _with(environ, "NODE_OPTIONS", f'--require "{trust.preload}"'),
        "JAVA_TOOL_OPTIONS": _with(environ, "JAVA_TOOL_OPTIONS", _java(proxy, trust, direct)),
        "APT_CONFIG": str(trust.apt),
    }


def _with(environ: Mapping[str, str], name: str, option: str) -> str:
    before = environ.get(name, "")
    return before if option in before else f"{before} {option}".strip()


def _java(proxy: str, trust: TrustFiles, direct: str) -> str:
    there = urlsplit(proxy)
    options = {
        "http.proxyHost": there.hostname,
        "http.proxyPort": there.port,
        "https.proxyHost": there.hostname,
        "https.proxyPort": there.port,
        "http.nonProxyHosts": "|".join(direct.split(",")).replace("::1", "[::1]"),
        "javax.net.ssl.trustStore": trust.java,
        "javax.net.ssl.trustStoreType": "PKCS12",
        "javax.net.ssl.trustStorePassword": STORE_PASSWORD,
        "aether.connector.http.useSystemProperties": "true",  # without it Maven 3.9 heeds none of these
    }
    # the JVM splits at spaces, and takes quotes like a shell
    return " ".join(
        f'"-D{name}={value}"' if " " in str(value) else f"-D{name}={value}" for name, value in options.items()
    )


def script(said: Mapping[str, str], shell: Shell) -> str:
    """Return lines in a shell's language that set the variables."""
    return "".join(f"{_LINES[shell](name, value)}\n" for name, value in said.items())


def _fish(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _powershell(name: str, value: str) -> str:
    doubled = value.replace("'", "''")
    return f"$env:{name} = '{doubled}'"


_LINES: Mapping[Shell, Callable[[str, str], str]] = {
    Shell.BASH: lambda name, value: f"export {name}={shlex.quote(value)}",
    Shell.FISH: _fish,
    Shell.POWERSHELL: _powershell,
}
