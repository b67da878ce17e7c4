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
    """A client with a new and empty folder, `/work`."""
    client = Client(front.url, auth=ANN, transport=EveryHostAt(front.port, front.certificates.ca))
    if client.exists("work"):
        client.remove("work")
    client.mkdir("work")
    yield client
    client.http.close()


def test_a_folder_shows_what_was_put_moved_copied_and_deleted(files: Client) -> None:
    def names() -> list[str]:
        return sorted(files.ls("work", detail=False))

    files.upload_fileobj(BytesIO(b"text"), "work/a")
    assert names() == ["work/a"]
    files.mkdir("work/deep")
    files.move("work/a", "work/deep/b")
    assert (names(), files.ls("work/deep", detail=False)) == (["work/deep"], ["work/deep/b"])
    files.copy("work/deep", "work/other")
    files.remove("work/deep")
    assert names() == ["work/other"]
    assert content_of(files, "work/other/b") == b"text"


def content_of(files: Client, path: str) -> bytes:
    content = BytesIO()
    files.download_fileobj(path, content)
    return content.getvalue()


def test_a_file_is_what_was_last_put(files: Client) -> None:
    for content in (b"first", b"second, and longer", b""):
        files.upload_fileobj(BytesIO(content), "work/a", overwrite=True)
        assert [content_of(files, "work/a") for _ in range(2)] == [content] * 2
        assert files.content_length("work/a") == len(content)


def test_a_file_that_was_moved_is_gone_from_its_old_place_and_new_at_the_other(files: Client) -> None:
    files.upload_fileobj(BytesIO(b"new"), "work/a")
    files.upload_fileobj(BytesIO(b"old"), "work/b")
    assert (content_of(files, "work/a"), content_of(files, "work/b")) == (b"new", b"old")
    files.move("work/a", "work/b", overwrite=True)
    assert content_of(files, "work/b") == b"new"
    with pytest.raises(ResourceNotFound):
        content_of(files, "work/a")


def test_names_keep_every_character(files: Client) -> None:
    for name in ("a b+c", "ä ö", "tilde~(1)", "semi;colon"):
        files.upload_fileobj(BytesIO(name.encode()), f"work/{name}")
        assert content_of(files, f"work/{name}") == name.encode()
        assert files.exists(f"work/{name}")


def test_a_lock_keeps_others_out_until_it_is_removed(files: Client, ann: httpx.Client, bob: httpx.Client) -> None:
    ann.auth, bob.auth = httpx.BasicAuth(*ANN), httpx.BasicAuth("bob", "bob's")
    files.upload_fileobj(BytesIO(b"text"), "work/a")
    locked = ann.request("LOCK", "/work/a", content=LOCK, headers={"Depth": "0", "Timeout": "Second-60"})
    token = locked.headers["Lock-Token"]
    assert (locked.status_code, token.strip("<>") in locked.text) == (200, True)
    assert bob.put("/work/a", content=b"other").status_code == 423
    assert ann.put("/work/a", content=b"mine", headers={"If": f"({token})"}).status_code == 204
    assert bob.get("/work/a").text == "mine"
    assert ann.request("UNLOCK", "/work/a", headers={"Lock-Token": token}).status_code == 204
    assert bob.put("/work/a", content=b"other").status_code == 204
    assert ann.get("/work/a").text == "other"


def test_a_property_is_what_was_last_set(files: Client, ann: httpx.Client) -> None:
    ann.auth = httpx.BasicAuth(*ANN)
    files.upload_fileobj(BytesIO(b"text"), "work/a")
    asked = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><color xmlns="urn:own"/></prop></propfind>'
    for color in ("red", "blue"):
        change = f"""<?xml version="1.0"?><propertyupdate xmlns="DAV:"><set><prop><color xmlns="urn:own">{color}</color>
        </prop></set></propertyupdate>"""
        assert ann.request("PROPPATCH", "/work/a", content=change).status_code == 207
        found = ann.request("PROPFIND", "/work/a", content=asked, headers={"Depth": "0"})
        assert (found.status_code, is_copy(found), re.findall(">(red|blue)<", found.text)) == (207, False, [color])


def test_nobody_sees_a_file_without_a_password(files: Client, ann: httpx.Client, bob: httpx.Client) -> None:
    ann.auth = httpx.BasicAuth(*ANN)
    files.upload_fileobj(BytesIO(b"text"), "work/a")
    for _ in range(2):
        assert ann.get("/work/a").text == "text"
        assert bob.get("/work/a").status_code == 401


def test_it_answers_as_nginx_would(front: Front, nginxes: dict[str, Front], files: Client) -> None:
    """An nginx with a cache gives files to those without a password."""
    files.upload_fileobj(BytesIO(b"text " * 100), "work/a")
    changing = Allowed(changing=r"\d{4}-\d\d-\d\d [\d:.]+")  # the time in pages about errors
    destination = {"Destination": f"{front.url}/work/b", **BY_ANN}
    asks = [
        *(Ask("/work/a", method, BY_ANN) for method in ("GET", "HEAD", "OPTIONS", "POST", "PATCH")),
        Ask("/work/a"),
        Ask("/work/", "PROPFIND", {"Depth": "1", **BY_ANN}, NAMES.encode()),
        Ask("/work/none", "PROPFIND", {"Depth": "0", **BY_ANN}, NAMES.encode()),
        Ask("/work/new", "MKCOL", BY_ANN),
        Ask("/work/new", "MKCOL", BY_ANN),
        Ask("/work/new", "DELETE", BY_ANN),
        Ask("/work/none/new", "MKCOL", BY_ANN),
        Ask("/work/a", "COPY", destination),
        Ask("/work/a", "COPY", {"Overwrite": "F", **destination}),
        Ask("/work/b", "DELETE", BY_ANN),
        Ask("/work/b", "GET", BY_ANN),
        Ask("/work/a", "MOVE", {"Destination": "https://elsewhere.test/b", **BY_ANN}),
        Ask("/work/a", "GET", {"Range": "bytes=5-9", **BY_ANN}),
        Ask("/work/a", "LOCK", BY_ANN, b"not XML"),
    ]
    check_same_answers(front, nginxes["without a cache"], asks, changing)
