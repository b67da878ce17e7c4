"""The results of the operations of the admin API, as JSON has them. The OpenAPI document is made of these types.

Times are seconds since the epoch, and sizes are bytes, unless a comment says something else.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class Health(TypedDict):
    """The answer to a probe."""

    status: str


class Problem(TypedDict):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


class Failure(TypedDict):
    """The latest failed exchange with an origin: when, and what was wrong."""

    at: float
    error: str
    sentence: str


class Modes(TypedDict):
    """The modes, which say when origins are asked: in general, and for single hosts."""

    mode: str
    recording: str | None
    hosts: dict[str, str]
    unreachable: list[str]
    failing: dict[str, Failure]


class SiteOrigin(TypedDict):
    """One origin of a site of an edge. `problem` is why it is down; the age of the last one is in seconds."""

    url: str
    weight: int
    state: str
    problem: str
    requests: int
    failures: int
    in_flight: int
    last_problem: str
    last_problem_age: float | None


class Site(TypedDict):
    """A site of an edge."""

    hosts: list[str]
    origins: list[SiteOrigin]


class Sites(TypedDict):
    """All sites of an edge; none for a forward proxy."""

    sites: list[Site]


class StoreProblem(TypedDict):
    """A problem of the store: when it was, and what."""

    at: float
    reason: str


class StoreState(TypedDict):
    """The condition of the store: `open`, `failing` or `closed`. `engine` is that of a shared store."""

    path: NotRequired[str]
    kind: NotRequired[str]
    engine: NotRequired[str]
    state: str
    reason: NotRequired[str]
    last_problem: NotRequired[StoreProblem]


class Worker(TypedDict):
    """A process that serves clients. Requests and the time on a processor are those since its start."""

    pid: int
    since: float
    cpu_seconds: float
    connections: int
    requests: int
    draining: bool


class Status(TypedDict):
    """The state of the proxy. Other sections may follow."""

    listen: list[str]
    admin: str | None
    mode: Modes
    sites: list[Site]
    store: StoreState
    workers: list[Worker]
    supervisor: NotRequired[int]


class Entry(TypedDict):
    """A stored response in short. Age and lifetime are in seconds."""

    url: str
    method: str
    status: int
    age: int
    lifetime: float
    state: str
    size: int
    stored_at: float
    last_used: float | None
    sha256: str


class Entries(TypedDict):
    """A part of the list of stored responses. `next` is the `after` of the next part, or null behind the last one.

    A part may have fewer than were asked for, or none, and still not be the last. `sample`: a shared store has more
    responses than the first 5,000 that were found, of which the list was made.
    """

    entries: list[Entry]
    next: str | None
    sample: bool


class Head(TypedDict):
    """The head of a response; each field is a list of its name and its value."""

    status: int
    reason: str
    fields: list[list[str]]


class Difference(TypedDict):
    """A line that differs between the two heads; null where a head does not have it."""

    name: str
    definitive: str | None
    presented: str | None


class Segment(TypedDict):
    """A part of the life of a stored response; the last one may have no end.

    It is `fresh`, `while-revalidated`, `if-error`, `if-unreachable` or `without-origin`.
    """

    use: str
    start: float
    end: float | None
    source: str


class TimeLine(TypedDict):
    """The life of a stored response. Times are in seconds since the epoch.

    With `validate`, the reason, it is never used before the origin has confirmed it.
    """

    now: float
    made_at: float
    stored_at: float
    segments: list[Segment]
    validate: str | None


class Variant(TypedDict):
    """A stored response in full: as the origin sent it (definitive), and as a client would get it (presented)."""

    url: str
    method: str
    state: str
    age: int
    lifetime: float
    lifetime_source: str
    stored_at: float
    size: int
    sha256: str
    scrubbed: bool
    vary: dict[str, str | None]
    time_line: TimeLine
    definitive: Head
    presented: Head
    difference: list[Difference]


class Preview(TypedDict):
    """The beginning of a stored content: text, or an image in Base64; both null with a note that says why."""

    media_type: str
    text: str | None
    image: str | None
    note: str


class Capture(TypedDict):
    """A stored state of a response, at present or earlier."""

    url: str
    method: str
    status: int
    captured_at: float
    memento_datetime: str
    size: int
    sha256: str
    vary: dict[str, str | None]
    current: bool


class Shown(TypedDict):
    """All stored responses for a URL."""

    variants: list[Variant]
    captures: list[Capture]


class Step(TypedDict):
    """A step of an explanation: its subject, what was found, and the clause that decides."""

    subject: str
    finding: str
    source: str


class Why(TypedDict):
    """The explanation of the response that a request would get. `would_send` is null if the origin decides."""

    decision: str
    reason: str
    steps: list[Step]
    would_send: Head | None
    cache_status: str | None
    if_no_answer: str | None
    not_stored: dict[str, Any] | None
    time_line: TimeLine | None
    too_large: NotRequired[str | None]


class Purged(TypedDict):
    """The copies that a purge has covered; `size` only if it was added up."""

    copies: int
    deleted: int
    soft: bool
    dry_run: bool
    size: NotRequired[int]


class Exchange(TypedDict):
    """An exchange with a client, or `times` equal ones within a second. `seconds` is how long it took."""

    at: float
    client: str
    method: str
    url: str
    status: int
    size: int
    seconds: float
    decision: str
    reason: str
    site: str
    times: int


class Exchanges(TypedDict):
    """The latest exchanges, the oldest first. Of frequent hits, only some are listed."""

    exchanges: list[Exchange]


class Point(TypedDict):
    """The counts of one step, which begins at `at`. Each response to a client is one of the first six."""

    at: int
    hit: int
    stale: int
    validated: int
    miss: int
    bypass: int
    error: int
    bytes_from_copies: int
    bytes_from_origins: int
    milliseconds_saved: int


class Series(TypedDict):
    """The points of a range, oldest first; `step` is in seconds. Steps in which no proxy was running have no point."""

    range: str
    step: int
    points: list[Point]


class Contents(TypedDict):
    """Number of stored responses, the size of the store, and its limit; null if only an engine knows it."""

    entries: int
    size: int
    max_size: int | None


class OriginTimes(TypedDict):
    """Seconds until the head of an origin's response was there: half took less than `median`, 95 % less than `slow`."""

    exchanges: int
    median: float
    slow: float


