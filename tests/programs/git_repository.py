"""A Git repository that an origin serves with Git's own CGI program, as Git servers do."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from tests.fixtures.environment import environment
from tests.fixtures.web_origin import Exchange, Origin

IDENTITY = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


FILES = {"greeting": b"hello\n", "large": random.Random(0).randbytes(8 << 20)}
"""The files of the repository. The second one makes a pack that is larger than what the proxy keeps in memory."""


def serve_repository(origin: Origin, folder: Path) -> str:
    """Create a repository in a folder, and serve it. Return its URL."""
    work = folder / "work"
    work.mkdir(parents=True)
    for name, content in FILES.items():
        (work / name).write_bytes(content)
    own = environment(folder)
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "first"]):
        subprocess.run(["git", *command], cwd=work, check=True, env=own | IDENTITY)
    clone = ("git", "clone", "--quiet", "--bare", str(work), str(folder / "served.git"))
    subprocess.run(clone, check=True, env=own)

    def answer(exchange: Exchange) -> None:
        path, _, query = exchange.path.partition("?")
        content = exchange.rfile.read(int(exchange.headers.get("Content-Length", 0)))
        variables = {
            "GIT_PROJECT_ROOT": str(folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": exchange.command,
            "CONTENT_TYPE": exchange.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(content)),
            "HTTP_CONTENT_ENCODING": exchange.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": exchange.headers.get("Git-Protocol", ""),
        }
        printed = subprocess.run(
            ["git", "http-backend"], input=content, env=own | variables, check=True, stdout=subprocess.PIPE
        ).stdout
        head, _, body = printed.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        exchange.begin(int(fields.pop("Status", "200").split()[0]), {**fields, "Transfer-Encoding": "chunked"})
        exchange.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    origin.offer("/served.git/info/refs?service=git-upload-pack", answer)
    return origin.offer("/served.git/git-upload-pack", answer).removesuffix("/git-upload-pack")
