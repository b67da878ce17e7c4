"""Logs show no queries, no names and passwords in URLs, and no credentials, whoever logs them and at what level."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from addon.config.errors import ConfigError
from addon.config.load import configure
from addon.config.redaction import Redaction


@pytest.fixture
def redaction() -> Iterator[Redaction]:
    make_record = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)  # without the redaction of another test
    yield Redaction()
    logging.setLogRecordFactory(make_record)


def logged(name: str, message: str, *arguments: object, error: Exception | None = None) -> str:
    """Return what a logger writes."""
    stream, logger = io.StringIO(), logging.getLogger(name)
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    try:
        logger.error(message, *arguments, exc_info=error)
    finally:
        logger.removeHandler(handler)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://a.example/b?token=c", "http://a.example/b?[hidden]"),
        ("http://a.example?token=c not stored", "http://a.example?[hidden] not stored"),
        ("https://a.example/b?c=d: it failed", "https://a.example/b?[hidden]: it failed"),
        ('/b?c="d"&e=http://f/?g h', "/b?[hidden] h"),
        ("/b?c\xa0d\x0be f", "/b?[hidden] f"),
        ("GET /b?c=d HTTP/1.1", "GET /b?[hidden] HTTP/1.1"),
        ("/b?", "/b?[hidden]"),
        ("HTTP://name:password@a.example/", "HTTP://a.example/"),
        ("proxy http://name:pass:word@proxy.example:3128 refused", "proxy http://proxy.example:3128 refused"),
        ("http://a.example/@b", "http://a.example/@b"),
        ("Authorization: Basic c2VjcmV0", "Authorization: [hidden]"),
        ("('Cookie', 'a=b; c=d')", "('Cookie', '[hidden]"),
        (r"b'Proxy-Authorization: Basic c2VjcmV0\r\nHost: a'", r"b'Proxy-Authorization: [hidden]\r\nHost: a'"),
        ("answer.names: unknown key, did you mean name?", "answer.names: unknown key, did you mean name?"),
    ],
)
def test_text_is_shown_without_secrets(text: str, shown: str) -> None:
    assert Redaction().text(text) == shown


LONG = 32_768


@pytest.mark.parametrize(
    "unit", [".", "/", "?", "/?", "?/", "://", "//", "@", "://@", ":", ")", "\xa0", "\t", " /", "=\n"]
)
def test_a_long_text_is_read_in_time_that_grows_with_its_length(unit: str) -> None:
    """Regression: one such text took up to 19 seconds, in which nobody was served; those below took many minutes."""
    repeated = unit * (LONG // len(unit))
    for head in ("", "/?", "http://h/?", "http://h/", "http://", "Cookie", "Authorization:", "/?a cookie"):
        for tail in ("", "x", "x y", " ?", r"x\r"):
            assert "secret" not in Redaction().text(f"{head}{repeated}{tail} /a?secret")


def test_queries_are_shown_if_the_operator_wants_them_but_no_passwords() -> None:
    redaction = Redaction()
    redaction.shows_queries = True
    assert redaction.text("http://a:b@c.example/?d") == "http://c.example/?d"
    assert redaction.target("http://a:b@c.example/?d") == "http://c.example/?d"


@pytest.mark.parametrize("name", ["addon.pipeline.fetcher", "cache.stores", "mitmproxy.proxy", "httplint", "asyncio"])
def test_every_logger_of_the_process_is_redacted(name: str, redaction: Redaction) -> None:
    redaction.install()
    assert logged(name, "%s failed after %d tries", "http://a/b?c", 3) == "http://a/b?[hidden] failed after 3 tries\n"


def test_the_text_of_an_exception_is_redacted_with_its_cause(redaction: Redaction) -> None:
    redaction.install()
    try:
        try:
            raise OSError("http://a/?cause")
        except OSError as cause:
            raise ValueError("http://a/?secret") from cause
    except ValueError as error:
        text = logged("addon", "failed", error=error)
    assert "ValueError: http://a/?[hidden]" in text
    assert "OSError: http://a/?[hidden]" in text
    assert "secret" not in text
    assert "?cause" not in text


def test_arguments_that_do_not_fit_are_not_printed(redaction: Redaction) -> None:
    redaction.install()
    assert logged("addon", "%d", "http://a/?secret") == "%d (its arguments do not fit)\n"


def test_in_another_mitmproxy_only_our_own_records_are_redacted(redaction: Redaction) -> None:
    redaction.install("addon", "cache")
    assert logged("mitmproxy.log", "/?shown") == "/?shown\n"
    assert logged("addon.service", "/?hidden") == "/?[hidden]\n"


def test_a_fault_in_the_settings_shows_no_password() -> None:
    with pytest.raises(ConfigError) as refused:
        configure(environ={"SECONDHAND_EDGE": "http://name:secret@a.example/"})
    assert "secret" not in str(refused.value)
    assert "http://a.example/" in str(refused.value)
