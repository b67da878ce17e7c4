"""A WebDAV server (wsgidav) behind the edge."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from io import BytesIO

import httpx
import pytest
from webdav4.client import Client, ResourceNotFound

from tests.edge.browser import EveryHostAt, is_copy
from tests.edge.comparison import Allowed, Ask, check_same_answers
from tests.edge.fronts import Front
from tests.edge.servers import python_application

ANN = ("ann", "ann's password")

LOCK = """<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope>
<locktype><write/></locktype><owner>ann</owner></lockinfo>"""

NAMES = """<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/></prop></propfind>"""

BY_ANN = {
    "Authorization": f"Basic {base64.b64encode(':'.join(ANN).encode()).decode()}",
    "Content-Type": "application/xml",
}


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with python_application(tmp_path_factory.mktemp("webdav"), "webdav_files") as url:
        yield url


@pytest.fixture
def files(front: Front) -> Iterator[Client]:
    """A client with a new and empty folder, `/papers`."""
    client = Client(front.url, auth=ANN, transport=EveryHostAt(front.port, front.certificates.ca))
    if client.exists("papers"):
        client.remove("papers")
    client.mkdir("papers")
    yield client
    client.http.close()


def test_a_folder_shows_what_was_put_moved_copied_and_deleted(files: Client) -> None:
    def names() -> list[str]:
        return sorted(files.ls("papers", detail=False))

    files.upload_fileobj(BytesIO(b"text"), "papers/a")
    assert names() == ["papers/a"]
    files.mkdir("papers/deep")
    files.move("papers/a", "papers/deep/b")
    assert (names(), files.ls("papers/deep", detail=False)) == (["papers/deep"], ["papers/deep/b"])
    files.copy("papers/deep", "papers/other")
    files.remove("papers/deep")
    assert names() == ["papers/other"]
    assert content_of(files, "papers/other/b") == b"text"


def content_of(files: Client, path: str) -> bytes:
    content = BytesIO()
    files.download_fileobj(path, content)
    return content.getvalue()


def test_a_file_is_what_was_last_put(files: Client) -> None:
    for content in (b"first", b"second, and longer", b""):
        files.upload_fileobj(BytesIO(content), "papers/a", overwrite=True)
        assert [content_of(files, "papers/a") for _ in range(2)] == [content] * 2
        assert files.content_length("papers/a") == len(content)


def test_a_file_that_was_moved_is_gone_from_its_old_place_and_new_at_the_other(files: Client) -> None:
    files.upload_fileobj(BytesIO(b"new"), "papers/a")
    files.upload_fileobj(BytesIO(b"old"), "papers/b")
    assert (content_of(files, "papers/a"), content_of(files, "papers/b")) == (b"new", b"old")
    files.move("papers/a", "papers/b", overwrite=True)
    assert content_of(files, "papers/b") == b"new"
    with pytest.raises(ResourceNotFound):
        content_of(files, "papers/a")


def test_names_keep_every_character(files: Client) -> None:
    for name in ("a b+c", "ä ö", "tilde~(1)", "semi;colon"):
        files.upload_fileobj(BytesIO(name.encode()), f"papers/{name}")
        assert content_of(files, f"papers/{name}") == name.encode()
        assert files.exists(f"papers/{name}")


def test_a_lock_keeps_others_out_until_it_is_removed(files: Client, ann: httpx.Client, bob: httpx.Client) -> None:
    ann.auth, bob.auth = httpx.BasicAuth(*ANN), httpx.BasicAuth("bob", "bob's")
    files.upload_fileobj(BytesIO(b"text"), "papers/a")
    locked = ann.request("LOCK", "/papers/a", content=LOCK, headers={"Depth": "0", "Timeout": "Second-60"})
    token = locked.headers["Lock-Token"]
    assert (locked.status_code, token.strip("<>") in locked.text) == (200, True)
    assert bob.put("/papers/a", content=b"other").status_code == 423
    assert ann.put("/papers/a", content=b"mine", headers={"If": f"({token})"}).status_code == 204
    assert bob.get("/papers/a").text == "mine"
    assert ann.request("UNLOCK", "/papers/a", headers={"Lock-Token": token}).status_code == 204
    assert bob.put("/papers/a", content=b"other").status_code == 204
    assert ann.get("/papers/a").text == "other"


def test_a_property_is_what_was_last_set(files: Client, ann: httpx.Client) -> None:
    ann.auth = httpx.BasicAuth(*ANN)
    files.upload_fileobj(BytesIO(b"text"), "papers/a")
    asked = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><color xmlns="urn:own"/></prop></propfind>'
    for color in ("red", "blue"):
        change = f"""<?xml version="1.0"?><propertyupdate xmlns="DAV:"><set><prop><color xmlns="urn:own">{color}</color>
        </prop></set></propertyupdate>"""
        assert ann.request("PROPPATCH", "/papers/a", content=change).status_code == 207
        found = ann.request("PROPFIND", "/papers/a", content=asked, headers={"Depth": "0"})
        assert (found.status_code, is_copy(found), re.findall(">(red|blue)<", found.text)) == (207, False, [color])


def test_nobody_sees_a_file_without_a_password(files: Client, ann: httpx.Client, bob: httpx.Client) -> None:
    ann.auth = httpx.BasicAuth(*ANN)
    files.upload_fileobj(BytesIO(b"text"), "papers/a")
    for _ in range(2):
        assert ann.get("/papers/a").text == "text"
        assert bob.get("/papers/a").status_code == 401


def test_it_answers_as_nginx_would(front: Front, nginxes: dict[str, Front], files: Client) -> None:
    """An nginx with a cache gives files to those without a password."""
    files.upload_fileobj(BytesIO(b"text " * 100), "papers/a")
    changing = Allowed(changing=r"\d{4}-\d\d-\d\d [\d:.]+")  # the time in pages about errors
    destination = {"Destination": f"{front.url}/papers/b", **BY_ANN}
    asks = [
        *(Ask("/papers/a", method, BY_ANN) for method in ("GET", "HEAD", "OPTIONS", "POST", "PATCH")),
        Ask("/papers/a"),
        Ask("/papers/", "PROPFIND", {"Depth": "1", **BY_ANN}, NAMES.encode()),
        Ask("/papers/none", "PROPFIND", {"Depth": "0", **BY_ANN}, NAMES.encode()),
        Ask("/papers/new", "MKCOL", BY_ANN),
        Ask("/papers/new", "MKCOL", BY_ANN),
        Ask("/papers/new", "DELETE", BY_ANN),
        Ask("/papers/none/new", "MKCOL", BY_ANN),
        Ask("/papers/a", "COPY", destination),
        Ask("/papers/a", "COPY", {"Overwrite": "F", **destination}),
        Ask("/papers/b", "DELETE", BY_ANN),
        Ask("/papers/b", "GET", BY_ANN),
        Ask("/papers/a", "MOVE", {"Destination": "https://elsewhere.test/b", **BY_ANN}),
        Ask("/papers/a", "GET", {"Range": "bytes=5-9", **BY_ANN}),
        Ask("/papers/a", "LOCK", BY_ANN, b"not XML"),
    ]
    check_same_answers(front, nginxes["without a cache"], asks, changing)
