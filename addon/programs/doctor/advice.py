"""The command that helps where a program does not do its part: for this system, ready to be pasted."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass

from addon.programs.trust.files import STORE_PASSWORD, TrustFiles

_REACH = {
    "curl": "echo 'proxy = {proxy}' >> ~/.curlrc",
    "pip": "pip config set global.proxy {proxy}",
    "npm": "npm config set proxy {proxy} && npm config set https-proxy {proxy}",
    "git": "git config --global http.proxy {proxy}",
    "Chromium": "chromium --proxy-server={proxy}",
    # these heed nothing but the variables, which they had
    "cargo": "cargo --version",
    "go": "go version",
    "java": "java -version",
}

_TRUST = {
    "curl": """echo 'cacert = "{plain}"' >> ~/.curlrc""",
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

_KEYCHAIN = (
    "secondhand trust export --out secondhand-ca.pem && sudo security add-trusted-cert -d -r trustRoot"
    " -k /Library/Keychains/System.keychain secondhand-ca.pem"
)

_ASK_THE_KEYCHAIN = frozenset({"go", "Chromium"})
"""Who on macOS looks there alone."""

_CERTUTIL = {"apt-get": "libnss3-tools", "dnf": "nss-tools", "zypper": "mozilla-nss-tools", "pacman": "nss"}
"""The package that has what writes to Chromium's own store, by what installs it."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """What a program can be pointed to for good."""

    proxy: str
    """The URL of the proxy."""
    trust: TrustFiles


def reach(name: str, lasting: Lasting) -> str:
    """Return what makes a program go to the proxy, or shows why it cannot."""
    return _filled(_REACH[name], lasting)


def trust(name: str, lasting: Lasting, system: str = sys.platform) -> str:
    """Return what makes a program trust the proxy."""
    if system == "darwin" and name in _ASK_THE_KEYCHAIN:
        return _KEYCHAIN
    return _filled(_TRUST[name], lasting) if name in _TRUST else _install()


def take(name: str) -> str:
    """Return what gives a program copies as if they were no copies."""
    return f"SECONDHAND_ANSWER__STATUS=origin secondhand run -- {name.lower()}"


def _install() -> str:
    if shutil.which("certutil"):
        return "secondhand trust install"
    found = ((tool, package) for tool, package in _CERTUTIL.items() if shutil.which(tool))
    tool, package = next(found, ("apt-get", _CERTUTIL["apt-get"]))
    verb = "-S" if tool == "pacman" else "install"
    return f"sudo {tool} {verb} {package} && secondhand trust install"


def _filled(command: str, lasting: Lasting) -> str:
    bundle, java = lasting.trust.bundle, lasting.trust.java
    quoted = shlex.quote(str(bundle))
    return command.format(proxy=lasting.proxy, password=STORE_PASSWORD, bundle=quoted, plain=bundle, java=java)
