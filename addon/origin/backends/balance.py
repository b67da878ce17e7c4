"""The choice among the origins of a site that may get a request."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, Protocol

_LARGEST = 2.0**64


@dataclass(slots=True)
class Candidate:
    """An origin that may get a request."""

    name: str
    weight: float
    busy: int
    """Requests under way to it."""


class Balance(Protocol):
    """A way to choose."""

    def choose(self, candidates: Sequence[Candidate], url: str) -> int:
        """Return the position of the candidate for a request for a URL. There is at least one candidate."""

    def note(self, candidates: Sequence[Candidate], chosen: int) -> None:
        """Note that the candidate that was chosen gets the request."""


class LeastBusy:
    """The origin with the fewest requests under way for its weight; of several, each in turn, by weight.

    The turns are those of the smooth weighted round robin of nginx, without bursts for one origin.
    """

    def __init__(self) -> None:
        self._turns: dict[str, float] = {}

    def choose(self, candidates: Sequence[Candidate], _url: str) -> int:
        """Return the position of the candidate for a request."""
        places = _least_busy(candidates)
        if len(places) == 1:
            return places[0]
        turns = self._turns
        return max(places, key=lambda place: turns.get(candidates[place].name, 0.0) + candidates[place].weight)

    def note(self, candidates: Sequence[Candidate], chosen: int) -> None:
        """Note that the candidate that was chosen gets the request."""
        places = _least_busy(candidates)
        for place in places:
            each = candidates[place]
            self._turns[each.name] = self._turns.get(each.name, 0.0) + each.weight
        self._turns[candidates[chosen].name] -= sum(candidates[place].weight for place in places)


def _least_busy(candidates: Sequence[Candidate]) -> list[int]:
    """Return the positions of the candidates with the least load for their weight."""
    loads = [each.busy / each.weight for each in candidates]
    least = min(loads)
    return [place for place, load in enumerate(loads) if load == least]


class ByHash:
    """The origin by the hash of the URL: the same one each time, as long as it is up.

    This is rendezvous hashing with weights: if an origin is lost, only its own URLs move, spread over all others.
    """

    def choose(self, candidates: Sequence[Candidate], url: str) -> int:
        """Return the position of the candidate that gets a request for a URL."""
        scores = [_score(each, url) for each in candidates]
        return scores.index(min(scores))

    def note(self, candidates: Sequence[Candidate], chosen: int) -> None:
        """Do nothing: the next choice does not depend on this one."""


def _score(candidate: Candidate, url: str) -> float:
    digest = blake2b(f"{candidate.name} {url}".encode("latin-1", "replace"), digest_size=8).digest()
    number = (int.from_bytes(digest, "big") + 0.5) / _LARGEST  # evenly spread between 0 and 1
    return -math.log(number) / candidate.weight


def balance_of(kind: Literal["least_busy", "hash"]) -> Balance:
    """Return the balance that a site's settings name."""
    return LeastBusy() if kind == "least_busy" else ByHash()
