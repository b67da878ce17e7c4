"""Only URLs that are really similar are offered in place of one that is not stored."""

import pytest

from addon.offline.similar_urls import similar_urls

HOST = "http://a.test"


@pytest.mark.parametrize(
    ("wanted", "stored", "similar"),
    [
        ("/new1", ["/bad", "/max", "/"], []),
        ("/new1", ["/bad", "/new2", "/new"], ["/new", "/new2"]),
        ("/a/onf", ["/a/one", "/a/two", "/b/onf", "/a/one/more"], ["/b/onf", "/a/one"]),
        ("/docs", ["/docs/", "/Docs", "/docs?page=2", "/blog"], ["/Docs", "/docs/", "/docs?page=2"]),
        ("/index.html", ["/other.html", "/indx.html", "/a.html"], ["/indx.html"]),
        ("/simple/six/", ["/simple/idna/", "/simple/", "/simple/six/six-1.whl"], []),
        ("/six-1.17.0.tar.gz", ["/six-1.16.0.tar.gz", "/idna-3.10.tar.gz"], ["/six-1.16.0.tar.gz"]),
        ("/", ["/a", "/bad"], []),
        ("/page0", [f"/page{number}" for number in range(1, 9)], ["/page1", "/page2", "/page3"]),
    ],
)
def test_similar_urls(wanted: str, stored: list[str], similar: list[str]) -> None:
    found = similar_urls(f"{HOST}{wanted}", {f"{HOST}{each}" for each in stored}, 3)
    assert found == [f"{HOST}{each}" for each in similar]
