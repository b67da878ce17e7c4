"""All conversations."""

from tests.conversations import (
    freshness,
    heads,
    keys,
    ranges,
    requests,
    status_codes,
    storing,
    unsafe_methods,
    validation,
)

CONVERSATIONS = [
    *status_codes.CONVERSATIONS,
    *storing.CONVERSATIONS,
    *freshness.CONVERSATIONS,
    *keys.CONVERSATIONS,
    *validation.CONVERSATIONS,
    *ranges.CONVERSATIONS,
    *heads.CONVERSATIONS,
    *unsafe_methods.CONVERSATIONS,
    *requests.CONVERSATIONS,
]
