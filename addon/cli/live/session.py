"""The state of `secondhand top` on a terminal: what is selected and asked, and what each key does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from addon.cli.live.snapshot import Watch
from addon.runtime.control_client import ControlError, number_in

KEYS = "up/down select   w why   p purge   o offline   / filter   q quit"


@dataclass(frozen=True, slots=True)
class Question:
    """A question that is answered by y; any other key means no."""

    text: str
    then: Callable[[], str]
    """Does what was asked, and returns a line about it."""


class Session:
    """One run of the live view.

    Attributes:
        pattern: Only exchanges with this text are listed.
        is_typing: The pattern is being typed.
        has_ended: The user has asked for the end.
        page: Lines that are shown in place of the list, until the next key.
        message: A line about what was done last.
        question: A question that waits for its answer.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._wanted = 0
        """The number that was selected last; there may be fewer exchanges since."""
        self.pattern = ""
        self.is_typing = self.has_ended = False
        self.page: Sequence[str] = ()
        self.message = ""
        self.question: Question | None = None

    @property
    def lists_exchanges(self) -> bool:
        """True if a proxy lists its exchanges."""
        return self._watch.lists_exchanges

    @property
    def listed(self) -> list[Mapping[str, object]]:
        """The exchanges that fit the pattern, the newest first."""
        wanted = self.pattern.lower()
        shown = ("url", "status", "decision", "reason", "method", "client")
        return [
            each
            for each in self._watch.exchanges
            if wanted in " ".join(str(each.get(name, "")) for name in shown).lower()
        ]

    @property
    def selected(self) -> int:
        """The number of the selected exchange among those that are listed, 0 for the newest."""
        return min(self._wanted, max(0, len(self.listed) - 1))

    def press(self, key: str) -> None:
        """Do what a key means at this moment."""
        try:
            self._press(key)
        except ControlError as error:
            self.message = str(error)

    def _press(self, key: str) -> None:
        if self.question is not None:
            question, self.question = self.question, None
            self.message = question.then() if key == "y" else "nothing was changed"
        elif self.is_typing:
            self._type(key)
        elif self.page:
            self.page = ()
        else:
            self._command(key)

    def _type(self, key: str) -> None:
        if key in ("enter", "escape"):
            self.is_typing = False
            self.pattern = self.pattern if key == "enter" else ""
        elif key == "back":
            self.pattern = self.pattern[:-1]
        elif len(key) == 1 and key.isprintable():
            self.pattern += key
        self._wanted = 0

    def _command(self, key: str) -> None:
        self.message = ""
        match key:
            case "q" | "Q":
                self.has_ended = True
            case "up" | "k":
                self._wanted = max(0, self.selected - 1)
            case "down" | "j":
                self._wanted = self.selected + 1
            case "/":
                self.is_typing = True
            case "o":
                self._ask_for_mode()
            case "w" | "enter" | "p" if listed := self.listed:
                exchange = listed[self.selected]
                self._act(key, str(exchange["method"]) or "GET", str(exchange["url"]))
            case _:
                self.message = KEYS

    def _act(self, key: str, method: str, url: str) -> None:
        if key == "p":
            self.question = Question(f"Delete all copies of {url}? y/n", lambda: self._purge(url))
            return
        self.page = _explanation(self._watch.clients[0].ask("why", url=url, method=method, fields=[]), url)

    def _ask_for_mode(self) -> None:
        present = str(self._watch.clients[0].ask("mode")["mode"])
        other = "online" if present == "offline" else "offline"
        self.question = Question(f"The mode is {present}. Switch to {other}? y/n", lambda: self._switch(other))

    def _switch(self, mode: str) -> str:
        for client in self._watch.clients:
            client.ask("mode", mode=mode)
        return f"the mode is {mode}"

    def _purge(self, url: str) -> str:
        copies = sum(number_in(client.ask("purge", url=url, by="top")["copies"]) for client in self._watch.clients)
        return f"{copies:,} copies of {url} were deleted"


def _explanation(told: Mapping[str, object], url: str) -> list[str]:
    steps = told["steps"] if isinstance(told["steps"], list) else []
    lines = [f"{step['subject']}: {step['finding']}  ({step['source']})" for step in steps]
    return [url, "", *lines, "", f"decision: {told['decision']}, {told['reason']}"]
