"""The digest of a request's content, computed while the content passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest

from addon.origin import RequestContent
from addon.pipeline.content_digest import ContentDigest


async def pieces() -> AsyncIterator[bytes]:
    for piece in (b"hel", b"lo"):
        yield piece


def test_without_content_it_is_the_digest_of_no_bytes() -> None:
    digest = ContentDigest(None)
    assert digest.passing() is None
    assert digest.value == sha256(b"").hexdigest()


@pytest.mark.parametrize(("length", "known_before_the_end"), [(5, True), (None, False)])
def test_it_is_known_once_all_content_has_passed(length: int | None, known_before_the_end: bool) -> None:
    async def main() -> None:
        digest = ContentDigest(RequestContent(pieces(), length))
        passing = digest.passing()
        assert passing is not None
        assert passing.length == length
        assert await anext(passing.chunks) == b"hel"
        assert digest.value == ""
        assert await anext(passing.chunks) == b"lo"
        assert bool(digest.value) is known_before_the_end
        with pytest.raises(StopAsyncIteration):
            await anext(passing.chunks)
        assert digest.value == sha256(b"hello").hexdigest()

    asyncio.run(main())
