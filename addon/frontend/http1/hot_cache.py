"""The hot answers at hand, by request head: bounded in octets, and not swept out by a walk through many URLs.

A new answer waits in a short queue. Who is asked for again while it waits moves to the long one; who is not leaves.
In the long queue, too, one round without being asked for is the end (the queues of S3-FIFO, Yang et al. 2023).
"""

from __future__ import annotations

from collections import OrderedDict, deque

from addon.frontend.http1.hot_response import HotResponse

OVERHEAD = 512
"""Octets of memory that an answer takes beside its key, its head and its content."""

WAITING = 10
"""The short queue may have one part in so many of the memory."""


class HotCache:
    """Hot answers by the octets of the request head, at most `max_size` octets of memory."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._answers: dict[bytes, HotResponse] = {}
        self._new: deque[bytes] = deque()
        self._kept: deque[bytes] = deque()
        self._left: OrderedDict[int, None] = OrderedDict()
        """Hashes of heads whose answers left lately: the heads themselves may be long, and nobody would count them."""
        self._new_size = self._kept_size = 0
        self.get = self._answers.get
        """Returns the answer to a request head, or None. The dict's own method: nothing is faster."""

    def __len__(self) -> int:
        """Return how many answers there are."""
        return len(self._answers)

    @property
    def size(self) -> int:
        """Return the octets of memory in use."""
        return self._new_size + self._kept_size

    def put(self, head: bytes, answer: HotResponse) -> None:
        """Keep an answer; what it takes the place of is gone."""
        size = _size(head, answer)
        if size > self._max_size // WAITING:
            return
        old = self._answers.get(head)
        if old is not None:  # it has its place in a queue already
            answer.visited, answer.long = True, old.long
            self._resize(answer, size - _size(head, old))
        elif hash(head) in self._left:
            del self._left[hash(head)]
            answer.long = True
            self._kept.append(head)
            self._resize(answer, size)
        else:
            self._new.append(head)
            self._resize(answer, size)
        self._answers[head] = answer
        self._evict()

    def clear(self) -> None:
        """Forget everything."""
        self._answers.clear()
        self._new.clear()
        self._kept.clear()
        self._left.clear()
        self._new_size = self._kept_size = 0

    def _resize(self, answer: HotResponse, by: int) -> None:
        if answer.long:
            self._kept_size += by
        else:
            self._new_size += by

    def _evict(self) -> None:
        while self.size > self._max_size:
            if self._new and (self._new_size > self._max_size // WAITING or not self._kept):
                self._move_on(self._new.popleft())
            else:
                self._go_round(self._kept.popleft())

    def _move_on(self, head: bytes) -> None:
        answer = self._answers[head]
        size = _size(head, answer)
        self._new_size -= size
        if answer.visited:
            answer.visited, answer.long = False, True
            self._kept.append(head)
            self._kept_size += size
            return
        del self._answers[head]
        self._left[hash(head)] = None
        if len(self._left) > len(self._answers):
            self._left.popitem(last=False)

    def _go_round(self, head: bytes) -> None:
        answer = self._answers[head]
        if answer.visited:
            answer.visited = False
            self._kept.append(head)
            return
        self._kept_size -= _size(head, answer)
        del self._answers[head]


def _size(head: bytes, answer: HotResponse) -> int:
    return len(head) + len(answer.template) + len(answer.content) + len(answer.line) + OVERHEAD
