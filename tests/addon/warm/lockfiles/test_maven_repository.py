"""The files of a module in Maven repositories, and the POMs that its POM needs."""

from __future__ import annotations

import asyncio
import json

import pytest

from addon.offline.wanted import Document, Missing, SourceError, Wanted
from addon.warm.lockfiles.maven_repository import LocatedModule, Module, Repositories, requests_for

POM = "<project xmlns='http://maven.apache.org/POM/4.0.0'>{}</project>"
PARENT = "<parent><groupId>org.x</groupId><artifactId>parent</artifactId><version>2</version></parent>"
IMPORT = (
    "<properties><bom.version>3</bom.version></properties><dependencyManagement><dependencies><dependency>"
    "<groupId>org.x</groupId><artifactId>bom</artifactId><version>${bom.version}</version><scope>import</scope>"
    "</dependency></dependencies></dependencyManagement>"
)
ONE, TWO = "http://one.test/maven2", "http://two.test/repo"


def located(pages: dict[str, str], *, gradle: bool = False) -> LocatedModule | Missing:
    """Find the module org.x:a:1 in two repositories that have these pages."""

    async def read(wanted: Wanted) -> Document:
        if wanted.uri not in pages:
            raise SourceError(f"{wanted.uri}: the origin says 404")
        return Document(wanted.uri, pages[wanted.uri].encode(), "text/xml")

    repositories = Repositories([f"{ONE}/", TWO], read, (), gradle=gradle)
    return asyncio.run(repositories.locate(Module("org.x", "a", "1")))


def uris(found: LocatedModule | Missing) -> list[str]:
    assert isinstance(found, LocatedModule)
    return [wanted.uri for wanted in found.metadata]


def test_repositories_are_asked_in_order_until_one_has_the_module() -> None:
    found = located({f"{TWO}/org/x/a/1/a-1.pom": POM.format("")})
    assert uris(found) == [f"{ONE}/org/x/a/1/a-1.pom", f"{TWO}/org/x/a/1/a-1.pom"]
    assert isinstance(found, LocatedModule)
    assert [wanted.may_be_absent for wanted in found.metadata] == [True, False]
    assert (found.base, found.files) == (TWO, ("org/x/a/1/a-1.jar",))


def test_what_a_pom_inherits_from_and_imports_is_read_once() -> None:
    pages = {
        f"{ONE}/org/x/a/1/a-1.pom": POM.format(PARENT + IMPORT + "<packaging>pom</packaging>"),
        f"{ONE}/org/x/parent/2/parent-2.pom": POM.format(""),
        f"{ONE}/org/x/bom/3/bom-3.pom": POM.format(PARENT),
    }
    found = located(pages)
    assert sorted(uris(found)) == sorted(pages)
    assert isinstance(found, LocatedModule)
    assert found.files == ()  # a POM alone has no jar


def test_modules_are_looked_up_at_the_same_time_and_their_common_parent_once() -> None:
    asked: list[str] = []
    answered: list[str] = []

    async def read(wanted: Wanted) -> Document:
        asked.append(wanted.uri)
        await asyncio.sleep(0)
        answered.append(wanted.uri)
        if len(answered) == 1:
            assert len(asked) == len(modules)
        return Document(wanted.uri, POM.format("" if "parent" in wanted.uri else PARENT).encode(), "text/xml")

    modules = [Module("org.x", name, "1") for name in "abc"]
    found = asyncio.run(requests_for(modules, Repositories([ONE], read, (), gradle=False)))
    poms = [f"{ONE}/org/x/{name}/1/{name}-1.pom" for name in "abc"]
    assert sorted(asked) == [*poms, f"{ONE}/org/x/parent/2/parent-2.pom"]
    assert {each.uri for each in found if isinstance(each, Wanted)} > set(asked)


def test_the_url_of_a_repository_is_checked() -> None:
    with pytest.raises(SourceError, match=r"repository: .*nowhere"):
        Repositories(["nowhere"], lambda _: pytest.fail("it asks a repository"), (), gradle=False)


def test_gradle_reads_its_own_metadata_and_the_files_of_all_variants() -> None:
    files = [{"name": "a-1.jar", "url": "a-1.jar"}, {"name": "x", "url": "../../../x.jar"}]
    module = {"variants": [{"files": files}, {"files": [{"name": "a-1-js.klib", "url": "a-1-js.klib"}]}, {}]}
    pages = {
        f"{ONE}/org/x/a/1/a-1.pom": POM.format("<!-- do_not_remove: published-with-gradle-metadata -->"),
        f"{ONE}/org/x/a/1/a-1.module": json.dumps(module),
    }
    found = located(pages, gradle=True)
    assert uris(found) == list(pages)
    assert isinstance(found, LocatedModule)
    assert found.files == ("org/x/a/1/a-1.jar", "org/x/a/1/a-1-js.klib")  # and nothing outside of its folder
    assert uris(located(pages)) == [f"{ONE}/org/x/a/1/a-1.pom"]


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ({}, f"{ONE}/org/x/a/1/a-1.pom: the origin says 404; {TWO}/org/x/a/1/a-1.pom: the origin says 404"),
        ({f"{ONE}/org/x/a/1/a-1.pom": "<a>"}, "a-1.pom: line 1, column 4: no element found, expected XML"),
        ({f"{ONE}/org/x/a/1/a-1.pom": "<!DOCTYPE a [<!ENTITY b 'b'>]><a/>"}, "found a document type declaration"),
        ({f"{ONE}/org/x/a/1/a-1.pom": POM.format(PARENT)}, f"{ONE}/org/x/parent/2/parent-2.pom: the origin says 404"),
    ],
)  # fmt: skip
def test_what_cannot_be_found_or_read_is_named(pages: dict[str, str], why: str) -> None:
    found = located(pages)
    assert isinstance(found, Missing)
    assert found.name == "org.x:a:1"
    assert why in found.why


def test_a_chain_of_parents_without_end_is_refused() -> None:
    def parent(number: int) -> str:
        body = f"<groupId>org.x</groupId><artifactId>p</artifactId><version>{number}</version>"
        return POM.format(f"<parent>{body}</parent>")

    pages = {f"{ONE}/org/x/p/{number}/p-{number}.pom": parent(number + 1) for number in range(100)}
    found = located({f"{ONE}/org/x/a/1/a-1.pom": parent(0), **pages})
    assert isinstance(found, Missing)
    assert found.why.endswith("inherits from or imports more than 50 modules")
