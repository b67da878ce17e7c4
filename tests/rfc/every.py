"""All conversations."""

from tests.rfc import (
    annotations,
    answer_status,
    forwarding,
    freshness,
    heads,
    keys,
    octets,
    ranges,
    requests,
    searches,
    stale,
    status_codes,
    storing,
    strangers,
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
    *searches.CONVERSATIONS,
    *strangers.CONVERSATIONS,
]
