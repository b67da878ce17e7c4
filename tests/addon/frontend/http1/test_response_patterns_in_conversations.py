"""In every conversation, a response by the pattern of a similar copy is the engine's response, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from addon.frontend.http1.response_patterns import ResponsePatterns
from cache import engine
from cache.http.fields import imf_date
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.stored_response import StoredResponse
from tests.addon.frontend.http1.test_response_patterns import compare
from tests.lanes.conversation_runner import run_conversation
from tests.lanes.engine_lane import EngineLane
from tests.lanes.script import Conversation
from tests.lanes.unsupported import reason_unsupported
from tests.rfc.all_conversations import CONVERSATIONS

SUPPORTED = [each for each in CONVERSATIONS if not reason_unsupported(each, "engine")]

type Question = tuple[Request, StoredResponse, CachePolicy, float]
"""A request, the only stored response under its key, the policy and the time."""


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """The questions that the engine is asked during the test."""
    asked: list[Question] = []
    decide = engine.on_request

    def on_request(
        request: Request, candidates: Sequence[StoredResponse], policy: CachePolicy, now: float, *rest: object
    ):  # type: ignore[no-untyped-def] # as of the engine
        if len(candidates) == 1:
            asked.append((request, candidates[0], policy, now))
        return decide(request, candidates, policy, now, *rest)

    monkeypatch.setattr(engine, "on_request", on_request)
    return asked


def twin(entry: StoredResponse) -> StoredResponse:
    """Return a stored response that differs in its entity tag, its dates and times."""
    others = {
        "etag": '"of the twin"',
        "last-modified": imf_date(entry.stored_at - 5000),
        "date": imf_date(entry.response_time),
    }
    lines = [(name, others.get(name.lower(), value)) for name, value in entry.head.fields]
    head = replace(entry.head, fields=Fields(tuple(lines)))
    return replace(entry, head=head, request_time=entry.request_time - 0.5, response_time=entry.response_time - 0.25)


def uses_of_patterns(runner: asyncio.Runner, conversation: Conversation, questions: list[Question]) -> int:
    """Compare all responses in a conversation. Return how many were by a pattern."""
    runner.run(run_conversation(conversation, EngineLane()))
    asked, uses = list(questions), 0
    for request, entry, policy, now in asked:
        patterns, content = ResponsePatterns(), b"x" * entry.length
        compare(patterns, request, twin(entry), content, policy, now)
        uses += compare(patterns, request, entry, content, policy, now)
    return uses


@pytest.mark.parametrize("conversation", SUPPORTED, ids=str)
def test_a_response_by_a_pattern_is_the_engines(
    conversation: Conversation, runner: asyncio.Runner, questions: list[Question]
) -> None:
    uses_of_patterns(runner, conversation, questions)


def test_conversations_with_a_plain_hit_use_a_pattern(runner: asyncio.Runner, questions: list[Question]) -> None:
    used = 0
    for conversation in SUPPORTED[:60]:
        questions.clear()
        used += uses_of_patterns(runner, conversation, questions) > 0
    assert used > 10
