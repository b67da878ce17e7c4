"""HAR 1.2: the part of the format that is read and written here, as browser devtools and other tools use it."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from addon.recordings.codecs.folder_format import Sha256
from cache.http.fields import media_type

HAR_VERSION = "1.2"


class HarHeader(Struct):
    """A name with a value: a field line, or a parameter of the query."""

    name: str
    value: str


class HarCookie(Struct):
    """Never written, since recordings contain no cookies."""


class HarPostData(Struct):
    """The content of a request, as browsers write it. Recordings keep only its digest."""

    text: str | None = None


class HarRequest(Struct):
    """A request."""

    method: str
    url: str
    httpVersion: str = "HTTP/1.1"  # noqa: N815 - HAR's name
    cookies: list[HarCookie] = []
    headers: list[HarHeader] = []
    queryString: list[HarHeader] = []  # noqa: N815 - HAR's name
    headersSize: int = -1  # noqa: N815 - HAR's name
    bodySize: float = -1  # noqa: N815 - HAR's name
    postData: HarPostData | UnsetType = UNSET  # noqa: N815 - HAR's name
    content_digest: Sha256 | UnsetType = field(name="_contentSha256", default=UNSET)
    """Digest of a POST request's content, if that content selects the response. An extension of ours."""


class HarContent(Struct):
    """The content of a response without its content coding, as text or in base64."""

    size: float = -1
    mimeType: str = ""  # noqa: N815 - HAR's name
    text: str | UnsetType | None = UNSET
    encoding: str | UnsetType | None = UNSET
    original: str | UnsetType = field(name="_octets", default=UNSET)
    """The content as received, in base64, if `text` has it without its content coding. An extension of ours."""


class HarResponse(Struct):
    """A response."""

    status: Annotated[int, Meta(ge=0, le=999)]
    statusText: str = ""  # noqa: N815 - HAR's name
    httpVersion: str = "HTTP/1.1"  # noqa: N815 - HAR's name
    cookies: list[HarCookie] = []
    headers: list[HarHeader] = []
    content: HarContent = field(default_factory=HarContent)
    redirectURL: str = ""  # noqa: N815 - HAR's name
    headersSize: int = -1  # noqa: N815 - HAR's name
    bodySize: float = -1  # noqa: N815 - HAR's name


class HarTimings(Struct):
    """Durations in milliseconds."""

    send: float = 0
    wait: float = 0
    receive: float = 0


class HarCache(Struct):
    """The state of a browser's own cache; always empty here."""


class HarEntry(Struct):
    """An exchange. `time` is its duration in milliseconds."""

    startedDateTime: str  # noqa: N815 - HAR's name
    time: float
    request: HarRequest
    response: HarResponse
    cache: HarCache = field(default_factory=HarCache)
    timings: HarTimings = field(default_factory=HarTimings)
    scrubbed: bool = field(name="_scrubbed", default=False)
    """Secrets were removed from the response. An extension of ours."""


class HarCreator(Struct):
    """The program that wrote the file."""

    name: str
    version: str


class HarLog(Struct):
    """All exchanges of a file."""

    version: str
    creator: HarCreator
    entries: list[HarEntry]


class Har(Struct):
    """A HAR file."""

    log: HarLog


_TEXT = frozenset(
    "application/json application/javascript application/xml image/svg+xml application/x-www-form-urlencoded".split()
)


def is_text(content_type: str | None) -> bool:
    """Return whether content of this type is text."""
    kind = media_type(content_type)
    return kind.startswith("text/") or kind in _TEXT or kind.endswith(("+json", "+xml"))
