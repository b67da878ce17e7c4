"""A site of fixed pages on a loopback port, and the command line beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from typer.testing import CliRunner, Result

from addon.cli import app
from tests.clients.origin import Exchange, Origin

FRESH = {"Cache-Control": "max-age=600"}


def page(
    origin: Origin, target: str, content: bytes = b"hello", fields: Mapping[str, str] = FRESH, status: int = 200
) -> str:
    """Have an origin answer a target so; return its URL."""

    def answer(exchange: Exchange) -> None:
        exchange.reply(status, content, fields)

    return origin.offer(target, answer)


def secondhand(*arguments: str | Path) -> Result:
    """Run a command; a traceback fails the test that caused it."""
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result
