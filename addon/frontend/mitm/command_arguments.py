"""The types of the arguments of our commands: how mitmproxy completes them with Tab, and reads them."""

from __future__ import annotations

from collections.abc import Sequence

from mitmproxy import flow, http
from mitmproxy.command import CommandManager
from mitmproxy.types import CommandTypes

from addon.offline.modes import SWITCHABLE

SCHEMES = ("http://", "https://")


class FlowsOrUrl:
    """The type of an argument that names flows (`@focus`, `@shown`, a filter), or one URL."""


class ModeName(str):
    """The type of an argument that names a mode."""

    __slots__ = ()


NO_MODE = ModeName()
"""No mode was named."""


class _FlowsOrUrlType:
    """Tells mitmproxy about arguments of the type `FlowsOrUrl`."""

    typ, display = FlowsOrUrl, "flow[] or URL"

    def completion(self, manager: CommandManager, _: type, text: str) -> Sequence[str]:
        """Return what may be meant by the beginning of an argument."""
        return [*CommandTypes.typemap[Sequence[flow.Flow]].completion(manager, Sequence[flow.Flow], text), *SCHEMES]

    def parse(self, manager: CommandManager, _: type, text: str) -> Sequence[flow.Flow] | str:
        """Return what an argument names. Raises ValueError."""
        if text.lower().startswith(SCHEMES):
            return text
        if "view.flows.resolve" not in manager.commands:  # mitmdump
            raise ValueError(f'expected a URL, since mitmdump has no list of flows, found "{text}"')
        found: Sequence[flow.Flow] = CommandTypes.typemap[Sequence[flow.Flow]].parse(manager, Sequence[flow.Flow], text)
        return found

    def is_valid(self, _: CommandManager, __: type, value: object) -> bool:
        """Return whether a value is of this type."""
        return isinstance(value, str | flow.Flow | Sequence)


class _ModeType:
    """Tells mitmproxy about arguments of the type `ModeName`."""

    typ, display = ModeName, "online, auto or offline"

    def completion(self, _: CommandManager, __: type, ___: str) -> Sequence[str]:
        """Return all modes."""
        return list(map(str, SWITCHABLE))

    def parse(self, _: CommandManager, __: type, text: str) -> str:
        """Return the name of a mode. Raises ValueError."""
        if text not in SWITCHABLE:
            raise ValueError(f'expected {self.display}, found "{text}"')
        return text

    def is_valid(self, _: CommandManager, __: type, value: object) -> bool:
        """Return whether a value is of this type."""
        return value in SWITCHABLE


def make_known() -> None:
    """Make the types of arguments known to mitmproxy."""
    for each in (_FlowsOrUrlType(), _ModeType()):
        CommandTypes.typemap[each.typ] = each


def named(what: object) -> list[http.HTTPFlow | str]:
    """Return the HTTP flows and URLs that an argument stands for; other addons may pass them as they are."""
    if isinstance(what, str | flow.Flow):
        what = [what]
    if not isinstance(what, Sequence):
        raise ValueError(f"expected flows or a URL, found {what!r}")
    return [each for each in what if isinstance(each, str | http.HTTPFlow)]
