"""The places of the cache among mitmproxy's addons: first, last, and before the addons that save flows."""

from __future__ import annotations

from mitmproxy.addonmanager import AddonManager


class Places:
    """Keeps three addons in their places, whatever else is loaded later."""

    def __init__(self, first: object, before_saving: object, last: object) -> None:
        self._first = first
        self._before_saving = before_saving
        self._last = last

    def take(self, addons: AddonManager) -> None:
        """Put the addons where they belong, unless they are there."""
        chain = addons.chain
        if chain[0] is self._first and chain[-1] is self._last:
            return
        own = (self._first, self._before_saving, self._last)
        for each in own:
            if each not in addons:
                addons.register(each)
        others = [each for each in chain if not any(each is mine for mine in own)]
        saving = addons.get("save")
        place = next((place for place, each in enumerate(others) if each is saving), len(others))
        # a new list, since mitmproxy may be iterating over the old one
        addons.chain = [self._first, *others[:place], self._before_saving, *others[place:], self._last]

    def leave(self, addons: AddonManager) -> None:
        """Remove the addons."""
        for each in (self._first, self._before_saving, self._last):
            if each in addons:
                addons.remove(each)