class Stats(TypedDict):
    """The store, and what the proxy has done since its start. `contents` is null while the store cannot be read."""

    since: float
    contents: Contents | None
    store: StoreState
    counters: dict[str, int]
    hosts: dict[str, dict[str, int]]
    origin_times: dict[str, OriginTimes]
    distrusted: dict[str, int]


class HeadFinding(TypedDict):
    """A mistake in the head of a response: `bad` or `warning`, the fields it is about, and its clause."""

    level: str
    subject: str
    sentence: str
    source: str


class NotStoredExample(TypedDict):
    """A response that was not stored, and the worst that `lint` finds in its head."""

    method: str
    url: str
    findings: list[HeadFinding]


class NotStored(TypedDict):
    """A reason why responses were not stored since the start, and the change after which such responses are stored.

    `hosts` says how many responses of each host; those of hosts that are not told apart are counted together.
    """

    reason: str
    sentence: str
    source: str
    remedy: str
    responses: int
    hosts: dict[str, int]
    example: NotStoredExample | None


class NotStoredByReason(TypedDict):
    """All such reasons, the most frequent first."""

    reasons: list[NotStored]


class Code(TypedDict):
    """A QR code: the address that it has, the width and height of the drawing, and the data of an SVG path."""

    address: str
    size: int
    path: str


class SetUpCode(TypedDict):
    """The QR code of the set-up page; null for an edge, and if no other device can use an address of the proxy."""

    code: Code | None


class Config(TypedDict):
    """The settings in force. Values of fields, and names, passwords and queries in URLs, are hidden."""

    settings: dict[str, Any]
