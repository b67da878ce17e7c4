"""A container registry that requires tokens of a token service, and redirects to signed URLs for blobs."""

from __future__ import annotations

import hashlib
import itertools
import json
from urllib.parse import parse_qs, urlsplit

from tests.fixtures.web_origin import Exchange, Origin, Page
from tests.programs.registries.archives import tar_gz

REGISTRY, TOKENS, BLOBS = "https://registry.test", "https://tokens.test", "https://blobs.test"

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class ContainerRegistry:
    """A registry with the image `registry.test/specimen:latest`.

    Attributes:
        digest: The digest of the manifest.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._tokens: set[str] = set()
        self._signatures: set[str] = set()
        self._numbers = itertools.count()
        origin.offer(f"{REGISTRY}/v2/", self._authorized(b"{}", "application/json"))
        origin.offer(f"{TOKENS}/token", self._send_token)
        layer = tar_gz({"greeting": "hello\n"})
        config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]}}
        described = [
            {"mediaType": f"application/vnd.oci.image.{kind}", "digest": self._blob(content), "size": len(content)}
            for kind, content in (("config.v1+json", json.dumps(config).encode()), ("layer.v1.tar+gzip", layer))
        ]
        manifest = json.dumps(
            {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
        ).encode()
        self.digest = _digest(manifest)
        for name in ("latest", self.digest):
            origin.offer(f"{REGISTRY}/v2/specimen/manifests/{name}", self._authorized(manifest, MANIFEST))

    def _authorized(self, content: bytes, media_type: str) -> Page:
        """Return a page that requires a token."""

        def answer(exchange: Exchange) -> None:
            digest = _digest(content)
            fields = {"Content-Type": media_type, "Docker-Content-Digest": digest, "ETag": f'"{digest}"'}
            if self._is_authorized(exchange):
                exchange.reply(200, content, fields)

        return answer

    def _is_authorized(self, exchange: Exchange) -> bool:
        """Return whether a request has a valid token. If not, send a 401 with the URL of the token service."""
        if (exchange.headers["Authorization"] or "").removeprefix("Bearer ") in self._tokens:
            return True
        challenge = f'Bearer realm="{TOKENS}/token",service="registry.test"'
        exchange.reply(401, b"{}", {"Content-Type": "application/json", "WWW-Authenticate": challenge})
        return False

    def _send_token(self, exchange: Exchange) -> None:
        self._tokens.add(token := f"token-{next(self._numbers)}")
        content = json.dumps({"token": token, "expires_in": 300}).encode()
        exchange.reply(200, content, {"Content-Type": "application/json"})

    def _blob(self, content: bytes) -> str:
        """Serve a blob. Return its digest."""
        digest = _digest(content)
        url = f"{BLOBS}/blobs/sha256/{digest.removeprefix('sha256:')}/data"

        def redirect(exchange: Exchange) -> None:
            if self._is_authorized(exchange):
                self._signatures.add(signature := f"{next(self._numbers)}")
                query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=1200&X-Amz-Signature={signature}"
                exchange.reply(307, b"", {"Location": f"{url}?{query}"})

        def send(exchange: Exchange) -> None:
            [signature] = parse_qs(urlsplit(exchange.path).query)["X-Amz-Signature"]
            if signature in self._signatures:
                self._signatures.remove(signature)  # a signed URL is valid once
                exchange.reply(200, content, {"Content-Type": "application/octet-stream", "ETag": f'"{digest}"'})
            else:
                exchange.reply(403, b"", {})

        self._origin.offer(f"{REGISTRY}/v2/specimen/blobs/{digest}", redirect)
        self._origin.offer(url, send)
        return digest


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
