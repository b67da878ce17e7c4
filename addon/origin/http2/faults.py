"""Faults of the peer on an HTTP/2 connection, and the error codes that are sent for them (RFC 9113 §7)."""

from __future__ import annotations

from enum import IntEnum

from cache.policy.reasons import Disconnected


class ErrorCode(IntEnum):
    """The error codes of RST_STREAM and GOAWAY."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


def error_name(code: int) -> str:
    """Return the name of an error code, or the number of an unknown one."""
    try:
        return ErrorCode(code).name
    except ValueError:
        return str(code)


class ConnectionFault(Exception):
    """The connection cannot go on. The text is a sentence for the log."""

    def __init__(self, code: ErrorCode, sentence: str, reason: Disconnected = Disconnected.HTTP2_PROTOCOL) -> None:
        super().__init__(sentence)
        self.code = code
        self.reason = reason


class StreamFault(Exception):
    """One stream cannot go on; the connection can. The text is a sentence for the log."""

    def __init__(self, code: ErrorCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def over_budget(reason: Disconnected, sentence: str) -> ConnectionFault:
    """Return the fault of a peer that demands more work than its limits allow."""
    return ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, sentence, reason)
