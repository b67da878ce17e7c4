"""The hot cache: hot responses by request head, bounded in bytes, which one pass over many URLs cannot empty.

The queues are those of S3-FIFO (Yang et al., SOSP 2023). A new response enters a small queue; if it is sent again while
it is there, it moves to the main queue, else it leaves. In the main queue it leaves after one round without use.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from addon.frontend.http1.hot_response import HotResponse

OVERHEAD = 600
"""Bytes of memory that a response takes beside its key, head and content, the record of its last use included."""

SMALL_QUEUE_SHARE = 10
"""The small queue may take one part in so many of the memory."""


HotKey = bytes | str
"""The bytes of an HTTP/1 request head; text for a request of another protocol, which no bytes are equal to."""


class HotCache:
    """Hot responses by their requests, at most `max_size` bytes of memory."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._responses: dict[HotKey, HotResponse] = {}
        self._small: deque[HotKey] = deque()
        self._main: deque[HotKey] = deque()
        self._ghosts: OrderedDict[int, None] = OrderedDict()
        """Ghost queue of S3-FIFO: hashes only, since full keys would be uncounted memory."""
        self._small_size = self._main_size = 0
        self.get = self._responses.get
        """Returns the response to a request head, or None. The dict's own method, since nothing is faster."""

    def __len__(self) -> int:
        """Return how many responses there are."""
        return len(self._responses)

    @property
    def size(self) -> int:
        """Return the bytes of memory in use."""
        return self._small_size + self._main_size

    def put(self, head: HotKey, response: HotResponse) -> None:
        """Keep a response under a request head, in place of another one."""
        response.name = head
        size = _size(head, response)
        if size > self._max_size // SMALL_QUEUE_SHARE:
            return
        old = self._responses.get(head)
        if old is not None:  # its head is in a queue already
            response.visited, response.in_main_queue = True, old.in_main_queue
            self._resize(response, size - _size(head, old))
        elif hash(head) in self._ghosts:
            del self._ghosts[hash(head)]
            response.in_main_queue = True
            self._main.append(head)
            self._resize(response, size)
        else:
            self._small.append(head)
            self._resize(response, size)
        self._responses[head] = response
        self._evict()

    def clear(self) -> None:
        """Forget everything."""
        self._responses.clear()
        self._small.clear()
        self._main.clear()
        self._ghosts.clear()
        self._small_size = self._main_size = 0

    def _resize(self, response: HotResponse, by: int) -> None:
        if response.in_main_queue:
            self._main_size += by
        else:
            self._small_size += by

    def _evict(self) -> None:
        while self.size > self._max_size:
            if self._small and (self._small_size > self._max_size // SMALL_QUEUE_SHARE or not self._main):
                self._leave_small_queue(self._small.popleft())
            else:
                self._leave_main_queue(self._main.popleft())

    def _leave_small_queue(self, head: HotKey) -> None:
        response = self._responses[head]
        size = _size(head, response)
        self._small_size -= size
        if response.visited:
            response.visited, response.in_main_queue = False, True
            self._main.append(head)
            self._main_size += size
            return
        del self._responses[head]
        self._ghosts[hash(head)] = None
        if len(self._ghosts) > len(self._responses):
            self._ghosts.popitem(last=False)

    def _leave_main_queue(self, head: HotKey) -> None:
        response = self._responses[head]
        if response.visited:
            response.visited = False
            self._main.append(head)
            return
        self._main_size -= _size(head, response)
        del self._responses[head]


def _size(head: HotKey, response: HotResponse) -> int:
    return len(head) + len(response.template) + len(response.content) + len(response.log_line) + OVERHEAD
