"""The latest values by key. No order is kept among them, since that would take time with each value."""

from __future__ import annotations

from collections.abc import Callable


class RecentValues[Key, Value]:
    """At least the last `size` values, and at most twice as many."""

    __slots__ = ("_earlier", "_latest", "_size")

    def __init__(self, size: int) -> None:
        """Begin without values."""
        self._size = size
        self._latest: dict[Key, Value] = {}
        self._earlier: dict[Key, Value] = {}
        """The values from before `_latest` was full and began anew."""

    def __setitem__(self, key: Key, value: Value) -> None:
        """Keep a value."""
        if len(self._latest) >= self._size:
            self._earlier, self._latest = self._latest, {}
        self._latest[key] = value

    def get(self, key: Key) -> Value | None:
        """Return the last value of a key, or None if there is none."""
        found = self._latest.get(key)
        return self._earlier.get(key) if found is None else found

    def drop(self, key: Key) -> None:
        """Forget a value, if there is one."""
        self._latest.pop(key, None)
        self._earlier.pop(key, None)

    def drop_where(self, fits: Callable[[Key], bool]) -> None:
        """Forget the values of all keys that `fits` accepts."""
        for values in (self._latest, self._earlier):
            for key in [key for key in values if fits(key)]:
                del values[key]
