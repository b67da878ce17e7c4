"""The lines that make other systems and programs trust the proxy's CA and use the proxy, for people to copy."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from addon.programs.trust.stores import NICKNAME
from addon.programs.trust.system import SYSTEM_STORES
from cache.http.messages import host_port

CERTIFICATE_FILE = "secondhand-ca.pem"
"""The file into which the lines expect the certificate to be written."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """The lines for one system or program.

    Attributes:
        name: The systems or the programs.
        lines: Commands, or a way through menus. `{ca}` stands for the certificate file, and `{proxy}` for the URL of
            the proxy, `{proxy_host}` and `{proxy_port}` for its parts.
        is_command: The lines are for a shell.
    """

    name: str
    lines: tuple[str, ...]
    is_command: bool = True

    def filled(self, ca: str = CERTIFICATE_FILE, host: str = "", port: int = 0) -> tuple[str, ...]:
        """Return the lines for one certificate file and one proxy. An IPv6 address as host has no brackets."""
        proxy = shlex.quote(f"http://{host_port(host, port)}")
        return tuple(line.format(ca=ca, proxy=proxy, proxy_host=host, proxy_port=port) for line in self.lines)


LINUX = tuple(
    Instruction(
        each.systems,
        (f"sudo cp {{ca}} {each.folder}/{NICKNAME}{each.suffix}", f"sudo {' '.join(each.refresh)}"),
    )
    for each in SYSTEM_STORES
)
"""The whole system, by the same table as `secondhand trust install`."""

MACOS = Instruction(
    "macOS", ("sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {ca}",)
)

OTHER_SYSTEMS = (
    Instruction("openSUSE", (f"sudo cp {{ca}} /etc/pki/trust/anchors/{NICKNAME}.pem", "sudo update-ca-certificates")),
    MACOS,
    Instruction("Windows", ("certutil -addstore Root {ca}",)),
    Instruction("Firefox", ("Settings, Privacy & Security, View Certificates, Authorities, Import",), is_command=False),
)

PROGRAMS = (
    Instruction("Chromium on Linux", (f'certutil -d sql:"$HOME/.pki/nssdb" -A -t C,, -n {NICKNAME} -i {{ca}}',)),
    Instruction("curl", ("curl --proxy {proxy} --cacert {ca} https://example.org/",)),
    Instruction("wget", ("https_proxy={proxy} wget --ca-certificate={ca} https://example.org/",)),
    Instruction(
        "Python: pip, requests, httpx",
        (
            "export HTTP_PROXY={proxy} HTTPS_PROXY={proxy}",
            'export SSL_CERT_FILE="$PWD/{ca}"',
            'export REQUESTS_CA_BUNDLE="$SSL_CERT_FILE" PIP_CERT="$SSL_CERT_FILE"',
        ),
    ),
    Instruction(
        "Node: npm, yarn, pnpm",
        (
            "export HTTP_PROXY={proxy} HTTPS_PROXY={proxy} NODE_USE_ENV_PROXY=1",
            'export NODE_EXTRA_CA_CERTS="$PWD/{ca}" YARN_HTTPS_CA_FILE_PATH="$PWD/{ca}"',
            "export YARN_HTTP_PROXY={proxy} YARN_HTTPS_PROXY={proxy}",
        ),
    ),
    Instruction(
        "Java: Maven, Gradle",
        (
            f"sudo keytool -importcert -noprompt -cacerts -storepass changeit -alias {NICKNAME} -file {{ca}}",
            'export JAVA_TOOL_OPTIONS="-Dhttp.proxyHost={proxy_host} -Dhttp.proxyPort={proxy_port}'
            ' -Dhttps.proxyHost={proxy_host} -Dhttps.proxyPort={proxy_port}"',
        ),
    ),
    Instruction("Git", ("git config --global http.proxy {proxy}", 'git config --global http.sslCAInfo "$PWD/{ca}"')),
    Instruction("Cargo", ('export CARGO_HTTP_PROXY={proxy} CARGO_HTTP_CAINFO="$PWD/{ca}"',)),
    Instruction("Go, Ruby, uv", ("export HTTP_PROXY={proxy} HTTPS_PROXY={proxy}", 'export SSL_CERT_FILE="$PWD/{ca}"')),
)
"""Single programs, without changing the system. The variables are among those that `secondhand env` prints."""
