"""gRPC through the proxy: in a CONNECT tunnel with and without TLS, and in clear to the proxy's own port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from tests.fixtures.proxy_process import Proxy
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.grpc_service import GrpcClient, GrpcOrigin


@pytest.fixture(params=["TLS in a tunnel", "in clear in a tunnel", "in clear"])
def client(request: pytest.FixtureRequest, proxy: Proxy, ca: ThrowawayCA, tmp_path: Path) -> Iterator[GrpcClient]:
    """A client whose origin speaks HTTP/2 only."""
    if request.param == "TLS in a tunnel":
        with GrpcOrigin(ca.server_files("localhost")) as origin:
            credentials = grpc.ssl_channel_credentials(proxy.certificate.read_bytes())
            way = [("grpc.http_proxy", proxy.url)]
            with grpc.secure_channel(f"localhost:{origin.port}", credentials, options=way) as channel:
                yield GrpcClient(channel)
    else:
        with GrpcOrigin() as origin:
            address, way = f"127.0.0.1:{origin.port}", [("grpc.http_proxy", proxy.url)]
            if request.param == "in clear":  # as if the proxy were the origin
                address, way = f"127.0.0.1:{proxy.port}", [("grpc.default_authority", address)]
            with grpc.insecure_channel(address, options=way) as channel:
                yield GrpcClient(channel)


def test_a_call_has_its_answer_and_its_trailers(client: GrpcClient) -> None:
    assert client.greet(b"you") == (b"hello you", {"x-trailer": "value"})


def test_a_refused_call_has_its_status(client: GrpcClient) -> None:
    assert client.refusal() == (grpc.StatusCode.NOT_FOUND, "there is none")


def test_a_server_sends_a_stream(client: GrpcClient) -> None:
    assert client.count(5) == [b"0", b"1", b"2", b"3", b"4"]


def test_a_client_sends_a_stream(client: GrpcClient) -> None:
    assert client.join(b"a", b"b", b"c") == b"a,b,c"


def test_both_sides_talk_in_turns(client: GrpcClient) -> None:
    assert client.talk(b"a", b"b", b"c") == [b"a", b"b", b"c"]


def test_a_message_may_be_larger_than_every_window(client: GrpcClient) -> None:
    message = b"x" * 3_000_000
    assert client.greet(message)[0] == b"hello " + message
