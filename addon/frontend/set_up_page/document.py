"""The set-up page as HTML: no script, nothing from elsewhere, and no paths of this machine."""

from __future__ import annotations

import html
import shlex
from collections.abc import Iterable, Mapping

from addon.frontend.set_up_page.certificate_files import CertificateFile
from addon.frontend.set_up_page.code import Code
from addon.programs.trust.instructions import CERTIFICATE_FILE, LINUX, OTHER_SYSTEMS, PROGRAMS, Instruction
from addon.runtime.page_policy import page_policy
from cache.http.messages import host_port

_STYLE = """
:root{color-scheme:light dark;--line:#c9ccd1;--code:#f1f3f5;--link:#0b57d0}
@media(prefers-color-scheme:dark){:root{--line:#4a4f57;--code:#1f2329;--link:#8ab4f8}
body{background:#14171a;color:#e6e8ea}}
body{font:16px/1.55 system-ui,sans-serif;max-width:48rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .5rem}h2{font-size:1.2rem;margin:2.2rem 0 .5rem}
h3{font-size:1rem;margin:1.2rem 0 .3rem}a{color:var(--link)}p{margin:.5rem 0}
pre{background:var(--code);border:1px solid var(--line);border-radius:6px;padding:.6rem .8rem;margin:.3rem 0;
white-space:pre;overflow-x:auto;font:.85rem/1.5 ui-monospace,monospace}
code{font:.85rem ui-monospace,monospace;overflow-wrap:anywhere}li{margin:.3rem 0}
svg{display:block;width:11rem;height:auto;margin:.6rem 0}
"""

POLICY = page_policy(_STYLE, "frame-ancestors 'none'")
"""The Content-Security-Policy of the page: its own style and nothing else."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Set up secondhand</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>Set up this computer for the proxy</h1>
<p>This is the proxy <code>{proxy}</code>. It is a cache: it answers from copies, and says so. To cache
<code>https</code> too, it signs certificates with a certificate authority (CA) of its own. Programs have to trust this
CA.</p>
<p>Trust it only if you know who operates this proxy: the operator can read and change what the programs send.</p>
<h2>1. Get the certificate</h2>
<ul>
{downloads}
</ul>
<p>Or on the command line:</p>
{fetch}
<p>Compare the SHA-256 fingerprint with the one that the operator has told you, since this page may have come over
<code>http</code>:</p>
<p><code>{fingerprint}</code></p>
{check}
{code}
<h2>2. Trust it in the whole system</h2>
{systems}
<h2>3. Or in single programs</h2>
<p>These lines also make the programs use the proxy. Variables that are exported apply to one shell.</p>
{programs}
<h2>On the computer where the proxy runs</h2>
<p>There, one line is enough for all command line programs. The second trusts the certificate in the system and in
browsers.</p>
{here}
</main>
</body>
</html>
"""


def set_up_document(
    files: Mapping[str, CertificateFile], fingerprint: str, host: str, port: int, code: Code | None = None
) -> bytes:
    """Return the page.

    Args:
        files: The files of the certificate, by path.
        fingerprint: The SHA-256 fingerprint of the certificate, with a colon between bytes.
        host: The host by which the client reaches the proxy; an IPv6 address has no brackets.
        port: Its port.
        code: The code with the address of this page; None if no other device can use the address.
    """
    proxy = f"http://{host_port(host, port)}"
    fetch = f"curl -o {CERTIFICATE_FILE} {shlex.quote(f'{proxy}/cert/pem')}"
    check = f"openssl x509 -noout -fingerprint -sha256 -in {CERTIFICATE_FILE}"
    page = _PAGE.format(
        style=_STYLE,
        proxy=html.escape(proxy),
        downloads="\n".join(
            f'<li><a href="{path}" download>{html.escape(file.name)}</a>: {html.escape(file.purpose)}</li>'
            for path, file in files.items()
        ),
        fetch=_commands([fetch]),
        # a line may be broken between two bytes, and not within one
        fingerprint=fingerprint.replace(":", ":<wbr>"),
        check=_commands([check]),
        code=_drawn(code) if code else "",
        systems=_sections([*LINUX, *OTHER_SYSTEMS], host, port),
        programs=_sections(PROGRAMS, host, port),
        here=_commands(['eval "$(secondhand env)"', "secondhand trust install"]),
    )
    return page.encode()


_CODE = """<h3>On a telephone or another device</h3>
<p>With its camera, it opens this page, <code>{address}</code>, to get the certificate. It has to be in the same
network.</p>
<svg viewBox="0 0 {size} {size}" role="img" aria-label="QR code with the address of this page">
<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path d="{path}"/></svg>"""


def _drawn(code: Code) -> str:
    return _CODE.format(address=html.escape(code.address), size=code.size, path=code.path)


def _sections(instructions: Iterable[Instruction], host: str, port: int) -> str:
    sections = []
    for each in instructions:
        lines = each.filled(host=host, port=port)
        body = _commands(lines) if each.is_command else f"<p>{html.escape(' '.join(lines))}</p>"
        sections.append(f"<h3>{html.escape(each.name)}</h3>\n{body}")
    return "\n".join(sections)


def _commands(lines: Iterable[str]) -> str:
    # long lines are not broken; with tabindex, they are moved sideways with the keyboard, too
    return f"<pre tabindex='0'>{html.escape('\n'.join(lines))}</pre>"
