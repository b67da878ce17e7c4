"""The size of the largest content that is stored."""

from __future__ import annotations

from addon.pipeline.size_limit import SizeLimit
from addon.pipeline.too_large import TooLargeResponses


def test_content_may_have_the_usual_size_or_fill_the_free_space() -> None:
    free = [0]
    limit = SizeLimit(100, TooLargeResponses(None), lambda: free[0])
    assert limit.allows(100)
    assert not limit.allows(101)
    free[0] = 500
    assert limit.allows(500)
    assert not limit.allows(501)


def test_without_free_space_only_the_usual_size_is_allowed() -> None:
    limit = SizeLimit(100, TooLargeResponses(None))
    assert (limit.allows(100), limit.allows(101)) == (True, False)
