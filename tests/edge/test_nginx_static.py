"""An nginx with static files behind the edge, compressed when asked (gzip) and beforehand (gzip_static)."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import httpx
import pytest

from tests.edge.browser import is_copy
from tests.edge.comparison import ERROR_PAGE, EVERYTHING, Ask, check_same_answers
from tests.edge.fronts import Front
from tests.edge.servers import server
from tests.fixtures.free_port import free_port
from tests.programs.installed_programs import program

SCRIPT = "console.log('This is a line of a script.')\n" * 100

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
{temporary}
  types {{ text/html html; application/javascript js; image/png png; }}
  gzip_types application/javascript;
  gzip_vary on;
  gzip_proxied any;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/site;
    error_page 404 /missing.html;
    location / {{ gzip on; expires 1h; }}
    location /ready/ {{ gzip_static on; expires 1h; }}
    location /unlimited/ {{ gzip on; }}
    location /never/ {{ expires epoch; }}
    location = /moved {{ return 301 /index.html; }}
  }}
}}
"""


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("static"), free_port()
    for place in (site := folder / "site", site / "ready", site / "unlimited", site / "never"):
        place.mkdir()
        (place / "script.js").write_text(SCRIPT)
    (site / "ready" / "script.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (site / "index.html").write_text("<p>Welcome.</p>\n" * 100)
    (site / "missing.html").write_text("<p>There is no such page.</p>")
    (site / "dot.png").write_bytes(bytes(range(256)) * 40)
    temporary = "".join(
        f"  {each}_temp_path {folder}/{each};\n" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, temporary=temporary))
    with server(folder, port, program("nginx"), "-c", configuration):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("target", ["/script.js", "/ready/script.js"])
def test_each_coding_is_fetched_once_and_given_to_those_who_accept_it(
    ann: httpx.Client, bob: httpx.Client, target: str
) -> None:
    for accepted, coding in (("gzip, deflate, br, zstd", "gzip"), ("identity", None)):
        first, copy = (each.get(target, headers={"Accept-Encoding": accepted}) for each in (ann, bob))
        assert [each.headers.get("Content-Encoding") for each in (first, copy)] == [coding] * 2
        assert [each.text for each in (first, copy)] == [SCRIPT] * 2
        assert is_copy(copy)


def test_a_file_that_was_changed_is_sent_anew_at_the_next_question(ann: httpx.Client) -> None:
    """`expires epoch` makes nginx send no-cache."""
    first = ann.get("/never/script.js")
    again = ann.get("/never/script.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.text, again.status_code) == (SCRIPT, 304)
    assert [is_copy(each) for each in (first, again)] == [False, False]


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_ranges_of_a_file_are_what_is_at_their_places(ann: httpx.Client, coding: str) -> None:
    content = bytes(range(256)) * 40
    for _ in range(2):
        for asked, expected in (("0-9", content[:10]), ("-10", content[-10:]), ("500-699", content[500:700])):
            answer = ann.get("/dot.png", headers={"Range": f"bytes={asked}", "Accept-Encoding": coding})
            assert (answer.status_code, answer.content) == (206, expected)
        ann.get("/dot.png")


@pytest.mark.parametrize("cache", ["without a cache", "with a cache"])
def test_it_answers_as_nginx_would(front: Front, nginxes: dict[str, Front], cache: str) -> None:
    plain = {"Accept-Encoding": "identity"}
    browsers = {"Accept-Encoding": "gzip, deflate, br, zstd"}
    asks = [
        *(Ask(target) for target in ("/", "/script.js", "/ready/script.js", "/unlimited/script.js", "/dot.png")),
        *(Ask(target, fields=plain) for target in ("/", "/script.js", "/ready/script.js", "/unlimited/script.js")),
        *(Ask(target, fields=browsers) for target in ("/", "/script.js", "/ready/script.js")),
        *(Ask(target) for target in ("/moved", "/none", "/ready", "/ready/", "/never/script.js", "/%2e%2e/", "//")),
        *(Ask(target, "HEAD") for target in ("/", "/script.js", "/none", "/moved")),
        *(Ask("/script.js", method) for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH")),
        Ask("/script.js", fields={"If-None-Match": '"other"'}),
        Ask("/script.js", fields={"If-Match": '"other"'}),
        Ask("/dot.png", fields={"Range": "bytes=0-9"}),
        Ask("/dot.png", fields={"Range": "bytes=0-9,20-29"}, allowed={EVERYTHING: "one range, RFC 9110 §15.3.7.2"}),
        Ask("/dot.png", fields={"Range": "bytes=99999-"}, allowed=ERROR_PAGE),
        Ask("/dot.png", fields={"Range": "bytes=0-9", "If-Range": '"other"'}),
    ]
    check_same_answers(front, nginxes[cache], asks)
