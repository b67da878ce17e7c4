"""A gRPC service behind the edge."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from tests.edge.browser import HOST
from tests.edge.fronts import Front
from tests.programs.grpc_service import GrpcClient, GrpcOrigin


@pytest.fixture(scope="module")
def application() -> Iterator[str]:
    with GrpcOrigin() as origin:
        yield f"http://127.0.0.1:{origin.port}"


def channel(front: Front) -> grpc.Channel:
    address, options = f"127.0.0.1:{front.port}", [("grpc.default_authority", HOST), ("grpc.enable_http_proxy", 0)]
    if front.scheme == "http":
        return grpc.insecure_channel(address, options)
    credentials = grpc.ssl_channel_credentials(front.certificates.ca.read_bytes())
    return grpc.secure_channel(address, credentials, [*options, ("grpc.ssl_target_name_override", HOST)])


@pytest.fixture
def client(front: Front) -> Iterator[GrpcClient]:
    with channel(front) as way:
        yield GrpcClient(way)


def test_a_call_has_its_answer_and_its_trailers(client: GrpcClient) -> None:
    assert client.greet(b"you") == (b"hello you", {"x-trailer": "value"})


def test_a_refused_call_has_its_status(client: GrpcClient) -> None:
    assert client.refusal() == (grpc.StatusCode.NOT_FOUND, "there is none")


def test_streams_of_both_sides_pass(client: GrpcClient) -> None:
    assert client.count(5) == [b"0", b"1", b"2", b"3", b"4"]
    assert client.join(b"a", b"b", b"c") == b"a,b,c"
    assert client.talk(b"a", b"b", b"c") == [b"a", b"b", b"c"]


def test_a_message_may_be_larger_than_every_window(client: GrpcClient) -> None:
    message = b"x" * 3_000_000
    assert client.greet(message)[0] == b"hello " + message
