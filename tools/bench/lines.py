"""What is measured: one `Line` a row of docs/performance.md, with who is measured and what is aimed at."""

from __future__ import annotations

from dataclasses import dataclass

from tools.bench.work import BROWSER, Work

OURS = "secondhand"


@dataclass(frozen=True, slots=True)
class Aim:
    """A ratio to reach: ours to the best of `others`, or, for a latency, ours to the shortest."""

    others: tuple[str, ...]
    least: float | None = None
    """Of requests a second."""
    most: float | None = None
    """Of the p99."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that servers do, measured side by side."""

    name: str
    says: str
    work: Work
    servers: tuple[str, ...]
    forwarded: float | None
    """Requests at the origin for each request of a client, to be sure that hits are hits; None: not checked."""
    aims: tuple[Aim, ...] = ()
    note: str = ""


THREE = ("squid", "nginx", "varnish")

LINES = (
    Line(
        "hits-1k",
        "hits, 1 KiB, a head of one field",
        Work("/fresh/1k"),
        (OURS, *THREE),
        forwarded=0,
        aims=(Aim(THREE, least=1.3),),
    ),
    Line(
        "hits-1k-browser",
        "hits, 1 KiB, a browser's dozen fields",
        Work("/fresh/1k", fields=BROWSER),
        (OURS, *THREE),
        forwarded=0,
        aims=(Aim(THREE, least=1.0),),
    ),
    Line(
        "hits-1k-paced",
        "hits, 1 KiB, at one rate for all",
        Work("/fresh/1k", rate=4000),
        (OURS, *THREE),
        forwarded=0,
        aims=(Aim(("nginx",), most=1.2),),
        note="4,000 requests/s from our own generator, each counted from the moment it was due, sent or not.",
    ),
    Line(
        "hits-100k",
        "hits, 100 KiB",
        Work("/fresh/100k", size="100k"),
        (OURS, *THREE),
        forwarded=0,
        aims=(Aim(("nginx",), least=0.9),),
    ),
    Line("hits-10m", "hits, 10 MiB", Work("/fresh/10m", size="10m"), (OURS, *THREE), forwarded=0),
    Line(
        "hits-tls",
        "hits, 1 KiB, inside intercepted HTTPS",
        Work("/fresh/1k", tls=True),
        (OURS, "squid"),
        forwarded=0,
        aims=(Aim(("squid",), least=1.2),),
        note="Our own generator, 32 tunnels opened beforehand; Squid with ssl-bump.",
    ),
    Line(
        "misses-relayed",
        "misses, 1 KiB, relayed (no-store)",
        Work("/no-store/", keys="+"),
        (OURS, "squid", "nginx", "varnish", "mitmdump"),
        forwarded=1,
        aims=(Aim(("squid",), least=1.3), Aim(("nginx",), least=0.6), Aim(("mitmdump",), least=20)),
        note="Each under a URL of its own, so that no server makes one request of several. mitmdump is without addons.",
    ),
    Line(
        "misses-stored",
        "misses, 1 KiB, stored on disk (distinct keys)",
        Work("/key/", keys="+"),
        (OURS, "squid-disk", "nginx"),
        forwarded=1,
        aims=(Aim(("squid-disk",), least=1.0),),
    ),
    Line(
        "validation",
        "validated with the origin by 304 each time, 1 KiB",
        Work("/validated/", keys="1000"),
        (OURS, "squid"),
        forwarded=1,
        note="The origin says no-cache with an ETag; any of 1,000 URLs. nginx and Varnish do not store such an answer.",
    ),
)


def line(name: str) -> Line:
    """Return a line by its name. Raises KeyError."""
    return next(one for one in LINES if one.name == name)
