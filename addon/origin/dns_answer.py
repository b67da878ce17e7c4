"""The answer of name servers about a name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer about a name: its addresses, or the reason why there are none.

    Attributes:
        addresses: The addresses, IPv6 first (RFC 8305 §4). Empty if there are none.
        ttl: The seconds for which this holds; 0 if the lookup failed.
        problem: Why there are no addresses: the second half of a sentence.
        rcode: The name of the response code that says so, like NXDOMAIN; empty if no server sent one.
        not_found: A server says that there is no such name, or that it has no address.
        timed_out: The servers did not answer in time.
    """

    addresses: tuple[str, ...] = ()
    ttl: float = 0.0
    problem: str = ""
    rcode: str = ""
    not_found: bool = False
    timed_out: bool = False

    @property
    def is_final(self) -> bool:
        """Return whether the servers have said what they know. Else they did not answer, or could not."""
        return bool(self.addresses) or self.not_found
