"""A Maven repository: poms, jars, their digests, and metadata with the existing versions."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from tests.fixtures.pages import page
from tests.fixtures.web_origin import Origin
from tests.programs.registries.archives import zipped

GROUP = "org.example"

GOAL = f"{GROUP}:specimen-maven-plugin:resolve"
"""The goal of the repository's plugin. It makes Maven resolve the dependencies of a project."""

_MOJO = "public class Resolve extends org.apache.maven.plugin.AbstractMojo { public void execute() { } }"

_PLUGIN = f"""
<plugin>
  <groupId>{GROUP}</groupId> <artifactId>specimen-maven-plugin</artifactId> <version>1.1</version>
  <goalPrefix>specimen</goalPrefix>
  <mojos>
    <mojo>
      <goal>resolve</goal> <implementation>Resolve</implementation> <language>java</language>
      <instantiationStrategy>per-lookup</instantiationStrategy>
      <requiresDependencyResolution>test</requiresDependencyResolution>
    </mojo>
  </mojos>
</plugin>
"""


def serve_maven_repository(origin: Origin, base: str, mvn: str, folder: Path) -> str:
    """Serve `specimen`, which needs a version of `leaf`, and a plugin. Return Maven settings with this repository.

    The plugin is compiled in a folder, against the libraries of the Maven installation of `mvn`.
    """
    library = zipped({"about": "nothing\n"})
    plugin = zipped({"META-INF/maven/plugin.xml": _PLUGIN, "Resolve.class": _compiled(mvn, folder)})
    _serve(origin, base, GROUP, "leaf", pom("leaf"), library)
    _serve(origin, base, GROUP, "specimen", pom("specimen", needs="leaf", version="[1.0,2.0)"), library)
    _serve(origin, base, GROUP, "specimen-maven-plugin", pom("specimen-maven-plugin", "maven-plugin"), plugin)
    # Maven before 3.9 adds this artifact to every plugin
    plexus = "org.codehaus.plexus"
    _serve(origin, base, plexus, "plexus-utils", pom("plexus-utils", group=plexus), library)
    return f"<settings><mirrors><mirror><id>m</id><mirrorOf>*</mirrorOf><url>{base}</url></mirror></mirrors></settings>"


def pom(name: str, packaging: str = "jar", *, group: str = GROUP, needs: str = "", version: str = "1.1") -> str:
    """Return a project. If it `needs` an artifact, it depends on a version, or on a range of versions, of it."""
    dependency = f"<groupId>{GROUP}</groupId> <artifactId>{needs}</artifactId> <version>{version}</version>"
    return f"""
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>{group}</groupId> <artifactId>{name}</artifactId> <version>1.1</version> <packaging>{packaging}</packaging>
  {f"<dependencies> <dependency> {dependency} </dependency> </dependencies>" if needs else ""}
</project>
"""


def _serve(origin: Origin, base: str, group: str, name: str, project: str, jar: bytes) -> None:
    artifact = f"{base}/{group.replace('.', '/')}/{name}"
    versions = "<release>1.1</release> <versions> <version>1.1</version> </versions>"
    metadata = f"<metadata> <versioning> {versions} </versioning> </metadata>"
    for url, content in (
        (f"{artifact}/maven-metadata.xml", metadata.encode()),
        (f"{artifact}/1.1/{name}-1.1.pom", project.encode()),
        (f"{artifact}/1.1/{name}-1.1.jar", jar),
    ):
        origin.offer(url, page(content, "application/octet-stream"))
        origin.offer(f"{url}.sha1", page(hashlib.sha1(content).hexdigest().encode()))


def _compiled(mvn: str, folder: Path) -> bytes:
    (source := folder / "Resolve.java").write_text(_MOJO)
    [api] = (Path(mvn).resolve().parents[1] / "lib").glob("maven-plugin-api-*.jar")
    subprocess.run(["javac", "-proc:none", "-cp", str(api), "-d", str(folder), str(source)], check=True)
    return (folder / "Resolve.class").read_bytes()
