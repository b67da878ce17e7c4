"""The CA files that the user has given to single programs, by a variable or in the settings of the program.

`secondhand run` replaces these settings by its own, and the proxy asks the origins in the place of the program. So the
proxy has to trust these CAs as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from addon.config.user_folders import home_directory

CA_FILES = (
    "SSL_CERT_FILE",  # OpenSSL and programs that use it: Ruby, uv, Go, Nix
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",  # curl, and R
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "npm_config_cafile",  # a cafile in npm's own configuration would otherwise replace all other CAs
    "YARN_HTTPS_CA_FILE_PATH",
    "DENO_CERT",
    "GIT_SSL_CAINFO",  # Git, and git-lfs
    "CARGO_HTTP_CAINFO",
    "BUNDLE_SSL_CA_CERT",
    "COMPOSER_CAFILE",
    "HEX_CACERTS_PATH",
    "JULIA_SSL_CA_ROOTS_PATH",
    "SYSTEM_CERTIFICATE_PATH",  # Haskell: Stack, Cabal
    "AWS_CA_BUNDLE",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "HTTPLIB2_CA_CERTS",
    "NIX_SSL_CERT_FILE",
    "PERL_LWP_SSL_CA_FILE",
)
"""Variables that name a file of CA certificates."""

_IN_SETTINGS = (
    (("$npm_config_userconfig", "~/.npmrc"), "cafile"),
    (("$PIP_CONFIG_FILE", "~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/pip.conf"), "cert"),
    (("$GIT_CONFIG_GLOBAL", "~/.gitconfig", "~/.config/git/config", "/etc/gitconfig"), "sslcainfo"),
    (("~/.curlrc", "~/.config/.curlrc"), "cacert"),
    (("~/.cargo/config.toml",), "cainfo"),
    (("$WGETRC", "~/.wgetrc", "/etc/wgetrc"), "ca_?certificate"),
    (("$WGET2RC", "~/.wget2rc"), "ca-certificate"),
    (("~/.lftprc", "~/.lftp/rc", "~/.config/lftp/rc"), r"set[ \t]+ssl:ca-file"),
    (("~/.aria2/aria2.conf", "~/.config/aria2/aria2.conf"), "ca-certificate"),
    (("~/.hgrc", "~/.config/hg/hgrc", "/etc/mercurial/hgrc"), "cacerts"),
    (("~/.yarnrc.yml",), r"(?<![ \t])httpsCaFilePath"),  # in networkSettings, it is for some hosts
)
"""Settings files of the user and the system, and the key in each that names a file of CA certificates.

`~` is the home directory, and `$` begins the name of a variable. Files of a project are left out: a project could make
the proxy trust any CA, for all programs. So are settings for some hosts: the proxy trusts a CA for all hosts.
"""

_SECTION_FOR_SOME_HOSTS = re.compile(r"^[ \t]*\[(?![ \t]*[\w-]+[ \t]*\]).*(?:\r?\n(?![ \t]*\[).*)*", re.MULTILINE)
"""A section whose name has more than one word, such as Git's `[http "https://git.example"]`."""

_MAX_SETTINGS = 1_048_576
"""Bytes of a settings file that are read."""


def client_authorities(environ: Mapping[str, str]) -> Iterator[Path]:
    """Iterate over the readable files that programs in this environment were told to trust.

    Nobody has checked that they hold certificates.
    """
    home = home_of(environ)
    for name in (*_named_by_variables(environ), *_named_in_settings(environ, home)):
        path = _below_home(name.replace("${HOME}", "~"), home)
        with suppress(OSError, ValueError):  # the program could not read it either
            if path.is_file() and os.access(path, os.R_OK):
                yield path


def _named_by_variables(environ: Mapping[str, str]) -> Iterator[str]:
    yield from (environ[name] for name in CA_FILES if environ.get(name))


def _named_in_settings(environ: Mapping[str, str], home: Path) -> Iterator[str]:
    for files, key in _IN_SETTINGS:
        line = re.compile(rf"^[ \t]*-{{0,2}}{key}[=: \t]+[\"']?([^\"'\r\n#]+)", re.IGNORECASE | re.MULTILINE)
        for name in files:
            place = environ.get(name[1:], "") if name.startswith("$") else name
            if place:
                yield from map(str.strip, line.findall(_for_all_hosts(_text(_below_home(place, home)))))


def _for_all_hosts(settings: str) -> str:
    return _SECTION_FOR_SOME_HOSTS.sub("", settings)


def home_of(environ: Mapping[str, str]) -> Path:
    """Return the home directory of programs in this environment."""
    home = Path(environ["HOME"]) if environ.get("HOME") else home_directory()
    return home if home and os.access(home, os.X_OK) else Path(os.devnull)  # in which nothing is found


def _below_home(name: str, home: Path) -> Path:
    return home / name[2:] if name.startswith("~/") else Path(name)


def _text(file: Path) -> str:
    """Return the beginning of a file; nothing if it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(_MAX_SETTINGS).decode(errors="replace")
    except (OSError, ValueError):
        return ""
