"""The times that the parts of an exchange with an origin took."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ExchangeTimes:
    """The times of one exchange, in seconds. None: not known, or not yet."""

    head: float | None = None
    """From sending the request to the end of the response head."""
    whole: float | None = None
    """From sending the request to the end of the response."""
    connect: float | None = 0.0
    """For opening the connection, name resolution and TLS included; 0 if a connection was open already."""
