"""The comparisons: a workload, the servers that it is measured on, and the targets. One table of the page for each."""

from __future__ import annotations

from dataclasses import dataclass

from tools.bench.workload import BROWSER_FIELDS, Workload

OURS = "secondhand"
OURS_PLAIN = "secondhand-plain"
"""The same on a second Python, to show how much depends on how an interpreter was built."""
OURS_COMPILED = "secondhand-compiled"
"""The same from the wheel whose most used modules are compiled (`make compiled`)."""
OURS_WORKERS = "secondhand-workers"
"""The same with several worker processes, to show what they cost each other: they share one core here."""
ALL_OURS = (OURS, OURS_PLAIN, OURS_COMPILED, OURS_WORKERS)


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio to reach: our figure divided by the best figure of `others`. One of the limits is set."""

    others: tuple[str, ...]
    min_rate_ratio: float | None = None
    """For requests per second."""
    max_p99_ratio: float | None = None
    """For the 99th percentile of the latency."""
    min_cpu_ratio: float | None = None
    """For requests per second of CPU time: where the load or the other's limits decide about requests per second."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One workload, measured on several servers."""

    name: str
    title: str
    workload: Workload
    servers: tuple[str, ...]
    origin_requests: float | None
    """Expected requests at the origin per client request, to verify that hits are hits; None: not checked."""
    targets: tuple[Target, ...] = ()
    note: str = ""


COMPETITORS = ("squid", "nginx", "varnish")

COMPARISONS = (
    Comparison(
        "hits-1k",
        "hits, 1 KiB, request with one header field",
        Workload("/fresh/1k"),
        (*ALL_OURS, *COMPETITORS),
        origin_requests=0,
        targets=(Target(COMPETITORS, min_cpu_ratio=1.6),),
    ),
    Comparison(
        "hits-1k-browser",
        "hits, 1 KiB, request with a browser's 12 header fields",
        Workload("/fresh/1k", fields=BROWSER_FIELDS),
        (*ALL_OURS, *COMPETITORS),
        origin_requests=0,
        targets=(Target(COMPETITORS, min_cpu_ratio=1.0),),
    ),
    Comparison(
        "hits-1k-paced",
        "hits, 1 KiB, at the same fixed rate for all servers",
        Workload("/fresh/1k", rate=4000),
        (*ALL_OURS, *COMPETITORS),
        origin_requests=0,
        targets=(Target(("nginx",), max_p99_ratio=1.2),),
        note=(
            "4,000 requests/s from our own load generator. A latency starts at the time when the request was due, even "
            "if it was sent later."
        ),
    ),
    Comparison(
        "hits-100k",
        "hits, 100 KiB",
        Workload("/fresh/100k", size="100k"),
        (*ALL_OURS, *COMPETITORS),
        origin_requests=0,
        targets=(Target(("nginx",), min_cpu_ratio=1.0),),
    ),
    Comparison(
        "hits-10m",
        "hits, 10 MiB",
        Workload("/fresh/10m", size="10m"),
        (*ALL_OURS, *COMPETITORS),
        origin_requests=0,
        targets=(Target(("nginx",), min_rate_ratio=1.0), Target(("nginx",), min_cpu_ratio=0.77)),
    ),
    Comparison(
        "hits-tls",
        "hits, 1 KiB, through intercepted HTTPS",
        Workload("/fresh/1k", tls=True),
        (*ALL_OURS, "squid"),
        origin_requests=0,
        targets=(Target(("squid",), min_cpu_ratio=1.2),),
        note="Our own load generator, 32 tunnels that are opened before the measurement; Squid with ssl-bump.",
    ),
    Comparison(
        "misses-relayed",
        "misses, 1 KiB, not stored (no-store)",
        Workload("/no-store/", keys="+"),
        (*ALL_OURS, "squid", "nginx", "varnish", "mitmdump"),
        origin_requests=1,
        targets=(
            Target(("squid",), min_cpu_ratio=1.8),
            Target(("nginx",), min_cpu_ratio=0.6),
            Target(("mitmdump",), min_cpu_ratio=20),
        ),
        note=(
            "Each request has a URL of its own, so that no server can merge requests into one. mitmdump runs without "
            "addons."
        ),
    ),
    Comparison(
        "misses-stored",
        "misses, 1 KiB, stored on disk (each URL requested once)",
        Workload("/key/", keys="+"),
        (*ALL_OURS, "squid-disk", "nginx"),
        origin_requests=1,
        targets=(Target(("squid-disk",), min_cpu_ratio=1.0), Target(("nginx",), min_cpu_ratio=0.6)),
        note="Squid stores in slots of 2 KiB (rock). Each URL has an ETag, a Last-Modified and a content of its own.",
    ),
    Comparison(
        "validation",
        "hits that the origin revalidates with 304 each time, 1 KiB",
        Workload("/validated/", keys="1000"),
        (*ALL_OURS, "squid"),
        origin_requests=1,
        targets=(Target(("squid",), min_cpu_ratio=1.0),),
        note=(
            "The origin sends no-cache and an ETag; the requests go to 1,000 URLs at random, each with a head and a "
            "content of its own. nginx and Varnish do not "
            "store such a response."
        ),
    ),
)


def comparison(name: str) -> Comparison:
    """Return a comparison by its name. Raises StopIteration."""
    return next(each for each in COMPARISONS if each.name == name)
