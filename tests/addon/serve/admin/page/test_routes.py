"""The files of the page: served without the token, under a strict policy, to nobody from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from addon.serve.admin.page import routes
from addon.serve.admin.page.routes import PATHS
from tests.fixtures.admin_client import AdminClient

FILES = sorted(Path(routes.__file__).with_name("static").iterdir())

PARSES_HTML = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "srcdoc", "DOMParser", "eval(")

ALLOWED_ADDRESSES = {"http://www.w3.org/2000/svg", "http://secondhand.internal/:", "http://${each}/`"}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_each_file_is_served_without_the_token_under_the_policy(path: str, admin: AdminClient) -> None:
    answer = admin.ask("GET", path)
    assert answer.status == 200
    policy = dict(each.split(" ", 1) for each in answer.fields["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert answer.fields["x-content-type-options"] == "nosniff"
    assert admin.ask("HEAD", path).fields["content-length"] == str(len(answer.content))


def test_a_name_that_was_made_to_resolve_to_this_machine_gets_no_file(admin: AdminClient) -> None:
    assert admin.ask("GET", "/page/", {"Host": f"evil.example:{admin.port}"}).status == 403


def test_a_page_of_another_site_can_lead_to_the_page_but_not_load_parts_of_it(admin: AdminClient) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert admin.ask("GET", "/page/", foreign | {"Sec-Fetch-Mode": "navigate"}).status == 200
    assert admin.ask("GET", "/page/main.js", foreign | {"Sec-Fetch-Mode": "no-cors"}).status == 403
    assert admin.ask("GET", "/page/main.js", {"Origin": "http://evil.example"}).status == 403
    assert admin.ask("GET", "/status", foreign | {"Sec-Fetch-Mode": "navigate"} | admin.authorization).status == 403


@pytest.mark.parametrize(
    "path", ["/page/nothing", "/page/../status", "/page/%2e%2e/status", "/page/main.js/", "/page//"]
)
def test_nothing_else_is_found_below_the_page_without_the_token(path: str, admin: AdminClient) -> None:
    assert admin.ask("GET", path).status == 401


def test_the_files_can_only_be_read(admin: AdminClient) -> None:
    assert admin.ask("POST", "/page/").status == 405


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_parses_text_as_html_or_names_another_server(file: Path) -> None:
    text = file.read_text()
    assert [each for each in PARSES_HTML if each in text] == []
    assert set(re.findall(r"https?://[^\s\"',)]+", text)) <= ALLOWED_ADDRESSES
    assert not re.search(r"""["'(]//""", text)
    assert len(text.splitlines()) <= 400


class Attributes(HTMLParser):
    """Collects the names of all attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {name for name, _ in attrs}


def test_the_page_has_no_scripts_and_styles_inside() -> None:
    parser = Attributes()
    parser.feed(next(file for file in FILES if file.name == "index.html").read_text())
    assert not {name for name in parser.names if name.startswith("on") or name == "style"}
