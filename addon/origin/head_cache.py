"""Cache of parsed response heads: origins repeat heads, or send heads that differ in a few values only.

Only heads that were accepted without `origin.lenient` are stored: their meaning depends on their bytes alone.
"""

from __future__ import annotations

from collections import OrderedDict

from addon.origin.head_form import FormedHead, HeadForm, divided
from addon.origin.response_head import ResponseHead

MAX_HEADS = 512
"""Number of heads in the cache, and of forms; the least recently used one is removed first."""

FREQUENT = 16
"""Uses after which a form is worth a pattern, which takes as long to make as some hundred heads to divide."""


class HeadCache:
    """Parsed heads by their bytes, and their forms; least recently used first."""

    def __init__(self) -> None:
        self._heads: OrderedDict[bytes, FormedHead] = OrderedDict()
        self._forms: OrderedDict[tuple[bytes | None, ...], HeadForm] = OrderedDict()
        self._latest: HeadForm | None = None
        """The frequent form that was found last: the next head probably has it, too."""

    def get(self, head: bytes) -> FormedHead | None:
        """Return a head, parsed, or None if none of its form is in the cache."""
        known = self._of_latest_form(head)
        if known is not None:
            return known
        cached = self._heads.get(head)
        if cached is not None:
            self._heads.move_to_end(head)
            return cached
        common, values = divided(head)
        form = self._forms.get(common)
        if form is None:
            return None
        self._forms.move_to_end(common)
        form.uses += 1
        if form.uses >= FREQUENT:
            self._latest = form
        return self._put(head, form.with_values(values))

    def _of_latest_form(self, head: bytes) -> FormedHead | None:
        """Return a head that has the frequent form that was found last. Only the last one of a form is kept.

        Heads of a frequent form differ mostly, as do the validators of many URLs, or they are repeated at once.
        """
        latest = self._latest
        if latest is None:
            return None
        if latest.last is not None and latest.last[0] == head:
            return latest.last[1]
        values = latest.values_in(head)
        if values is None:
            return None
        known = latest.with_values(values)
        latest.last = head, known
        return known

    def put(self, head: bytes, parsed: ResponseHead) -> FormedHead:
        """Store a parsed head, and return it with its form."""
        common, values = divided(head)
        form = self._forms[common] = HeadForm(head, parsed)
        if len(self._forms) > MAX_HEADS:
            self._forms.popitem(last=False)
        return self._put(head, form.with_values(values))

    def _put(self, head: bytes, known: FormedHead) -> FormedHead:
        self._heads[head] = known
        if len(self._heads) > MAX_HEADS:
            self._heads.popitem(last=False)
        return known
