"""The arguments of the operations of the admin API: the query of GET, the JSON of any other method."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from addon.pipeline.purge_orders import MAX_TAGS_AT_ONCE
from addon.pipeline.stored_commands import MAX_LISTED
from addon.pipeline.stored_list import State
from addon.runtime.recent_exchanges import MAX_KEPT
from addon.serve.admin.texts import (
    Digest,
    FieldLine,
    FieldName,
    Host,
    HostPattern,
    LockFileName,
    Method,
    Pattern,
    Place,
    Prefix,
    RecordingName,
    Text,
    Url,
)
from addon.warm.check_command import MAX_CONTENT
from cache.rules.tags import MAX_TAG
from cache.stores.listing import Order

Tag = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TAG)]


class Arguments(BaseModel):
    """The arguments of one operation; these are none."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    lists: ClassVar[frozenset[str]] = frozenset()
    """Names that a query may have several times."""

    logs_client: ClassVar[bool] = False
    """The control command has one more argument, `by`: the client, for a log."""

    def of_command(self) -> dict[str, object]:
        """Return the arguments of the control command, without `by`."""
        return self.model_dump(mode="json", exclude_unset=True)


class EntriesArguments(Arguments):
    """The stored responses that are listed, and in which order."""

    pattern: Text | None = Field(None, description="A part of the URL, or a pattern with * and ? for the whole URL.")
    host: Text | None = Field(
        None, description="Only of this host, or this host and port; a pattern with * and ? is possible."
    )
    state: State | None = Field(None, description="Only those in this state.")
    tag: Text | None = Field(None, description="Only those with this cache tag.")
    never_used: bool = Field(False, description="Only those that have answered no request since they were stored.")
    sort: Order = Field(
        Order.URL,
        description="By URL, the largest first, the oldest first, or those first that were not used for longest.",
    )
    limit: int = Field(100, ge=1, le=MAX_LISTED, description="At most so many, and all variants of the last URL.")
    after: Text | None = Field(None, description="The `next` of the part before.")

    def of_command(self) -> dict[str, object]:
        """Return the arguments of the control command."""
        return {**super().of_command(), "limit": self.limit}


class ExchangesArguments(Arguments):
    """The number of exchanges that are listed."""

    limit: int = Field(100, ge=1, le=MAX_KEPT, description="At most so many, the latest ones.")

    def of_command(self) -> dict[str, object]:
        """Return the arguments of the control command."""
        return {"limit": self.limit}


class SeriesArguments(Arguments):
    """The time until now for which there are points."""

    range: Literal["1h", "24h", "30d"] = Field("1h", description="By minute, by 5 minutes, or by hour.")


class ShowArguments(Arguments):
    """A URL, as clients request it."""

    url: Url


class FetchArguments(Arguments):
    """A URL that is fetched now."""

    url: Url


class PreviewArguments(Arguments):
    """A stored content."""

    url: Url
    sha256: Digest = Field(description="The `sha256` of the content, as `/show` and `/entries` tell it.")


class WhyArguments(Arguments):
    """A request, as a client would send it."""

    lists: ClassVar[frozenset[str]] = frozenset({"header"})

    url: Url
    method: Method = "GET"
    header: tuple[FieldLine, ...] = Field((), description='Fields, each as "Name: value".')

    def of_command(self) -> dict[str, object]:
        """Return the arguments of the control command."""
        # fields are bytes, as Latin-1 text; people write UTF-8
        lines = (line.encode().decode("latin-1").partition(":") for line in self.header)
        fields = [[name, value.strip()] for name, _, value in lines]
        return {"url": self.url, "method": self.method, "fields": fields}


PURGED = ("url", "prefix", "pattern", "host", "site", "tag", "tags", "all")
"""The arguments of which a purge has exactly one."""


def _with_one(schema: dict[str, Any]) -> None:
    """Say in a JSON schema that exactly one of the arguments is there, and none is null."""
    for name in PURGED:
        described = schema["properties"][name]
        (kind,) = (each for each in described.pop("anyOf") if each != {"type": "null"})
        described |= kind
        described.pop("default")
    schema["oneOf"] = [{"required": [name]} for name in PURGED]


class PurgeArguments(Arguments):
    """The copies that are purged, by exactly one of url, prefix, pattern, host, site, tag, tags and all."""

    model_config = ConfigDict(json_schema_extra=_with_one)

    logs_client: ClassVar[bool] = True

    url: Url | None = Field(None, description="A URL, with all its variants.")
    prefix: Prefix | None = Field(None, description="All URLs that begin like this; or a path on any host, as /blog/.")
    pattern: Pattern | None = Field(
        None, description="All URLs, or paths if it begins with /, that match; with * and ?."
    )
    host: Place | None = Field(None, description="A host with any scheme, and any port if it names none.")
    site: Host | None = Field(None, description="The site of an edge that has this host.")
    tag: Tag | None = Field(None, description="A cache tag.")
    tags: list[Tag] | None = Field(None, min_length=1, max_length=MAX_TAGS_AT_ONCE, description="Several cache tags.")
    all: Literal[True] | None = Field(None, description="Everything.")
    soft: bool = Field(False, description="Mark the copies as stale; they are not deleted.")
    dry_run: bool = Field(False, description="Only say what would be purged.")

    @field_validator(*PURGED)
    @classmethod
    def _is_not_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("expected a value in place of null")
        return value

    @model_validator(mode="before")
    @classmethod
    def _names_one_thing(cls, given: object) -> object:
        if isinstance(given, dict) and given.keys() <= cls.model_fields.keys():
            named = [name for name in PURGED if name in given]
            if len(named) != 1:
                raise ValueError(f"expected exactly one of {', '.join(PURGED)}; found {', '.join(named) or 'none'}")
        return given


class SetUpCodeArguments(Arguments):
    """The way in which the browser has reached the admin listener."""

    host: Annotated[Host, StringConstraints(max_length=253)] | None = Field(
        None, description="The host in the address of the page: the proxy has it, too, if it listens on all addresses."
    )


class RecordingArguments(Arguments):
    """The recording that is made or replayed from now on."""

    doing: Literal["record", "replay"]
    name: RecordingName | None = Field(None, description="Its name; without one, recording or replaying ends.")


MAX_LOCK_FILE_REQUEST = 2 * MAX_CONTENT + 65_536
"""Bytes of the largest request with a lock file: as JSON, quotes and line ends take two."""


class LockFileArguments(Arguments):
    """A lock file that `secondhand warm` reads."""

    name: LockFileName = Field(description="Its name, without a folder.")
    content: str = Field(description=f"Its text, of at most {MAX_CONTENT} bytes.")

    @field_validator("content")
    @classmethod
    def _is_not_too_large(cls, content: str) -> str:
        if len(content.encode()) > MAX_CONTENT:
            raise ValueError(f"expected at most {MAX_CONTENT} bytes")
        return content


class DiffArguments(Arguments):
    """Two recordings that are compared, or one and what the origins answer now."""

    first: RecordingName
    second: RecordingName | None = Field(None, description="Without it, the origins are asked.")
    ignore: list[FieldName] = Field([], max_length=100, description="Names of fields that may differ.")
    after: str = Field("", max_length=65_536, description="The `next` of the part before.")


class ModeArguments(Arguments):
    """The mode of all hosts, or of one host or a pattern for hosts."""

    mode: Literal["online", "auto", "offline"]
    host: HostPattern | None = Field(
        None, description="By default all hosts, also those that have a mode of their own."
    )

    def of_command(self) -> dict[str, object]:
        """Return the arguments of the control command."""
        return {name: value for name, value in super().of_command().items() if value is not None}
