"""Connections to servers with passwords, over TLS, over Unix sockets, and to what is no such server."""

from __future__ import annotations

import asyncio
from pathlib import Path

from cache.stores.redis.address import TlsFiles, parse_address
from cache.stores.redis.engine import EngineOptions
from cache.stores.redis.store import RedisStore
from tests.cache.stores.redis.conftest import OpenNode
from tests.fixtures.free_port import free_port
from tests.fixtures.raw_origin import Peer, RawOrigin
from tests.fixtures.redis_server import RedisServer, redis_server
from tests.fixtures.redis_stores import PATIENCE, redis_store
from tests.fixtures.stored_entries import KEY, new_entry, put
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.until import wait_until


def works(node: RedisStore) -> bool:
    stored = put(node, new_entry())
    return node.candidates(KEY)[0] == stored


def problem(node: RedisStore) -> str:
    return node.engine.problem or ""


def test_a_user_with_its_password_and_only_its_own_names(open_node: OpenNode, server: RedisServer) -> None:
    rules = ("on", ">p@ss", "~mine*", "+@all", "-@dangerous", "-@admin")
    server.client().execute_command("ACL", "SETUSER", "me", *rules)
    assert works(open_node(f"redis://me:p%40ss@127.0.0.1:{server.port}", prefix="mine"))


def test_a_wrong_password_is_named_without_the_password(open_node: OpenNode, server: RedisServer) -> None:
    server.client().config_set("requirepass", "another")
    node = open_node(f"redis://:secret@127.0.0.1:{server.port}", patience=0.1)
    wait_until(lambda: "HELLO was refused" in problem(node))
    assert "secret" not in problem(node)


def test_another_database_is_used(open_node: OpenNode, server: RedisServer) -> None:
    assert works(open_node(f"{server.url}/3"))
    assert server.client().dbsize() == 0


def test_a_unix_socket(open_node: OpenNode, tmp_path: Path) -> None:
    with redis_server(tmp_path / "other", "--unixsocket", str(tmp_path / "s")):
        assert works(open_node(f"unix://{tmp_path}/s"))


def test_tls_with_a_certificate_of_the_client(tmp_path: Path, server: RedisServer) -> None:
    ca = ThrowawayCA(tmp_path, "engine")
    certificate = str(ca.server_files("127.0.0.1"))
    options = ("--tls-cert-file", certificate, "--tls-key-file", certificate, "--tls-ca-cert-file", str(ca.file))
    port = free_port()
    with redis_server(tmp_path / "tls", "--tls-port", str(port), *options):
        address = parse_address(f"rediss://127.0.0.1:{port}")
        trusting = EngineOptions(address, TlsFiles(str(ca.file), certificate), PATIENCE)
        node = redis_store("redis://x", engine=trusting)
        assert works(node)
        node.close()
        other = redis_store("redis://x", engine=EngineOptions(address, TlsFiles(), PATIENCE), patience=0.1)
        wait_until(lambda: "certificate" in problem(other).lower())
        other.close()


def test_what_is_no_such_server_is_named(open_node: OpenNode) -> None:
    async def speak_http(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.closed_after_data()

    async def main() -> None:
        async with RawOrigin(speak_http) as origin:
            node = await asyncio.to_thread(redis_store, f"redis://127.0.0.1:{origin.port}", patience=0.1)
            await asyncio.to_thread(wait_until, lambda: f"127.0.0.1:{origin.port}" in problem(node))
            await asyncio.to_thread(node.close)

    asyncio.run(main())


def test_a_host_that_cannot_be_one_is_named_and_tried_again(open_node: OpenNode) -> None:
    node = open_node("redis://a..b", patience=0.1)
    wait_until(lambda: "a..b:6379 cannot be reached" in problem(node))
