"""The environment variables that make programs use the proxy and trust its CA, also as a shell script."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from enum import StrEnum
from urllib.parse import urlsplit

from addon.programs.trust.client_authorities import CA_FILES
from addon.programs.trust.files import STORE_PASSWORD, TrustFiles

LOOPBACK = "localhost,127.0.0.1,::1"


class Shell(StrEnum):
    """The shells that a script can be written for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def variables(proxy: str, trust: TrustFiles, environ: Mapping[str, str], *, localhost: bool = False) -> dict[str, str]:
    """Return the variables that make programs use a proxy.

    Args:
        proxy: The URL of the proxy, `http://HOST:PORT`.
        trust: The files that make programs trust its CA.
        environ: The environment so far; its options for Java and Node are kept.
        localhost: Send requests for this machine through the proxy, too.
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
        # Node's own switch; the preload script does the same for releases that do not know it
        "NODE_USE_ENV_PROXY": "1",
        "NODE_OPTIONS": _with_option(environ, "NODE_OPTIONS", f'--require "{trust.preload}"'),
        # also read by Maven and Gradle. A Gradle daemon would keep the options when the proxy has ended.
        "JAVA_TOOL_OPTIONS": _with_option(environ, "JAVA_TOOL_OPTIONS", _java_options(proxy, trust, direct)),
        "APT_CONFIG": str(trust.apt),
        "GRADLE_OPTS": _with_option(environ, "GRADLE_OPTS", "-Dorg.gradle.daemon=false"),
        **trust.variables,
    }


def _with_option(environ: Mapping[str, str], name: str, option: str) -> str:
    before = environ.get(name, "")
    return before if option in before else f"{before} {option}".strip()


def _java_options(proxy: str, trust: TrustFiles, direct: str) -> str:
    address = urlsplit(proxy)
    options = {
        "http.proxyHost": address.hostname,
        "http.proxyPort": address.port,
        "https.proxyHost": address.hostname,
        "https.proxyPort": address.port,
        "http.nonProxyHosts": "|".join(direct.split(",")).replace("::1", "[::1]"),
        "javax.net.ssl.trustStore": trust.java,
        "javax.net.ssl.trustStoreType": "PKCS12",
        "javax.net.ssl.trustStorePassword": STORE_PASSWORD,
        "aether.connector.http.useSystemProperties": "true",  # without it, Maven 3.9 ignores all of these
    }
    # the JVM splits the value at spaces, and accepts quotes like a shell
    return " ".join(
        f'"-D{name}={value}"' if " " in str(value) else f"-D{name}={value}" for name, value in options.items()
    )


def script(values: Mapping[str, str | None], shell: Shell) -> str:
    """Return a script for a shell that sets the variables, and unsets those whose value is None."""
    return "".join(f"{_LINES[shell](name, value)}\n" for name, value in values.items())


def _posix(name: str, value: str | None) -> str:
    return f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str | None) -> str:
    if value is None:
        return f"set -e -g {name}"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _powershell(name: str, value: str | None) -> str:
    if value is None:
        return f"Remove-Item Env:{name} -ErrorAction SilentlyContinue"
    doubled = value.replace("'", "''")
    return f"$env:{name} = '{doubled}'"


_LINES: Mapping[Shell, Callable[[str, str | None], str]] = {
    Shell.BASH: _posix,
    Shell.ZSH: _posix,
    Shell.FISH: _fish,
    Shell.POWERSHELL: _powershell,
}
