"""A gRPC service whose messages are plain bytes, and clients for it."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any, Self

import grpc

TIMEOUT = 60
"""Seconds for a call."""

SERVICE = "test.Service"


def greet(request: bytes, context: grpc.ServicerContext) -> bytes:
    context.set_trailing_metadata((("x-trailer", "value"),))
    return b"hello " + request


def refuse(request: bytes, context: grpc.ServicerContext) -> bytes:
    context.abort(grpc.StatusCode.NOT_FOUND, "there is none")
    return b""


def count(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    for number in range(int(request)):
        yield b"%d" % number


def join(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    return b",".join(requests)


def echo(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    yield from requests


class GrpcOrigin:
    """The service on a loopback port, in clear or over TLS.

    Attributes:
        port: The port.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        """Listen; with the file of a private key and its certificate, over TLS."""
        handlers: dict[str, Any] = {
            "Greet": grpc.unary_unary_rpc_method_handler(greet),
            "Refuse": grpc.unary_unary_rpc_method_handler(refuse),
            "Count": grpc.unary_stream_rpc_method_handler(count),
            "Join": grpc.stream_unary_rpc_method_handler(join),
            "Echo": grpc.stream_stream_rpc_method_handler(echo),
        }
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        if certificate is None:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            key, begin, rest = certificate.read_bytes().partition(b"-----BEGIN CERTIFICATE")
            credentials = grpc.ssl_server_credentials([(key, begin + rest)])
            self.port = self._server.add_secure_port("localhost:0", credentials)
        self._server.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()


class GrpcClient:
    """Calls the service on a channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def greet(self, message: bytes) -> tuple[bytes, dict[str, str]]:
        """Return the answer and its trailers."""
        answer, call = self._channel.unary_unary(f"/{SERVICE}/Greet").with_call(message, timeout=TIMEOUT)
        return answer, dict(call.trailing_metadata())

    def refusal(self) -> tuple[grpc.StatusCode, str]:
        """Return the status of a call that the service refuses."""
        try:
            self._channel.unary_unary(f"/{SERVICE}/Refuse")(b"", timeout=TIMEOUT)
        except grpc.RpcError as error:
            return error.code(), error.details()
        raise AssertionError("the call was not refused")

    def count(self, number: int) -> list[bytes]:
        return list(self._channel.unary_stream(f"/{SERVICE}/Count")(b"%d" % number, timeout=TIMEOUT))

    def join(self, *messages: bytes) -> bytes:
        return bytes(self._channel.stream_unary(f"/{SERVICE}/Join")(iter(messages), timeout=TIMEOUT))

    def talk(self, *messages: bytes) -> list[bytes]:
        """Send each message after the answer to the one before."""
        said: queue.Queue[bytes | None] = queue.Queue()
        answers = self._channel.stream_stream(f"/{SERVICE}/Echo")(iter(said.get, None), timeout=TIMEOUT)
        heard = []
        for message in messages:
            said.put(message)
            heard.append(next(answers))
        said.put(None)
        assert list(answers) == []
        return heard
