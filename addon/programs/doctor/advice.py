"""Shell commands that configure a program for the proxy, for this system and ready to paste."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass

from addon.programs.trust.client_files import PHP_FOLDER
from addon.programs.trust.files import STORE_PASSWORD, TrustFiles
from addon.programs.trust.instructions import CERTIFICATE_FILE, MACOS

_PROXY_COMMANDS = {
    "curl": "echo 'proxy = {proxy}' >> ~/.curlrc",
    "wget": "printf 'http_proxy = {proxy}\\nhttps_proxy = {proxy}\\n' >> ~/.wgetrc",
    "aria2": "mkdir -p ~/.aria2 && echo 'all-proxy={proxy}' >> ~/.aria2/aria2.conf",
    "lftp": "printf 'set http:proxy {proxy}\\nset https:proxy {proxy}\\n' >> ~/.lftprc",
    "PHP": "export http_proxy={proxy} https_proxy={proxy}",
    "pip": "pip config set global.proxy {proxy}",
    "npm": "npm config set proxy {proxy} && npm config set https-proxy {proxy}",
    "git": "git config --global http.proxy {proxy}",
    "Chromium": "chromium --proxy-server={proxy}",
    # these take a proxy only from the variables, which were set already: see whether they run at all
    "cargo": "cargo --version",
    "go": "go version",
    "java": "java -version",
}

_TRUST_COMMANDS = {
    "curl": """echo 'cacert = "{plain}"' >> ~/.curlrc""",
    "wget": "echo 'ca_certificate = {plain}' >> ~/.wgetrc",
    "aria2": "mkdir -p ~/.aria2 && echo 'ca-certificate={plain}' >> ~/.aria2/aria2.conf",
    "lftp": """echo 'set ssl:ca-file "{plain}"' >> ~/.lftprc""",
    "PHP": "export PHP_INI_SCAN_DIR=:{php}",
    "pip": "pip config set global.cert {bundle}",
    "npm": "npm config set cafile {bundle}",
    "git": "git config --global http.sslCAInfo {bundle}",
    "cargo": "export CARGO_HTTP_CAINFO={bundle}",
    "go": "export SSL_CERT_FILE={bundle}",
    "java": (
        """export JAVA_TOOL_OPTIONS='"-Djavax.net.ssl.trustStore={java}" """
        "-Djavax.net.ssl.trustStorePassword={password}'"
    ),
}

_KEYCHAIN_COMMAND = " && ".join((f"secondhand trust export --out {CERTIFICATE_FILE}", *MACOS.filled()))

_KEYCHAIN_ONLY = frozenset({"go", "Chromium"})
"""Programs that on macOS take CAs from the keychain only."""

_CERTUTIL_PACKAGES = {
    "apt-get": "libnss3-tools",
    "dnf": "nss-tools",
    "zypper": "mozilla-nss-tools",
    "pacman": "nss",
}
"""The package of certutil, which writes to Chromium's own store, by package manager."""


@dataclass(frozen=True, slots=True)
class ProxySetup:
    """The proxy and the trust files that a program can be configured with permanently."""

    proxy: str
    """The URL of the proxy."""
    trust: TrustFiles


def proxy_command(name: str, setup: ProxySetup) -> str:
    """Return the command that makes a program use the proxy, or shows why it cannot."""
    return _filled(_PROXY_COMMANDS[name], setup)


def trust_command(name: str, setup: ProxySetup, system: str = sys.platform) -> str:
    """Return the command that makes a program trust the proxy's CA."""
    if system == "darwin" and name in _KEYCHAIN_ONLY:
        return _KEYCHAIN_COMMAND
    return _filled(_TRUST_COMMANDS[name], setup) if name in _TRUST_COMMANDS else _install_command()


def copies_command(name: str) -> str:
    """Return the command that runs a program with the origin's status on stored responses, instead of 203."""
    return f"SECONDHAND_ANSWER__STATUS=origin secondhand run -- {name.lower()}"


def _install_command() -> str:
    if shutil.which("certutil"):
        return "secondhand trust install"
    installed = ((tool, package) for tool, package in _CERTUTIL_PACKAGES.items() if shutil.which(tool))
    tool, package = next(installed, ("apt-get", _CERTUTIL_PACKAGES["apt-get"]))
    verb = "-S" if tool == "pacman" else "install"
    return f"sudo {tool} {verb} {package} && secondhand trust install"


def _filled(command: str, setup: ProxySetup) -> str:
    bundle, java = setup.trust.bundle, setup.trust.java
    quoted, php = shlex.quote(str(bundle)), shlex.quote(str(bundle.parent / PHP_FOLDER))
    return command.format(proxy=setup.proxy, password=STORE_PASSWORD, bundle=quoted, plain=bundle, java=java, php=php)
