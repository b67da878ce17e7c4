"""The digest of a request's content, computed while the content passes on its way to the origin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

from addon.origin import RequestContent


class ContentDigest:
    """The SHA-256 of a request's content, once all of it has passed.

    Attributes:
        value: In hexadecimal; empty until then.
    """

    def __init__(self, content: RequestContent | None) -> None:
        """Begin; without content, the digest is that of no bytes."""
        self._content = content
        self._hash = sha256()
        self._length = 0
        self.value = self._hash.hexdigest() if content is None else ""

    def passing(self) -> RequestContent | None:
        """Return the content as it was given. The digest is known when it was read to its end."""
        return RequestContent(self.chunks(self._content), self._content.length) if self._content else None

    async def chunks(self, content: RequestContent) -> AsyncIterator[bytes]:
        """Iterate over the content, and compute its digest."""
        async for chunk in content.chunks:
            self._hash.update(chunk)
            self._length += len(chunk)
            if self._length == content.length:  # the origin may respond before the end is read
                self.value = self._hash.hexdigest()
            yield chunk
        self.value = self._hash.hexdigest()
