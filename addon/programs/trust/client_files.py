"""Settings files for programs that no variable can tell which CAs to trust: wget, lftp, PHP, aria2 and Mercurial.

Each file takes over what the user's own file says. The variables that lead a program to its file are returned.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from addon.programs.trust.client_authorities import home_of
from addon.programs.trust.replaced_files import EXECUTABLE, replace_file

PHP_FOLDER = "php"
"""The folder with the settings for PHP."""

_OVERRIDDEN_BY_WGET_FILE = re.compile(
    rb"[ \t]*(ca[-_]?certificate|use[-_]?proxy|https?[-_]?proxy|no[-_]?proxy)[ \t]*=", re.IGNORECASE
)
"""Lines that would win over the variables, or over the line with our bundle."""

_CA_OPTIONS = {"aria2c": "--ca-certificate={bundle}", "hg": "--config=web.cacerts={bundle}"}
"""The options of programs that take CAs from the command line, or from settings files that no variable adds to."""

_LFTP_DATA = ("bookmarks", "cwd_history", "rl_history", "transfer_log")
"""Files that lftp writes into the folder of its settings."""


def write_client_files(folder: Path, bundle: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Write the files into a folder, and return the variables by which the programs find them.

    Args:
        folder: An existing directory.
        bundle: The CA certificates to trust (PEM).
        environ: The environment so far, which says where the user's own files are.

    Raises:
        OSError: a file cannot be read or written.
    """
    return {
        "WGETRC": str(_wget_file(folder / "wgetrc", b"ca_certificate", bundle, _own(environ, "WGETRC", ".wgetrc"))),
        "WGET2RC": str(_wget_file(folder / "wget2rc", b"ca-certificate", bundle, _own(environ, "WGET2RC", ".wget2rc"))),
        "LFTP_HOME": str(_lftp_folder(folder / "lftp", bundle, environ)),
        "PHP_INI_SCAN_DIR": _php_folders(folder / PHP_FOLDER, bundle, environ.get("PHP_INI_SCAN_DIR")),
        **_path(folder / "bin", bundle, environ),
    }


def _own(environ: Mapping[str, str], variable: str, name: str) -> Path:
    """Return the user's file: the one that a variable names, or else the one of this name in the home directory."""
    return Path(environ[variable]) if environ.get(variable) else home_of(environ) / name


def _wget_file(file: Path, option: bytes, bundle: Path, own: Path) -> Path:
    """Write a file with the user's lines: wget reads one file of the user, and cannot include another."""
    try:
        lines = own.read_bytes().splitlines()
    except (OSError, ValueError):  # there is none, or wget could not read it either
        lines = []
    kept = [line for line in lines if not _OVERRIDDEN_BY_WGET_FILE.match(line)]
    replace_file(file, b"\n".join([*kept, option + b" = " + os.fsencode(bundle), b""]))
    return file


def _lftp_folder(folder: Path, bundle: Path, environ: Mapping[str, str]) -> Path:
    """Write a folder for lftp with its settings; what else the user's folder has is linked."""
    before = environ.get("LFTP_HOME")
    if before and Path(before) == folder:
        return folder  # in a shell that has these variables already
    folder.mkdir(exist_ok=True)
    settings = b""
    for place in [Path(before)] if before else _lftp_folders(environ):
        names = _names_in(place)
        if names is None:
            continue
        for name in {*_LFTP_DATA, *names} - {"rc"}:
            with suppress(FileExistsError):
                (folder / name).symlink_to(place / name)
        if "rc" in names:
            settings += b"source %b\n" % _lftp_quoted(place / "rc")
    replace_file(folder / "rc", settings + b"set ssl:ca-file %b\n" % _lftp_quoted(bundle))
    return folder


def _lftp_folders(environ: Mapping[str, str]) -> list[Path]:
    """Return the folders in which lftp has its data and its settings by default."""
    home = home_of(environ)
    if _names_in(home / ".lftp") is not None:
        return [home / ".lftp"]
    data, settings = environ.get("XDG_DATA_HOME"), environ.get("XDG_CONFIG_HOME")
    return [Path(data or home / ".local/share", "lftp"), Path(settings or home / ".config", "lftp")]


def _names_in(folder: Path) -> set[str] | None:
    """Return the names of the files in a folder; None if there is no folder that can be read."""
    try:
        return {each.name for each in folder.iterdir()}
    except (OSError, ValueError):
        return None


def _lftp_quoted(path: Path) -> bytes:
    return b'"%b"' % os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _php_folders(folder: Path, bundle: Path, before: str | None) -> str:
    """Write a folder with settings for PHP, and return it behind the folders that PHP reads already."""
    folder.mkdir(exist_ok=True)
    replace_file(folder / "secondhand.ini", f'openssl.cafile = "{bundle}"\ncurl.cainfo = "{bundle}"\n'.encode())
    folders = before.split(os.pathsep) if before is not None else [""]  # empty: the folder that PHP was built with
    return os.pathsep.join([*(each for each in folders if each != str(folder) and before != ""), str(folder)])


def _path(folder: Path, bundle: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variable PATH with a folder of commands that add the option for CAs to those of the same name.

    Return nothing if none of these programs is installed.
    """
    folders = [each for each in environ.get("PATH", "").split(os.pathsep) if each != str(folder)]
    installed = {name: shutil.which(name, path=os.pathsep.join(folders)) for name in _CA_OPTIONS}
    if not any(installed.values()):
        return {}
    folder.mkdir(exist_ok=True)
    for name, path in installed.items():
        if path is not None:
            option = shlex.quote(_CA_OPTIONS[name].format(bundle=bundle))
            script = f'#!/bin/sh\nexec {shlex.quote(path)} {option} "$@"\n'
            replace_file(folder / name, os.fsencode(script), EXECUTABLE)
    return {"PATH": os.pathsep.join([str(folder), *folders])}
