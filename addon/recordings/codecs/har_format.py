"""HAR 1.2 as far as it is read and written here: what devtools and other tools agree on."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from addon.recordings.codecs.folder_format import Sha256
from cache.http.fields import media_type

LATEST = "1.2"


class Header(Struct):
    """A field line."""

    name: str
    value: str


class Cookie(Struct):
    """Never written: cookies are not kept."""


class PostData(Struct):
    """What a request sent, as browsers write it down; not kept here."""

    text: str | None = None


class HarRequest(Struct):
    """A request."""

    method: str
    url: str
    httpVersion: str = "HTTP/1.1"  # noqa: N815 - the names are HAR's
    cookies: list[Cookie] = []
    headers: list[Header] = []
    queryString: list[Header] = []  # noqa: N815
    headersSize: int = -1  # noqa: N815
    bodySize: float = -1  # noqa: N815
    postData: PostData | UnsetType = UNSET  # noqa: N815
    content_digest: Sha256 | UnsetType = field(name="_contentSha256", default=UNSET)
    """Of what a POST sent, where that is part of what it asks for; ours."""


class Content(Struct):
    """A response's content. HAR has it as text, or in base64, without its content coding."""

    size: float = -1
    mimeType: str = ""  # noqa: N815
    text: str | UnsetType | None = UNSET
    encoding: str | UnsetType | None = UNSET
    octets: str | UnsetType = field(name="_octets", default=UNSET)
    """In base64, as it came, where a content coding was taken off for `text`; ours."""


class HarResponse(Struct):
    """A response."""

    status: Annotated[int, Meta(ge=0, le=999)]
    statusText: str = ""  # noqa: N815
    httpVersion: str = "HTTP/1.1"  # noqa: N815
    cookies: list[Cookie] = []
    headers: list[Header] = []
    content: Content = field(default_factory=Content)
    redirectURL: str = ""  # noqa: N815
    headersSize: int = -1  # noqa: N815
    bodySize: float = -1  # noqa: N815


class Timings(Struct):
    """Milliseconds."""

    send: float = 0
    wait: float = 0
    receive: float = 0


class Nothing(Struct):
    """What a browser's own cache did: not ours to say."""


class Entry(Struct):
    """An exchange."""

    startedDateTime: str  # noqa: N815
    time: float
    request: HarRequest
    response: HarResponse
    cache: Nothing = field(default_factory=Nothing)
    timings: Timings = field(default_factory=Timings)
    scrubbed: bool = field(name="_scrubbed", default=False)
    """Something was taken out of it; ours."""


class Creator(Struct):
    """The program that wrote the file."""

    name: str
    version: str


class Log(Struct):
    """All of it."""

    version: str
    creator: Creator
    entries: list[Entry]


class Har(Struct):
    """A file."""

    log: Log


_TEXT = frozenset(
    "application/json application/javascript application/xml image/svg+xml application/x-www-form-urlencoded".split()
)


def is_text(content_type: str | None) -> bool:
    """Tell whether people can read content of this type."""
    kind = media_type(content_type)
    return kind.startswith("text/") or kind in _TEXT or kind.endswith(("+json", "+xml"))
