"""All conversations."""

from tests.conversations import (
    annotations,
    answer_status,
    forwarding,
    freshness,
    heads,
    keys,
    mementos,
    octets,
    ranges,
    requests,
    stale,
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
    *stale.CONVERSATIONS,
    *answer_status.CONVERSATIONS,
    *annotations.CONVERSATIONS,
    *forwarding.CONVERSATIONS,
    *octets.CONVERSATIONS,
    *mementos.CONVERSATIONS,
]
