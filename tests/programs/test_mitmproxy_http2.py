"""Origins that speak HTTP/2, and gRPC, through mitmproxy with the cache as without it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.grpc_service import GrpcClient, GrpcOrigin
from tests.programs.installed_programs import program, run
from tests.programs.mitmproxy_runs import Mitmdump, mitmdump_ca

NODE_SCRIPT = Path(__file__).with_name("http2_only.mjs")
TRAILING = ("-s", str(Path(__file__).with_name("mitmproxy_scripts") / "trailing.py"))


@pytest.fixture(scope="module", params=[False, True], ids=["without", "cached"])
def client(
    request: pytest.FixtureRequest, ca: ThrowawayCA, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GrpcClient]:
    """A client of gRPC in a tunnel through mitmdump."""
    folder = tmp_path_factory.mktemp("grpc")
    with (
        GrpcOrigin(ca.server_files("localhost")) as origin,
        Mitmdump(folder / "run", ca.file, (), cached=request.param) as mitmdump,
    ):
        credentials = grpc.ssl_channel_credentials(mitmdump_ca(mitmdump).read_bytes())
        way = [("grpc.http_proxy", f"http://127.0.0.1:{mitmdump.port}")]
        with grpc.secure_channel(f"localhost:{origin.port}", credentials, options=way) as channel:
            yield GrpcClient(channel)
        assert "Traceback" not in mitmdump.log


def test_calls_have_their_answers_and_trailers(client: GrpcClient) -> None:
    """mitmproxy holds content until it is complete, so streams of both sides end before they are answered."""
    assert client.greet(b"you") == (b"hello you", {"x-trailer": "value"})
    assert client.refusal() == (grpc.StatusCode.NOT_FOUND, "there is none")
    assert client.count(5) == [b"0", b"1", b"2", b"3", b"4"]
    assert client.join(b"a", b"b", b"c") == b"a,b,c"


@pytest.fixture
def node_origin(ca: ThrowawayCA) -> Iterator[str]:
    """The URL of a server of Node.js that speaks HTTP/2 only."""
    command = program("node"), str(NODE_SCRIPT), str(ca.server_files("localhost"))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout
        yield f"https://localhost:{int(node.stdout.readline())}"
        node.kill()


@pytest.mark.parametrize("cached", [False, True])
def test_clients_get_what_an_origin_with_http2_sends(
    cached: bool, node_origin: str, ca: ThrowawayCA, tmp_path: Path
) -> None:
    """The third request goes to the origin although there is a copy."""
    asked = ((), (), ("--header", "Cache-Control: no-cache"), ("--data", "a=1"))
    with Mitmdump(tmp_path / "run", ca.file, (), cached=cached) as mitmdump:
        printed = [curl(tmp_path, mitmdump, f"{node_origin}/a", "--http2", *more) for more in asked]

    page = '{"method":"GET","path":"/a","size":0}'
    assert [content for content, _ in printed] == [page, page, page, '{"method":"POST","path":"/a","size":3}']
    assert [status for _, status in printed] == ["2 200", "2 203" if cached else "2 200", "2 200", "2 200"]
    assert "Traceback" not in mitmdump.log


@pytest.mark.parametrize("cached", [False, True])
def test_trailers_of_a_script_reach_a_client(cached: bool, node_origin: str, ca: ThrowawayCA, tmp_path: Path) -> None:
    with Mitmdump(tmp_path / "run", ca.file, TRAILING, cached=cached) as mitmdump:
        printed = [curl(tmp_path, mitmdump, f"{node_origin}/a", "--http2", "--include")[0] for _ in range(2)]

    assert ["x-script-trailer: yes" in each for each in printed] == [True, True], printed
    assert "Traceback" not in mitmdump.log


def curl(home: Path, mitmdump: Mitmdump, url: str, *more: str) -> tuple[str, str]:
    """Return what curl prints, and the version and status of the response."""
    printed = run(
        home,
        *(program("curl"), "-q", "--silent", "--proxy", f"http://127.0.0.1:{mitmdump.port}"),
        *("--cacert", str(mitmdump_ca(mitmdump)), "--write-out", "\n%{http_version} %{http_code}", *more, url),
    )
    content, _, status = printed.rpartition("\n")
    return content.strip(), status
