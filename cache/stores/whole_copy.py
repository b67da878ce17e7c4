"""Whole copies: a small stored response with its body, for hits that need no other part of it.

The heads of the copies from an origin often differ in a few values only. These are taken out as open values, and what
is left is the form. A caller that knows what follows from a copy of the same form needs the open values and the times
alone, so neither a stored response is made nor its form checked again.
"""

from __future__ import annotations

from hashlib import sha256

from cache.http.record import record
from cache.policy.clock_setting import ClockSetting
from cache.rules.stored_response import StoredResponse
from cache.stores.codec import MAX_SECONDS, Record, clock_setting, decode

OPEN = frozenset(
    spelling
    for name in ("Content-Length", "Date", "ETag", "Expires", "Last-Modified")
    for spelling in (name, name.lower())
)
"""The fields whose values are left open. In any other spelling, a value is part of the form."""

_LENGTHS = frozenset({"Content-Length", "content-length"})

type Lines = tuple[tuple[str, str], ...]

type FormLines = tuple[str | tuple[str, str], ...]
"""Field lines; of an open field only the name."""

type Form = tuple[FormLines, int, str, str, tuple[tuple[str, str | None], ...], bool]
"""All of a stored response on which the answer to a plain request depends, but for open values and times.

The field lines, the status, the reason phrase, the version, `vary` and `personal`.
"""


@record
class WholeCopy:
    """The only stored response under a key with its body, both intact. It is a whole response to GET, and valid."""

    id: str
    form: Form
    """From a row, it is not checked: it is safe to send if it equals that of a stored response."""
    values: tuple[str, ...]
    """The values of its open fields, in order; printable ASCII."""
    request_time: float
    response_time: float
    clock: ClockSetting
    body: bytes
    tags: str
    """The cache tags of the stored response."""
    source: StoredResponse | bytes
    """The stored response, or its encoded form."""

    def entry(self) -> StoredResponse:
        """Return the stored response. Raises CodecError if it is malformed."""
        return decode(self.source) if isinstance(self.source, bytes) else self.source

    @property
    def milliseconds(self) -> int:
        """Milliseconds that the origin took to begin its last response."""
        return max(0, int((self.response_time - self.request_time) * 1000))


def copy_of(entry: StoredResponse, body: bytes) -> WholeCopy | None:
    """Return a stored response with its body, which is intact; None if its response depends on more than its form."""
    found = form_of(entry)
    if found is None:
        return None
    return WholeCopy(
        id=entry.id,
        form=found[0],
        values=found[1],
        request_time=entry.request_time,
        response_time=entry.response_time,
        clock=entry.clock,
        body=body,
        tags=entry.tags,
        source=entry,
    )


def form_of(entry: StoredResponse) -> tuple[Form, tuple[str, ...]] | None:
    """Return the form and the open values of a stored response, or None as `copy_of` does."""
    head = entry.head
    lines, values = _divided(head.fields.lines, entry.length)
    if not _is_usual(entry) or not _are_plain(values):
        return None
    return (lines, head.status, head.reason, head.version, entry.vary, entry.personal), values


def copy_in_row(found: Record[Lines], data: bytes, body: bytes) -> WholeCopy | None:
    """Return the same of an entry that was read from `data`; None also if the body is not that of the entry."""
    lines, values = _divided(found.fields, len(body))
    if not _is_usual(found) or not _are_plain(values) or len(body) != found.length or found.tags is None:
        return None
    for seconds in (found.request_time, found.response_time, found.clock[1]):
        if not -MAX_SECONDS <= seconds <= MAX_SECONDS:  # also refuses NaN
            return None
    if sha256(body).hexdigest() != found.sha256:
        return None
    form = (lines, found.status, found.reason, found.version, found.vary, found.personal)
    return WholeCopy(
        id=found.id,
        form=form,
        values=values,
        request_time=found.request_time,
        response_time=found.response_time,
        clock=clock_setting(*found.clock),
        body=body,
        tags=found.tags,
        source=data,
    )


def _divided(lines: Lines, length: int) -> tuple[FormLines, tuple[str, ...]]:
    """Return field lines without their open values, and these values. `length` is that of the body in bytes."""
    values: list[str] = []
    left: list[str | tuple[str, str]] = []
    for line in lines:
        # another Content-Length than that of the body is replaced in responses, so it is not open
        if line[0] in OPEN and (line[0] not in _LENGTHS or line[1] == str(length)):
            values.append(line[1])
            left.append(line[0])
        else:
            left.append(line)
    return tuple(left), tuple(values)


def _is_usual(stored: StoredResponse | Record[Lines]) -> bool:
    """Return whether a stored response is whole and as the origin sent it, and its target is spelled as its key."""
    is_whole = stored.method == "GET" and stored.complete_length is None and not stored.first
    is_plain = not (stored.invalid or stored.scrubbed or stored.soft_purged)
    return is_whole and is_plain and stored.target == stored.key


def _are_plain(values: tuple[str, ...]) -> bool:
    # others have to be looked at: CR or LF would split the response that is sent
    joined = "".join(values)
    return joined.isascii() and joined.isprintable()
