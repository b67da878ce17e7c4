"""The programs that are examined, and the command line of each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from addon.programs.doctor.fixtures import GREETING, PACKAGE


@dataclass(frozen=True, slots=True)
class Program:
    """A program to examine."""

    name: str
    command: Callable[[str, Path, str], tuple[str, ...] | None]
    """Returns the command line from the site's URL, an empty folder and the proxy's URL; None if not installed."""
    expected: str
    """A part of its output if it succeeds."""
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Variables it needs in addition to those of `secondhand run`; `{site}` is the site's URL."""


def _curl(site: str, _folder: Path, _proxy: str) -> tuple[str, ...] | None:
    curl = shutil.which("curl")
    return (curl, "--silent", "--show-error", "--fail", f"{site}/") if curl else None


def _pip(site: str, folder: Path, _proxy: str) -> tuple[str, ...] | None:
    pip = shutil.which("pip") or shutil.which("pip3")
    options = ("--isolated", "--no-cache-dir", "--no-deps", "--disable-pip-version-check", "--dest", str(folder))
    trusted = ("--trusted-host", site.removeprefix("http://")) if site.startswith("http://") else ()
    return (pip, "download", *options, *trusted, "--index-url", f"{site}/simple", PACKAGE) if pip else None


def _npm(site: str, folder: Path, _proxy: str) -> tuple[str, ...] | None:
    npm = shutil.which("npm")
    options = ("--registry", f"{site}/npm/", "--cache", str(folder))
    return (npm, "view", PACKAGE, "version", *options) if npm else None


def _cargo(_site: str, _folder: Path, _proxy: str) -> tuple[str, ...] | None:
    cargo = shutil.which("cargo")
    return (cargo, "search", "--registry", "specimen", PACKAGE) if cargo else None


def _git(site: str, _folder: Path, _proxy: str) -> tuple[str, ...] | None:
    git = shutil.which("git")
    return (git, "ls-remote", f"{site}/specimen.git") if git else None


def _go(_site: str, _folder: Path, _proxy: str) -> tuple[str, ...] | None:
    go = shutil.which("go")
    return (go, "list", "-m", "-versions", "example.org/specimen") if go else None


def _java(site: str, folder: Path, _proxy: str) -> tuple[str, ...] | None:
    java = shutil.which("java")
    source = folder / "Specimen.java"
    source.write_text(
        "public class Specimen { public static void main(String[] a) throws Exception {"
        " System.out.write(new java.net.URL(a[0]).openStream().readAllBytes()); System.out.flush(); } }"
    )
    # only a JDK can run a source file
    return (java, str(source), f"{site}/") if java and shutil.which("javac") else None


def _chromium(site: str, folder: Path, proxy: str) -> tuple[str, ...] | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    chromium = next((found for name in names if (found := shutil.which(name))), None)
    options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}", f"--proxy-server={proxy}")
    return (chromium, *options, "--dump-dom", f"{site}/") if chromium else None


def _wget(site: str, _folder: Path, _proxy: str) -> tuple[str, ...] | None:
    wget = shutil.which("wget")
    return (wget, "--no-verbose", "--tries=1", "--output-document=-", f"{site}/") if wget else None


def _aria2(site: str, folder: Path, _proxy: str) -> tuple[str, ...] | None:
    aria2 = shutil.which("aria2c")  # the name alone: it is found in the folder of `secondhand run` first
    return ("aria2c", "--max-tries=1", "--dir", str(folder), "--out", "file", f"{site}/") if aria2 else None


def _lftp(site: str, _folder: Path, _proxy: str) -> tuple[str, ...] | None:
    lftp = shutil.which("lftp")
    return (lftp, "-c", f"set net:max-retries 1; cat {site}/") if lftp else None


def _php(site: str, _folder: Path, _proxy: str) -> tuple[str, ...] | None:
    php = shutil.which("php")
    script = (
        "extension_loaded('curl') || exit('PHP has no extension curl, and uses no proxy without it');"
        "$curl = curl_init($argv[1]); exit(curl_exec($curl) ? 0 : print(curl_error($curl)));"
    )
    return (php, "-r", script, f"{site}/") if php else None


PROGRAMS = (
    Program("curl", _curl, GREETING),
    Program("wget", _wget, GREETING),
    Program("aria2", _aria2, "download completed"),
    Program("lftp", _lftp, GREETING),
    Program("PHP", _php, GREETING),
    Program("pip", _pip, "secondhand_specimen"),
    Program("npm", _npm, "1.0.0"),
    Program(
        "cargo",
        _cargo,
        GREETING,
        {"CARGO_REGISTRIES_SPECIMEN_INDEX": "sparse+{site}/cargo/", "CARGO_REGISTRIES_SPECIMEN_TOKEN": "none"},
    ),
    Program("git", _git, "refs/heads/main"),
    Program(
        "go",
        _go,
        "v1.0.0",
        {"GOPROXY": "{site}/go", "GONOSUMDB": "*", "GONOSUMCHECK": "1", "GOFLAGS": "-mod=mod", "GO111MODULE": "on"},
    ),
    Program("java", _java, GREETING),
    Program("Chromium", _chromium, GREETING),
)
